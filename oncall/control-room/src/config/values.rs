//! Values of flags that are more than a word.

use std::str::FromStr;

use slo::Clock;
use url::Url;

/// An instance of a service, and where its admin port is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its own name: the service's, for the first one; `order-api-2` for the second.
    pub name: String,
    /// The service.
    pub service: String,
    /// Base URL of its admin port, without a slash at its end.
    pub admin: String,
}

/// Who calls whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who calls.
    pub caller: String,
    /// Who is called: a service, a store, a topic's broker.
    pub callee: String,
}

impl FromStr for Instance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is not NAME=URL or NAME@SERVICE=URL such as order-api=http://127.0.0.1:9101")
        };
        let (name, url) = text.trim().split_once('=').ok_or_else(wrong)?;
        let url =
            Url::parse(url).ok().filter(|url| url.has_host() && url.scheme() == "http").ok_or_else(wrong)?;
        let (name, service) = name.split_once('@').unwrap_or((name, name));
        if name.is_empty() || service.is_empty() {
            return Err(wrong());
        }
        let admin = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { name: name.to_owned(), service: service.to_owned(), admin })
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().split_once('>') {
            Some((caller, callee)) if !caller.is_empty() && !callee.is_empty() => {
                Ok(Self { caller: caller.to_owned(), callee: callee.to_owned() })
            }
            _ => Err(format!("`{text}` is not CALLER>CALLEE such as order-api>user-service")),
        }
    }
}

/// Reads the name of a clock.
pub(super) fn clock(text: &str) -> Result<Clock, String> {
    Clock::named(text).ok_or_else(|| format!("`{text}` is not a clock: expected lab or production"))
}

/// Reads `on` or `off`.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is not a position of a switch: expected on or off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_a_name_and_an_address() {
        let second: Instance = "order-api-2@order-api=http://127.0.0.1:9131/".parse().unwrap();
        assert_eq!(
            (&*second.name, &*second.service, &*second.admin),
            ("order-api-2", "order-api", "http://127.0.0.1:9131")
        );
        for text in ["", "order-api", "=http://x", "order-api=ftp://x", "a@=http://x"] {
            assert!(text.parse::<Instance>().unwrap_err().contains("NAME=URL"), "{text}");
        }
    }

    #[test]
    fn a_switch_is_on_or_off() {
        assert_eq!((switch("on"), switch("off")), (Ok(true), Ok(false)));
        assert!(switch("true").unwrap_err().contains("expected on or off"));
    }

    #[test]
    fn a_call_is_a_pair() {
        assert_eq!(
            "a>b".parse::<Call>().map(|call| (call.caller, call.callee)),
            Ok(("a".to_owned(), "b".to_owned()))
        );
        assert!("a".parse::<Call>().is_err());
    }
}
