//! The engine as its users see it: what strikes, how strong, when it ends. Time is paused.

use std::time::Duration;

use super::{
    Attribute, FaultSpec, Faults,
    spec::{MINUTE, count, duration, process, word, work},
};
use crate::scope::Scope;

mod decisions;
mod parsing;
mod time;

/// A point that is on from the start.
const RISKY: FaultSpec = FaultSpec { baseline: Some("rate=0.2"), ..work("risky", "", &[], "") };
const HTTP_ERROR: FaultSpec = work("http-error", "", &[count("status", "", "500", 500, 599)], "");
const HTTP_LATENCY: FaultSpec = work(
    "http-latency",
    "",
    &[
        duration("delay", "", "250ms", Duration::ZERO, MINUTE),
        duration("jitter", "", "0ms", Duration::ZERO, MINUTE),
        word("distribution", "", "fixed", &["fixed", "uniform", "pareto"]),
    ],
    "",
);
const CPU_BURN: FaultSpec = process("cpu-burn", "", &[count("threads", "", "0", 0, 256)], "");

const SUBJECT: &[Attribute] = &[
    Attribute { key: "user.tier", param: "user_tier", summary: "" },
    Attribute { key: "user.id", param: "user_id", summary: "" },
];

const POINTS: &[&FaultSpec] = &[&RISKY, &HTTP_ERROR, &HTTP_LATENCY, &CPU_BURN];

const SECOND: Duration = Duration::from_secs(1);

fn faults() -> Faults {
    Faults::new(POINTS, SUBJECT, false)
}

fn hits(faults: &Faults, name: &str, of: usize) -> Vec<bool> {
    let point = faults.point(name);
    (0..of).map(|_| point.strike().is_some()).collect()
}

fn share(hits: &[bool]) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap());
    count(hits.iter().filter(|hit| **hit).count()) / count(hits.len())
}

fn scope(route: &str, user_id: &str, user_tier: &str) -> Scope {
    Scope {
        route: route.to_owned(),
        subject: [("user.id", user_id.to_owned()), ("user.tier", user_tier.to_owned())].into(),
    }
}
