//! What an experiment states about automation, and how soon everything is well again.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::{Reader, all};

use super::shape::{RawAutomation, RawRestored};
use crate::commands::written::Values as _;

/// Longest time until everything has to be well.
const LONGEST: Duration = Duration::from_secs(1800);

/// What automation has to do while something is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Automation {
    /// The runbooks that are counted; what others do is not looked at.
    pub(super) runbooks: Vec<String>,
    /// How many runs have to change something, at least and at most. An act that was taken back does not count.
    pub(super) least: u32,
    pub(super) most: u32,
    /// Whether something has to hold it back: a check, the guardrails, the breaker.
    pub(super) held: bool,
    /// The step of a runbook that has to; none, if it does not matter what does.
    pub(super) held_by: Option<String>,
    /// Whether a second person approves what waits for that, at once.
    pub(super) approve: bool,
}

/// How soon every condition has to hold again, counted from the first step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Restored {
    /// In the first pass.
    pub(super) within: Duration,
    /// How many times as long it has to take in the second one.
    pub(super) least: Option<f64>,
}

/// Reads what automation has to do.
pub(super) fn automation(reader: &mut Reader<'_>, raw: &Spanned<RawAutomation>) -> Option<Automation> {
    let names = raw.value.runbooks.iter().enumerate();
    let names = all(names.map(|(index, text)| reader.line(text, &format!("automation.runbooks[{index}]"))));
    if raw.value.runbooks.is_empty() {
        reader.wrong(raw, "automation.runbooks", "empty: expected the runbooks that may start");
    }
    let least = raw.value.least.unwrap_or(0);
    let most = raw.value.most.unwrap_or_else(|| least.max(1));
    if most < least {
        reader.wrong(raw, "automation.most", format!("expected at least {least}, found {most}"));
    }
    let held_by = raw.value.held_by.as_ref();
    if let Some(step) = held_by.filter(|_| !raw.value.held) {
        reader.wrong(step, "automation.held_by", "expected `held: true` too");
    }
    let held_by = match held_by {
        None => None,
        Some(step) => Some(reader.line(step, "automation.held_by")?),
    };
    let (held, approve) = (raw.value.held, raw.value.approve);
    Some(Automation { runbooks: names?, least, most, held, held_by, approve })
}

/// Reads how soon everything has to be well.
pub(super) fn restored(reader: &mut Reader<'_>, raw: &RawRestored, paired: bool) -> Option<Restored> {
    let within = reader.time(&raw.within, "restored.within", Duration::from_secs(1), LONGEST);
    if let Some(least) = raw.least.as_ref().filter(|least| !paired || least.value <= 1.0) {
        let message = "expected above 1, and only with `pair`: how many times as long in the second pass";
        reader.wrong(least, "restored.least", message);
    }
    Some(Restored { within: within?, least: raw.least.as_ref().map(|least| least.value) })
}

#[cfg(test)]
mod tests {
    use crate::commands::chaos::experiment::{file::read, pair::Pair};

    const EXAMPLE: &str = "\
title: A worker hangs
hypothesis: It is restarted.
scope: {services: [order-worker], budget: 100%}
steady_state: [{name: orders are settled, query: up}]
method: [{fault: {service: order-worker, fault: consumer-pause}, returns: true, lasts: 2m}]
pair: {without: automation}
automation: {runbooks: [ConsumerLagGrowing], least: 1, most: 2}
restored: {within: 60s, least: 2}
";

    #[test]
    fn a_pair_without_automation_is_compared_by_the_time_until_all_is_well() {
        let experiment = read("x.yaml", EXAMPLE).unwrap();
        assert_eq!(experiment.pair, Some(Pair::Automation));
        let automation = experiment.automation.unwrap();
        assert_eq!((automation.least, automation.most, automation.held), (1, 2, false));
        let restored = experiment.restored.unwrap();
        assert_eq!((restored.within.as_secs(), restored.least), (60, Some(2.0)));
        assert!(experiment.steps[0].returns);
    }

    #[test]
    fn what_does_not_belong_together_is_named() {
        for (from, to, said) in [
            ("without: automation", "without: luck", "x.yaml:6: pair.without: expected one of automation"),
            ("pair: {without: automation}\n", "", "only with `pair`"),
            (
                "restored: {within: 60s, least: 2}\n",
                "",
                "x.yaml:6: pair: expected `measures` or `restored` too",
            ),
            (
                "automation: {runbooks: [ConsumerLagGrowing], least: 1, most: 2}\n",
                "",
                "x.yaml:6: pair.without: expected `automation` too",
            ),
            ("runbooks: [ConsumerLagGrowing]", "runbooks: []", "x.yaml:7: automation.runbooks: empty"),
            ("least: 1, most: 2", "least: 3, most: 2", "automation.most: expected at least 3, found 2"),
            (
                "most: 2}",
                "most: 2, held_by: not-stuck}",
                "x.yaml:7: automation.held_by: expected `held: true` too",
            ),
            ("least: 2}", "least: 1}", "restored.least: expected above 1"),
            ("{without: automation}", "{service: order-worker}", "expected `service` and `protection`, or"),
        ] {
            assert_ne!(EXAMPLE.replace(from, to), EXAMPLE, "{from}");
            let problems = read("x.yaml", &EXAMPLE.replace(from, to)).unwrap_err().to_string();
            assert!(problems.contains(said), "{to}: {problems}");
        }
    }
}
