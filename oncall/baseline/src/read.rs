//! The baseline as people write it: `deploy/baseline.yaml`.

use std::net::IpAddr;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::{
    checks::CHECKS,
    rules::{Baseline, Refused, Waiver},
};

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
}
