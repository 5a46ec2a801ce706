//! A step that releases a version to a few: how it is written.

use std::collections::BTreeMap;

use release::fleet::{Build, is_name};
use serde_saphyr::Spanned;
use yaml::Reader;

use super::shape::RawRelease;
use crate::commands::{
    chaos::{blow::Blow, trial::Trial},
    written::Values as _,
};

/// Most that a canary can have: its baseline gets as much.
const MOST: u32 = 50;

/// Reads one; `scope` has the services that may be touched.
pub(super) fn release(
    reader: &mut Reader<'_>,
    raw: &Spanned<RawRelease>,
    field: &str,
    scope: &[&str],
) -> Option<Blow> {
    let RawRelease { service, version, env, weight } = &raw.value;
    let service = reader.word(service, &format!("{field}.service"), scope);
    let name = reader.line(version, &format!("{field}.version"));
    if name.as_ref().is_some_and(|name| !is_name(name)) {
        reader.wrong(
            version,
            &format!("{field}.version"),
            "expected letters, digits, dots, dashes and underscores",
        );
    }
    if !(1..=MOST).contains(&weight.value) {
        let message = format!("expected 1 to {MOST} percent, found {}", weight.value);
        reader.wrong(weight, &format!("{field}.weight"), message);
    }
    let env: BTreeMap<String, String> =
        env.iter().map(|(name, value)| (name.clone(), value.value.to_string())).collect();
    let build = Build { env: env.clone(), ..Build::default() };
    if let Err(wrong) = build.check() {
        reader.wrong(raw, &format!("{field}.env"), wrong);
    }
    let (weight, by_hand) = (weight.value, false);
    Some(Blow::Release(Trial { service: service?, version: name?, env, weight, by_hand }))
}

#[cfg(test)]
mod tests {
    use crate::commands::chaos::experiment::{file::read, pair::Pair};

    const EXAMPLE: &str = "\
title: A version is bad
hypothesis: Its judge takes it back.
scope: {services: [order-api, notifier], budget: 50%}
steady_state: [{name: orders are answered, query: up}]
method:
  - {release: {service: order-api, version: hasty, env: {USER_SERVICE_TIMEOUT: 1ms}, weight: 10}, lasts: 3m}
  - {redrive: notifier, lasts: 5s}
pair: {without: judge}
restored: {within: 90s, least: 2}
";

    #[test]
    fn a_release_has_a_judge_that_a_pair_takes_away() {
        let experiment = read("x.yaml", EXAMPLE).unwrap();
        assert_eq!(experiment.pair, Some(Pair::Judge));
        let blows: Vec<_> = experiment.steps.iter().flat_map(|step| &step.blows).collect();
        let words: Vec<String> = blows.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            ["version hasty of order-api released to 10 %", "the dead letters of notifier put back"]
        );
        assert!(blows[0].unjudged().to_string().ends_with(", without a judge"));
        assert_eq!(blows[1].unjudged(), *blows[1]);
        assert!(experiment.needs_engine(), "only a lab on this machine can release");
        assert_eq!(experiment.here(), (true, false));
    }

    #[test]
    fn a_mistake_has_its_line_and_says_what_would_be_right() {
        for (from, to, said) in [
            ("service: order-api", "service: redis", "x.yaml:6: method[0].release.service: expected one of"),
            ("version: hasty", "version: a/b", "x.yaml:6: method[0].release.version: expected letters"),
            ("weight: 10", "weight: 60", "x.yaml:6: method[0].release.weight: expected 1 to 50 percent"),
            ("{USER_SERVICE_TIMEOUT: 1ms}", "{}", "x.yaml:6: method[0].release.env: it differs in nothing"),
            ("redrive: notifier", "redrive: postgres", "x.yaml:7: method[1].redrive: expected one of"),
            (
                "release: {service: order-api, version: hasty, env: {USER_SERVICE_TIMEOUT: 1ms}, weight: 10}, ",
                "",
                "x.yaml:8: pair.without: expected a step with `release`",
            ),
        ] {
            assert_ne!(EXAMPLE.replace(from, to), EXAMPLE, "{from}");
            let problems = read("x.yaml", &EXAMPLE.replace(from, to)).unwrap_err().to_string();
            assert!(problems.contains(said), "{to}: {problems}");
        }
    }
}
