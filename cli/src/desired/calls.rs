//! Which requests set something on an edge.
//!
//! An edge keeps the mode of a rule and its pushed file together: a push ends the mode, and `DELETE` takes back both. Here they
//! are two settings, so what is wanted of the other one is sent again.

use anyhow::{Context as _, Result, bail};
use observe::{Error, Peer};
use release::desired::{Act, Setting, Settings};
use reqwest::Method;

/// A request to the admin port of an edge. May be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    /// Sets what the query says.
    Set { path: String, query: Vec<(&'static str, String)> },
    /// Pushes the file of a rule.
    Push { path: String, file: String },
    /// Takes back what was set.
    Withdraw { path: String },
}

/// The requests of an act, in order. Without a value, a setting is as if nobody had decided it: no limit, the firewall on, a rule
/// as its file says.
///
/// # Errors
/// When no edge has such a setting.
pub(super) fn calls(act: &Act, wanted: &Settings) -> Result<Vec<Call>> {
    let calls = match (&act.setting, act.to.as_deref()) {
        (Setting::Limit, Some(limit)) => {
            let fields = limit.strip_prefix("rps=").and_then(|rest| rest.split_once(" burst="));
            let (rps, burst) = fields.with_context(|| format!("`{limit}` is no limit"))?;
            vec![set("/limit", &[("rps", rps), ("burst", burst)])]
        }
        (Setting::Limit, None) => vec![Call::Withdraw { path: "/limit".to_owned() }],
        (Setting::Firewall, on) => vec![set("/waf", &[("enabled", on.unwrap_or("true"))])],
        (Setting::Mode { rule }, Some(mode)) => vec![set(&path(rule), &[("mode", mode)])],
        // A push ends the mode, too, and the rule stays.
        (Setting::Mode { rule }, None) => vec![file(rule, wanted.get(&Setting::Rule { rule: rule.clone() }))],
        (Setting::Rule { rule }, to) => {
            let mode = wanted.get(&Setting::Mode { rule: rule.clone() });
            let mode = mode.map(|mode| set(&path(rule), &[("mode", mode.as_str())]));
            [file(rule, to)].into_iter().chain(mode).collect()
        }
        (other, _) => bail!("{other} is not set on an edge"),
    };
    Ok(calls)
}

fn path(rule: &str) -> String {
    format!("/waf/{rule}")
}

fn set(path: &str, fields: &[(&'static str, &str)]) -> Call {
    let query = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Call::Set { path: path.to_owned(), query }
}

/// The rule as this text says, or as the edge's own file does.
fn file(rule: &str, text: Option<impl Into<String>>) -> Call {
    match text {
        Some(text) => Call::Push { path: path(rule), file: text.into() },
        None => Call::Withdraw { path: path(rule) },
    }
}

/// Sends one.
///
/// # Errors
/// When the edge refuses or cannot be reached.
pub(super) async fn send(peer: &Peer, call: &Call) -> observe::Result<()> {
    match call {
        Call::Set { path, query } => {
            let query: Vec<(&str, &str)> =
                query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            peer.call(Method::PUT, path, &query).await?;
        }
        Call::Push { path, file } => {
            peer.put_text(path, file.clone()).await?;
        }
        Call::Withdraw { path } => match peer.call(Method::DELETE, path, &[]).await {
            // What is not there is taken back already.
            Ok(_) | Err(Error::Refused { status: 404, .. }) => {}
            Err(error) => return Err(error),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "id: scanners\n";

    fn mode() -> Setting {
        Setting::Mode { rule: "scanners".to_owned() }
    }

    fn rule() -> Setting {
        Setting::Rule { rule: "scanners".to_owned() }
    }

    fn of(setting: Setting, to: Option<&str>, wanted: &[(Setting, &str)]) -> Vec<Call> {
        let one = |(setting, value): &(Setting, &str)| (setting.clone(), (*value).to_owned());
        let wanted: Settings = wanted.iter().map(one).collect();
        calls(&Act { setting, to: to.map(str::to_owned) }, &wanted).unwrap()
    }

    fn push() -> Call {
        Call::Push { path: "/waf/scanners".to_owned(), file: FILE.to_owned() }
    }

    fn withdraw(path: &str) -> Call {
        Call::Withdraw { path: path.to_owned() }
    }

    #[test]
    fn a_setting_is_one_request_and_none_is_as_if_nobody_had_decided() {
        let limit = set("/limit", &[("rps", "20"), ("burst", "40")]);
        assert_eq!(of(Setting::Limit, Some("rps=20 burst=40"), &[]), [limit]);
        assert_eq!(of(Setting::Limit, None, &[]), [withdraw("/limit")]);
        assert_eq!(of(Setting::Firewall, None, &[]), [set("/waf", &[("enabled", "true")])]);
        assert_eq!(of(mode(), Some("off"), &[]), [set("/waf/scanners", &[("mode", "off")])]);
        assert_eq!(of(mode(), None, &[]), [withdraw("/waf/scanners")]);
        let flag = Setting::Flag { service: "edge".to_owned(), flag: "x".to_owned() };
        assert!(calls(&Act { setting: flag, to: None }, &Settings::new()).is_err());
    }

    #[test]
    fn the_mode_of_a_rule_outlives_its_file_and_the_file_outlives_the_mode() {
        let simulate = || set("/waf/scanners", &[("mode", "simulate")]);
        let wanted = [(mode(), "simulate")];
        assert_eq!(of(rule(), Some(FILE), &wanted), [push(), simulate()], "a new text does not enforce");
        assert_eq!(of(rule(), None, &wanted), [withdraw("/waf/scanners"), simulate()]);
        assert_eq!(of(mode(), None, &[(rule(), FILE)]), [push()], "the rule is not withdrawn");
        assert_eq!(of(rule(), Some(FILE), &[]), [push()]);
        assert_eq!(of(rule(), None, &[]), [withdraw("/waf/scanners")]);
    }
}
