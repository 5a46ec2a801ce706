//! What a baseline consists of.

use std::net::IpAddr;

use chrono::NaiveDate;
use serde::Deserialize;

/// What must hold.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// Addresses on which parts of a lab on one machine may listen.
    pub listen: Vec<IpAddr>,
    /// Names of service accounts whose pods may have a token of the API server.
    pub tokens: Vec<String>,
    /// Versions that must not be used.
    pub refused: Vec<Refused>,
    /// Exceptions.
    pub waivers: Vec<Waiver>,
}

/// Versions of a package that must not be used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The package.
    pub package: String,
    /// The first version that is good again.
    pub below: String,
    /// Why: the advisory.
    pub advisory: String,
}

/// An exception: a finding that is known, and accepted for a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check, such as `LAB-5.9`.
    pub check: String,
    /// What it is about; a `*` at the end is anything.
    pub subject: String,
    /// The last day on which it holds.
    pub until: NaiveDate,
    /// Why it is accepted.
    pub why: String,
}

impl Waiver {
    /// Whether it is about this finding, whatever the day.
    #[must_use]
    pub fn covers(&self, check: &str, subject: &str) -> bool {
        let named = match self.subject.strip_suffix('*') {
            Some(start) => subject.starts_with(start),
            None => subject == self.subject,
        };
        named && self.check == check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_is_about_one_subject_or_what_begins_alike() {
        let waiver = |subject: &str| Waiver {
            check: "LAB-1.1".to_owned(),
            subject: subject.to_owned(),
            until: NaiveDate::MAX,
            why: String::new(),
        };
        assert!(waiver("redis").covers("LAB-1.1", "redis"));
        assert!(!waiver("redis").covers("LAB-1.1", "redis-exporter"));
        assert!(!waiver("redis").covers("LAB-2.1", "redis"));
        assert!(waiver("redis*").covers("LAB-1.1", "redis-exporter"));
    }
}
