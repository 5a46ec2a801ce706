//! The engine as its users see it: what strikes, how strong, when it ends. Time is paused.

use std::time::Duration;

use super::{FaultSpec, Faults, catalogue::*};
use crate::{CommonConfig, scope::Scope};

mod decisions;
mod parsing;
mod time;

const POINTS: &[&FaultSpec] = &[&RISKY, &HTTP_ERROR, &HTTP_LATENCY, &CPU_BURN];

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn config(arguments: &[&str]) -> CommonConfig {
    #[derive(clap::Parser)]
    struct Only {
        #[command(flatten)]
        common: CommonConfig,
    }
    <Only as clap::Parser>::parse_from([&["test"], arguments].concat()).common
}

fn faults() -> Faults {
    Faults::new(POINTS, &config(&[]))
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
        user_id: Some(user_id.to_owned()),
        user_tier: Some(user_tier.to_owned()),
    }
}
