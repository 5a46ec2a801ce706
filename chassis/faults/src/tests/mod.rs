//! The engine as its users see it: what strikes, how strong, when it ends. Time is paused.
#![allow(unreachable_pub, reason = "the catalogue of a boundary is public")]

use std::time::Duration;

use super::{
    Attribute, Fault, Faults, catalogue, choice, params,
    params::{MINUTE, choice, count, duration},
    spec::{process, work},
};
use crate::{Params, scope::Scope};

mod decisions;
mod declaring;
mod parsing;
mod time;

params! {
    /// Parameters of `http-error`.
    pub struct HttpError {
        /// status of the answer
        status: u64 = count("500", 500, 599),
    }

    /// Parameters of `http-latency`.
    pub struct HttpLatency {
        /// mean
        delay: Duration = duration("250ms", Duration::ZERO, MINUTE),
        /// half the width
        jitter: Duration = duration("0ms", Duration::ZERO, MINUTE),
        /// shape
        distribution: Distribution = choice("fixed"),
    }

    /// Parameters of `cpu-burn`.
    pub struct CpuBurn {
        /// how many
        threads: u64 = count("0", 0, 256),
    }
}

choice! {
    /// Shape of a delay.
    pub enum Distribution {
        /// Around the mean.
        Fixed = "fixed",
        /// From nothing to twice the mean.
        Uniform = "uniform",
    }
}

catalogue! {
    /// One that is on from the start.
    pub const RISKY: Fault = work("risky", "", "").baseline("rate=0.2");
    /// Requests fail.
    pub const HTTP_ERROR: Fault<HttpError> = work("http-error", "", "");
    /// Requests are slow.
    pub const HTTP_LATENCY: Fault<HttpLatency> = work("http-latency", "", "");
    /// The processor is busy.
    pub const CPU_BURN: Fault<CpuBurn> = process("cpu-burn", "", "");
}

const SUBJECT: &[Attribute] = &[
    Attribute { key: "user.tier", param: "user_tier", summary: "" },
    Attribute { key: "user.id", param: "user_id", summary: "" },
];

const SECOND: Duration = Duration::from_secs(1);

fn faults() -> Faults {
    Faults::new(ALL, SUBJECT, false)
}

fn hits<P: Params>(faults: &Faults, fault: &Fault<P>, of: usize) -> Vec<bool> {
    let point = faults.point(fault);
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
