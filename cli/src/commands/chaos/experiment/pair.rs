//! What the second pass of an experiment does without, and what every pass does without.

use std::fmt;

use serde_saphyr::Spanned;
use yaml::{Reader, all};

use super::shape::{Document, RawPair, RawStep};
use crate::commands::{chaos::blow::Blow, written::Values as _};

/// How the judge of a release is written.
const JUDGE: &str = "judge";

/// What is taken away in a second pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pair {
    /// A protection of a service.
    Protection { service: String, protection: String },
    /// Automation.
    Automation,
    /// The judge of each release: a person decides.
    Judge,
    /// The first step of each push: every edge gets the rule at once.
    Canary,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protection { service, protection } => write!(f, "{protection} of {service}"),
            Self::Automation => f.write_str("automation"),
            Self::Judge => f.write_str("the judge of a release"),
            Self::Canary => f.write_str("one edge first"),
        }
    }
}

/// Reads what the second pass lacks.
pub(super) fn pair(reader: &mut Reader<'_>, raw: &Spanned<RawPair>, scope: &[&str]) -> Option<Pair> {
    match &raw.value {
        RawPair { service: Some(service), protection: Some(protection), without: None, canary: None } => {
            let service = reader.word(service, "pair.service", scope);
            let protection = reader.line(protection, "pair.protection");
            Some(Pair::Protection { service: service?, protection: protection? })
        }
        RawPair { service: None, protection: None, without: Some(without), canary: None } => {
            let what = reader.word(without, "pair.without", &["automation", JUDGE])?;
            Some(if what == JUDGE { Pair::Judge } else { Pair::Automation })
        }
        RawPair { service: None, protection: None, without: None, canary: Some(canary) } if canary.value => {
            Some(Pair::Canary)
        }
        _ => {
            let message =
                "expected `service` and `protection`, or `without` automation or judge, or `canary: true`";
            reader.wrong(raw, "pair", message);
            None
        }
    }
}

/// Reads the protections that are off in every pass.
pub(super) fn weakened(reader: &mut Reader<'_>, document: &Document, scope: &[&str]) -> Option<Vec<Blow>> {
    all(document.weakened.iter().enumerate().map(|(index, raw)| {
        let service = &raw.value.service;
        let service = reader.word(service, &format!("weakened[{index}].service"), scope);
        let protection = reader.line(&raw.value.protection, &format!("weakened[{index}].protection"));
        Some(Blow::Unprotect { service: service?, protection: protection? })
    }))
}

/// Records what does not belong together.
pub(super) fn consistent(reader: &mut Reader<'_>, document: &Document) {
    let Some(raw) = &document.pair else { return };
    if document.measures.is_empty() && document.restored.is_none() {
        reader.wrong(raw, "pair", "expected `measures` or `restored` too: a pair is compared in numbers");
    }
    let judge = raw.value.without.as_ref().map(|without| without.value == JUDGE);
    if judge == Some(false) && document.automation.is_none() {
        reader.wrong(raw, "pair.without", "expected `automation` too: what it does in the first pass");
    }
    if judge == Some(true) && document.method.value.iter().all(|step| step.value.release.is_none()) {
        reader.wrong(raw, "pair.without", "expected a step with `release`, whose judge this pair leaves out");
    }
    let canary = raw.value.canary.as_ref().is_some_and(|canary| canary.value);
    if canary && !document.method.value.iter().any(|step| has_canary(&step.value)) {
        let message = "expected a step with `push` and `canary`, which this pair leaves out";
        reader.wrong(raw, "pair.canary", message);
    }
}

fn has_canary(step: &RawStep) -> bool {
    step.push.as_ref().is_some_and(|push| push.value.canary.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::chaos::experiment::file::read;

    const EXAMPLE: &str = "\
title: A rule is slow
hypothesis: Few notice.
scope: {services: [order-api], budget: 10%}
steady_state: [{name: orders are answered, query: up}]
method: [{push: {service: order-api, rule: slow, canary: 5s}, lasts: 10s}]
weakened: [{service: order-api, protection: timeout}]
pair: {canary: true}
measures: [{name: failed, query: up, least: 3}]
";

    #[test]
    fn a_push_has_a_first_step_that_a_pair_takes_away() {
        let experiment = read("x.yaml", EXAMPLE).unwrap();
        assert_eq!(experiment.pair, Some(Pair::Canary));
        let push = experiment.steps[0].blows.first().map(ToString::to_string);
        assert_eq!(push.as_deref(), Some("rule slow pushed to order-api, one first for 5s"));
        assert_eq!(experiment.weakened[0].to_string(), "order-api without timeout");
        for (from, to, said) in [
            (", canary: 5s}", "}", "x.yaml:7: pair.canary: expected a step with `push`"),
            ("canary: true", "canary: false", "x.yaml:7: pair: expected `service` and `protection`, or"),
            ("canary: true", "canary: true, without: automation", "x.yaml:7: pair: expected `service`"),
            ("canary: 5s", "canary: 5m", "x.yaml:5: method[0].push.canary: "),
            ("[{service: order-api", "[{service: redis", "x.yaml:6: weakened[0].service: expected one of"),
        ] {
            assert_ne!(EXAMPLE.replace(from, to), EXAMPLE, "{from}");
            let problems = read("x.yaml", &EXAMPLE.replace(from, to)).unwrap_err().to_string();
            assert!(problems.contains(said), "{to}: {problems}");
        }
    }

    #[test]
    fn a_pair_is_named_by_what_is_missing() {
        let protection =
            Pair::Protection { service: "order-api".to_owned(), protection: "timeout".to_owned() };
        let pairs = [protection, Pair::Automation, Pair::Judge, Pair::Canary];
        let words = pairs.map(|pair| pair.to_string());
        assert_eq!(words, ["timeout of order-api", "automation", "the judge of a release", "one edge first"]);
    }
}
