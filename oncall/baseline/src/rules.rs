//! The baseline as people write it: `deploy/baseline.yaml`.

use std::net::IpAddr;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::checks::CHECKS;

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

/// As the file has it, with lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    listen: Vec<IpAddr>,
    tokens: Vec<String>,
    refused: Vec<Refused>,
    waivers: Vec<Spanned<Waiver>>,
}

impl Baseline {
    /// Reads the text of `file`.
    ///
    /// # Errors
    /// The first mistake, with file, line and field: not of this shape, a waiver for a check that does not exist, or without a
    /// reason.
    pub fn parse(file: &str, text: &str) -> Result<Self, yaml::Problem> {
        let Written { listen, tokens, refused, waivers } = yaml::parse(file, text)?;
        for (index, waiver) in waivers.iter().enumerate() {
            let problem = |field: &str, message: String| yaml::Problem {
                file: file.to_owned(),
                line: waiver.referenced.line(),
                field: format!("waivers[{index}].{field}"),
                message,
            };
            if !CHECKS.iter().any(|check| check.id == waiver.value.check) {
                let message = format!("there is no check `{}`", waiver.value.check);
                return Err(problem("check", message));
            }
            if waiver.value.why.trim().len() < 10 {
                return Err(problem("why", "say why it is accepted".to_owned()));
            }
        }
        let waivers = waivers.into_iter().map(|waiver| waiver.value).collect();
        Ok(Self { listen, tokens, refused, waivers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "listen: [127.0.0.1]\ntokens: []\nrefused: []\nwaivers:\n";

    #[test]
    fn a_waiver_names_a_check_an_end_and_a_reason() {
        let read = |waiver: &str| Baseline::parse("b.yaml", &format!("{START}{waiver}"));
        let good = "  - {check: LAB-1.1, subject: redis, until: 2027-01-31, why: only until it is moved}\n";
        assert_eq!(read(good).unwrap().waivers.len(), 1);
        for (wrong, said) in [
            (
                "  - {check: LAB-99, subject: redis, until: 2027-01-31, why: only until it is moved}\n",
                "LAB-99",
            ),
            ("  - {check: LAB-1.1, subject: redis, until: 2027-01-31, why: so}\n", "why"),
            ("  - {check: LAB-1.1, subject: redis, why: only until it is moved}\n", "until"),
            ("  - {check: LAB-1.1, subject: redis, until: soon, why: only until it is moved}\n", "until"),
        ] {
            let problem = read(wrong).unwrap_err().to_string();
            assert!(problem.starts_with("b.yaml:") && problem.contains(said), "{problem}");
        }
    }

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
