//! A form as an action. Only what everybody may do: faults have forms of their own, for instructors.

use std::collections::BTreeMap;

use incident::Id;
use serde_json::json;
use switchboard::{Action, RuleMode, SessionState};

use crate::error::{Error, Result};

/// What is wanted.
#[derive(Debug, PartialEq)]
pub(super) struct Wish {
    /// The incident for which.
    pub(super) incident: Option<Id>,
    /// What.
    pub(super) action: Action,
}

impl Wish {
    /// Reads the fields of a form.
    ///
    /// # Errors
    /// Names the field that is missing, wrong or unknown.
    pub(super) fn read(fields: &BTreeMap<String, String>) -> Result<Self> {
        let mut sent = Sent(fields.clone());
        // Which form it was; for when it is shown again.
        sent.takes("form");
        let incident = sent.takes("incident").map(|name| name.parse::<Id>()).transpose();
        let incident = incident.map_err(|wrong| Error::field("incident", wrong))?;
        let name = sent.needs("action")?;
        let action = sent.action(&name)?;
        match sent.0.into_keys().next() {
            None => Ok(Self { incident, action }),
            Some(unknown) => Err(Error::field(unknown, "is not a field of this form")),
        }
    }
}

/// Fields that nobody has taken yet.
struct Sent(BTreeMap<String, String>);

impl Sent {
    fn action(&mut self, name: &str) -> Result<Action> {
        Ok(match name {
            "restart" => Action::Restart { target: self.needs("target")? },
            "drain" => Action::Drain { target: self.needs("target")?, ttl: self.needs("ttl")? },
            "undrain" => Action::Undrain { target: Some(self.needs("target")?) },
            "scale" => Action::Scale {
                target: self.needs("target")?,
                replicas: self.number("replicas")?.ok_or_else(|| missing("replicas"))?,
            },
            "end_sessions" => Action::EndSessions {
                database: self.needs("database")?,
                state: state(&self.needs("state")?)?,
                older_than: self.needs("older_than")?,
                application: self.takes("application"),
                most: self.number("most")?,
            },
            "purge_keys" => Action::PurgeKeys {
                pattern: self.needs("pattern")?,
                ttl_over: self.takes("ttl_over"),
                most: self.number("most")?,
            },
            "remove_files" => Action::RemoveFiles { target: self.needs("target")? },
            "redrive" => Action::Redrive { target: self.needs("target")?, most: self.number("most")? },
            "set_load" => Action::SetLoad { rps: self.rate()?.ok_or_else(|| missing("rps"))? },
            "set_rule" | "restore_rule" | "switch_firewall" | "limit_clients" => self.of_edge(name)?,
            "silence" => Action::Silence {
                alert: self.needs("alert")?,
                service: self.takes("service"),
                ttl: self.needs("ttl")?,
            },
            "expire_silence" => {
                Action::ExpireSilence { alert: self.needs("alert")?, service: self.takes("service") }
            }
            "failover" => Action::Failover { instance: self.needs("instance")?, force: self.truth("force")? },
            "start_part" => Action::StartPart { target: self.needs("target")? },
            "rollback" => Action::Rollback { change: self.needs("change")? },
            other => return Err(Error::field("action", format!("`{other}` is not an action of this page"))),
        })
    }

    fn of_edge(&mut self, name: &str) -> Result<Action> {
        let target = self.needs("target")?;
        Ok(match name {
            "set_rule" => {
                let (rule, mode) = (self.needs("rule")?, self.needs("mode")?);
                Action::SetRule { target, rule, mode: self::mode(&mode)? }
            }
            "restore_rule" => Action::RestoreRule { target, rule: self.takes("rule") },
            "switch_firewall" => Action::SwitchFirewall { target, enabled: self.truth("enabled")? },
            _ => Action::LimitClients { target, rps: self.rate()?, burst: self.number("burst")? },
        })
    }

    fn truth(&mut self, name: &'static str) -> Result<bool> {
        let text = self.needs(name)?;
        let expected = || Error::field(name, format!("expected true or false, found `{text}`"));
        text.parse().map_err(|_| expected())
    }

    /// A field that may be empty or absent.
    fn takes(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn needs(&mut self, name: &str) -> Result<String> {
        self.takes(name).ok_or_else(|| missing(name))
    }

    fn rate(&mut self) -> Result<Option<f64>> {
        let Some(text) = self.takes("rps") else { return Ok(None) };
        let wrong = |_| Error::field("rps", format!("expected a number such as 50, found `{text}`"));
        text.parse().map(Some).map_err(wrong)
    }

    fn number(&mut self, name: &str) -> Result<Option<u32>> {
        let Some(text) = self.takes(name) else { return Ok(None) };
        let wrong = |_| Error::field(name, format!("expected a whole number, found `{text}`"));
        text.parse().map(Some).map_err(wrong)
    }
}

fn missing(name: &str) -> Error {
    Error::field(name, "is missing")
}

fn state(name: &str) -> Result<SessionState> {
    serde_json::from_value(json!(name)).map_err(|_| {
        let known = SessionState::ALL.map(SessionState::name).join(", ");
        Error::field("state", format!("expected one of {known}, found `{name}`"))
    })
}

fn mode(name: &str) -> Result<RuleMode> {
    serde_json::from_value(json!(name)).map_err(|_| {
        let known = RuleMode::ALL.map(RuleMode::name).join(", ");
        Error::field("mode", format!("expected one of {known}, found `{name}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> std::result::Result<Wish, String> {
        let fields = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Wish::read(&fields).map_err(|error| error.to_string())
    }

    #[test]
    fn empty_fields_are_absent_and_an_incident_may_be_named() {
        let fields = [
            ("form", "postgres-end_sessions"),
            ("incident", "INC-3"),
            ("action", "end_sessions"),
            ("database", "orders"),
            ("state", "idle-in-transaction"),
            ("older_than", " 10s "),
            ("application", ""),
            ("most", "20"),
        ];
        let action = Action::EndSessions {
            database: "orders".to_owned(),
            state: SessionState::IdleInTransaction,
            older_than: "10s".to_owned(),
            application: None,
            most: Some(20),
        };
        assert_eq!(read(&fields), Ok(Wish { incident: Some(Id(3)), action }));
        let load = read(&[("action", "set_load"), ("rps", "12.5"), ("incident", "")]);
        assert_eq!(load, Ok(Wish { incident: None, action: Action::SetLoad { rps: 12.5 } }));
        let limit = read(&[("action", "limit_clients"), ("target", "edge"), ("rps", ""), ("burst", "")]);
        let action = Action::LimitClients { target: "edge".to_owned(), rps: None, burst: None };
        assert_eq!(limit, Ok(Wish { incident: None, action }));
    }

    #[test]
    fn what_is_missing_wrong_or_unknown_is_named() {
        for (fields, said) in [
            (vec![("action", "restart")], "target: is missing"),
            (vec![("action", "restart"), ("target", "a"), ("most", "1")], "most: is not a field"),
            (vec![("action", "redrive"), ("target", "a"), ("most", "all")], "most: expected a whole number"),
            (vec![("action", "drain"), ("target", "a")], "ttl: is missing"),
            (vec![("action", "restore"), ("to", "latest")], "action: `restore` is not an action"),
            (vec![("action", "set_load"), ("rps", "much")], "rps: expected a number such as 50"),
            (
                vec![("action", "set_rule"), ("target", "edge"), ("rule", "a"), ("mode", "gone")],
                "mode: expected one of enforce, simulate, off, found `gone`",
            ),
            (
                vec![("action", "switch_firewall"), ("target", "edge"), ("enabled", "no")],
                "enabled: expected true or false",
            ),
            (vec![("action", "push_rule"), ("target", "edge")], "action: `push_rule` is not an action"),
            (vec![("action", "set_fault"), ("target", "a")], "action: `set_fault` is not an action"),
            (vec![("action", "restart"), ("target", "a"), ("incident", "x")], "incident: "),
            (vec![], "action: is missing"),
        ] {
            let error = read(&fields).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
        let error = read(&[("action", "end_sessions"), ("database", "a"), ("state", "busy")]).unwrap_err();
        assert_eq!(error, "state: expected one of idle, idle-in-transaction, active, found `busy`");
    }
}
