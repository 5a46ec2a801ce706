//! Which query strings are accepted, and the texts of refusals.

use proptest::prelude::*;

use super::*;
use crate::{AnyFault as _, FaultError, ParamKind, parse::parse};

fn refusal(name: &str, query: &str) -> String {
    faults().set(name, query).expect_err(query).to_string()
}

#[test]
fn a_plan_reads_its_parameters_and_fills_in_defaults() {
    let faults = faults();
    faults.set("http-latency", "delay=1m&jitter=5ms&distribution=uniform").unwrap();
    let strike = faults.point(&HTTP_LATENCY).active().unwrap();
    assert_eq!(strike.params.delay, SECOND * 60);
    assert_eq!(strike.params.jitter, Duration::from_millis(5));
    assert_eq!(strike.params.distribution, Distribution::Uniform);
    faults.set("http-latency", "").unwrap();
    let strike = faults.point(&HTTP_LATENCY).active().unwrap();
    assert_eq!(strike.params.delay, Duration::from_millis(250));
    assert_eq!(strike.params.distribution, Distribution::Fixed);
}

#[test]
fn an_unknown_fault_lists_the_known_ones() {
    let text = refusal("http-eror", "");
    assert_eq!(
        text,
        "unknown fault `http-eror`; this service has: risky, http-error, http-latency, cpu-burn"
    );
}

#[test]
fn an_unknown_parameter_lists_the_known_ones() {
    let text = refusal("http-error", "ratio=1");
    assert!(
        text.starts_with("unknown parameter `ratio` of `http-error`; it takes: status, rate, ttl"),
        "{text}"
    );
    let text = refusal("cpu-burn", "route=/orders");
    assert!(text.starts_with("unknown parameter `route` of `cpu-burn`"), "a process has no route: {text}");
}

#[test]
fn a_bad_value_names_the_value_and_the_range() {
    for (name, query, expected) in [
        ("http-error", "rate=1.5", "`rate`: `1.5` is not a number from 0 to 1"),
        ("http-error", "rate=-0", ""),
        ("http-error", "rate=NaN", "`rate`: `NaN` is not a number from 0 to 1"),
        ("http-error", "rate=", "`rate`: `` is not a number from 0 to 1"),
        ("http-error", "ttl=2h", "`ttl`: `2h` is not a duration such as 250ms or 5m, from 10ms to 1h"),
        ("http-error", "ttl=0s", "`ttl`: `0s` is not a duration such as 250ms or 5m, from 10ms to 1h"),
        ("http-error", "ttl=5", "`ttl`: `5` is not a duration such as 250ms or 5m, from 10ms to 1h"),
        ("http-error", "status=404", "`status`: `404` is not a whole number from 500 to 599"),
        ("http-error", "seed=-1", "`seed`: `-1` is not a whole number from 0 to 18446744073709551615"),
        ("http-error", "route=", "`route`: `` is not a text of 1 to 200 printable characters"),
        (
            "http-error",
            "ramp=20m",
            "`ramp`: `20m` is longer than the ttl (10m): its rate would never be reached",
        ),
        ("http-error", "every=1s", "`for`: is missing: `every` and `for` go together"),
        ("http-error", "for=1s", "`every`: is missing: `every` and `for` go together"),
        ("http-error", "every=1s&for=2s", "`for`: `2s` is longer than `every` (1s); it is at most that"),
        ("http-error", "rate=1&rate=0", "`rate`: was given twice; give it once"),
        ("http-latency", "distribution=normal", "`distribution`: `normal` is not one of fixed, uniform"),
    ] {
        if expected.is_empty() {
            faults().set(name, query).unwrap();
        } else {
            assert_eq!(refusal(name, query), expected);
        }
    }
}

#[test]
fn a_refused_plan_changes_nothing() {
    let faults = faults();
    faults.set("http-error", "rate=1").unwrap();
    faults.set("http-error", "rate=2").unwrap_err();
    assert_eq!(faults.point(&HTTP_ERROR).level(), 1.0);
}

/// Anything that could follow a `?`, near misses included.
fn query() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("rate"),
        Just("ttl"),
        Just("ramp"),
        Just("every"),
        Just("for"),
        Just("seed"),
        Just("route"),
        Just("status"),
        Just("delay"),
        Just("distribution"),
        Just("threads"),
        Just("size"),
        Just("x"),
    ];
    let value = prop_oneof![
        any::<f64>().prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        (
            0_u64..10_000,
            prop_oneof![Just("ns"), Just("ms"), Just("s"), Just("m"), Just("h"), Just("y"), Just("KiB")]
        )
            .prop_map(|(n, unit)| format!("{n}{unit}")),
        "\\PC{0,300}",
        Just("%ff%00".to_owned()),
        Just("fixed".to_owned()),
    ];
    let pairs = prop::collection::vec((name, value), 0..5).prop_map(|pairs| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    });
    prop_oneof![4 => pairs, 1 => "\\PC{0,80}"]
}

proptest! {
    #[test]
    fn whatever_is_asked_is_either_within_the_limits_or_refused_by_name(query in query(), at in 0..ALL.len()) {
        match parse(ALL[at].spec(), SUBJECT, &query, false) {
            Ok(plan) => {
                prop_assert!((0.0..=1.0).contains(&plan.rate));
                let ttl = plan.ttl.expect("only baselines have none");
                prop_assert!(ttl > Duration::ZERO && ttl <= SECOND * 3600);
                prop_assert!(plan.ramp <= ttl);
                prop_assert!(plan.flap.is_none_or(|flap| flap.on <= flap.every && !flap.on.is_zero()));
                prop_assert_eq!(plan.values.iter().count(), ALL[at].spec().params.len());
            }
            Err(FaultError::BadValue { param, problem }) => prop_assert!(!param.is_empty() && problem.len() < 600),
            Err(FaultError::UnknownParam { known, .. }) => prop_assert!(known.contains("rate, ttl")),
            Err(FaultError::UnknownFault { .. }) => prop_assert!(false, "the fault was known"),
        }
    }

    #[test]
    fn a_level_stays_between_zero_and_the_rate_and_is_zero_after_the_ttl(
        query in query(), millis in 0_u64..10_000_000,
    ) {
        if let Ok(plan) = parse(HTTP_ERROR.spec(), SUBJECT, &query, false) {
            let elapsed = Duration::from_millis(millis);
            let level = plan.level(elapsed);
            prop_assert!((0.0..=plan.rate).contains(&level));
            prop_assert!(level == 0.0 || !plan.expired(elapsed));
            prop_assert!(plan.next_change(elapsed).is_none_or(|next| next > elapsed));
        }
    }

    #[test]
    fn what_a_report_shows_can_be_set_again(n in 0_u64..100_000_000_000, at in 0_usize..3) {
        let kind = [
            ParamKind::Duration { min: Duration::ZERO, max: Duration::MAX },
            ParamKind::Bytes { min: 0, max: u64::MAX },
            ParamKind::Count { min: 0, max: u64::MAX },
        ][at];
        let text = if at == 0 { format!("{n}us") } else { n.to_string() };
        let value = kind.read(&text).unwrap();
        prop_assert_eq!(kind.read(&value.to_string()).unwrap(), value);
    }
}
