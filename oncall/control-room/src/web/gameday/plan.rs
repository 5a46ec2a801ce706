//! The plan of a game day, as it is in the address of the page.

use chrono::{DateTime, SecondsFormat, Utc};
use incident::Role;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::error::{Error, Result};

/// The plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Plan {
    /// For people.
    pub(super) title: String,
    /// Names of drills in their order, with commas between them.
    pub(super) drills: String,
    /// When it began, RFC 3339: runs before do not count.
    pub(super) from: String,
    /// Who has which role; empty for nobody.
    pub(super) commander: String,
    pub(super) operations: String,
    pub(super) communications: String,
    pub(super) scribe: String,
}

impl Plan {
    /// Names of its drills.
    pub(super) fn ids(&self) -> Vec<&str> {
        self.drills.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()).collect()
    }

    /// Whether it has drills and has not begun.
    pub(super) fn begins_now(&self) -> bool {
        self.from.is_empty() && !self.ids().is_empty()
    }

    /// The same plan, begun at a time.
    pub(super) fn begun(self, at: DateTime<Utc>) -> Self {
        Self { from: at.to_rfc3339_opts(SecondsFormat::Secs, true), ..self }
    }

    /// When it began.
    pub(super) fn begin(&self) -> Result<DateTime<Utc>> {
        let wrong = || Error::field("from", "expected a time such as 2026-05-04T10:00:00Z");
        self.from.parse().map_err(|_| wrong())
    }

    /// Who has a role.
    pub(super) fn who(&self, role: Role) -> &str {
        match role {
            Role::Commander => &self.commander,
            Role::Operations => &self.operations,
            Role::Communications => &self.communications,
            Role::Scribe => &self.scribe,
        }
    }

    /// The address of a page about it.
    pub(super) fn address(&self, path: &str) -> String {
        let fixed = [("title", &self.title), ("drills", &self.drills), ("from", &self.from)];
        let fixed = fixed.into_iter().map(|(name, value)| (name.to_owned(), value.as_str()));
        let roles = Role::ALL.into_iter().map(|role| (role.to_string(), self.who(role)));
        let mut query = Serializer::new(String::new());
        for (name, value) in fixed.chain(roles).filter(|(_, value)| !value.is_empty()) {
            query.append_pair(&name, value);
        }
        format!("{path}?{}", query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_survives_in_an_address() {
        let at: DateTime<Utc> = "2026-05-04T10:00:00.5Z".parse().unwrap();
        let plan = Plan {
            title: "Friday & friends".to_owned(),
            drills: "first-page, noon".to_owned(),
            scribe: "ben".to_owned(),
            ..Plan::default()
        };
        assert!(plan.begins_now() && plan.begin().is_err());
        let begun = plan.begun(at);
        assert_eq!((begun.ids(), begun.begins_now()), (vec!["first-page", "noon"], false));
        let address = begun.address("/gameday");
        let (path, query) = address.split_once('?').unwrap();
        let read: Plan = serde_urlencoded::from_str(query).unwrap();
        assert_eq!((path, &read), ("/gameday", &begun));
        assert_eq!(read.begin().unwrap(), "2026-05-04T10:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert!(!Plan::default().begins_now());
    }
}
