//! The host names of this program.
//!
//! DNS rebinding: a page of `evil.example` points its name at 127.0.0.1, and the browser then takes this program for
//! `evil.example`. The request shows that in its `Host`. An IP address has no name that could be rebound, and browsers resolve
//! `localhost` themselves; every other name must have been allowed.

use std::{fmt, net::IpAddr, str::FromStr};

/// A name from `ALLOWED_HOSTS`: exact, `*.domain` for all names below a domain, or `*` for all names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let plain = name.strip_prefix("*.").unwrap_or(&name);
        let legal = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if name == "*" || (!plain.is_empty() && plain.chars().all(legal)) {
            return Ok(Self(name));
        }
        Err(format!("`{text}` is not the name of a host such as order-api, *.shop.svc or *"))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HostName {
    fn covers(&self, host: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some(domain) => host.ends_with(domain),
            None => self.0 == host,
        }
    }
}

/// Whether `host`, without a port, is a name of this program.
pub(crate) fn allowed(host: &str, names: &[HostName]) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    // The most common case first.
    if bare.parse::<IpAddr>().is_ok() {
        return true;
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || names.iter().any(|name| name.covers(&host))
}

/// The names as text for people: `localhost, any IP address, a-service`.
pub(crate) fn listed(names: &[HostName]) -> String {
    names.iter().fold("localhost, any IP address".to_owned(), |list, name| format!("{list}, {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_are_always_ours_and_names_only_if_allowed() {
        let names: Vec<HostName> =
            ["order-api", "*.shop.svc"].iter().filter_map(|name| name.parse().ok()).collect();
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "[::1]",
            "[fd00::1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "lab.localhost",
            "order-api",
            "Order-API.",
            "order-api.shop.svc",
        ] {
            assert!(allowed(host, &names), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "2130706433",
            "0x7f.1",
            "order-api.evil.example",
            "shop.svc",
            "evilshop.svc",
            "[evil]",
            "notlocalhost",
        ] {
            assert!(!allowed(host, &names), "{host}");
        }
        assert!(allowed("evil.example", &["*".parse().expect("a star")]));
    }
}
