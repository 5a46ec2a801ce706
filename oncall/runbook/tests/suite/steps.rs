//! What may happen to automation and its runs, in any order.

use proptest::{collection::vec, prelude::*, sample::select};

pub(crate) const SERVICES: &[&str] = &["order-api", "order-worker", "user-service"];
/// Of each kind: restarts with a drain and without, sessions, dead letters, replicas, and one that no rule covers.
pub(crate) const RUNBOOKS: &[&str] = &[
    "TargetDown",
    "HighMemoryUsage",
    "ConsumerLagGrowing",
    "DataFolderFilling",
    "PostgresLongTransaction",
    "DeadLetters",
    "HighCPUUsage",
    "HighErrorRate",
];

/// What happens next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Alert {
        runbook: &'static str,
        service: &'static str,
    },
    /// What is next in one of the runs, some times: it goes well or not, and takes the first branch or another one.
    Turns {
        which: usize,
        count: usize,
        well: bool,
        first: bool,
    },
    Health {
        service: &'static str,
        healthy: u32,
        sick: bool,
    },
    Deploy {
        service: &'static str,
        begins: bool,
    },
    Incident {
        service: &'static str,
        begins: bool,
    },
    Switch {
        on: bool,
    },
    Kill,
    Wait {
        minutes: i64,
    },
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let service = || select(SERVICES);
    prop_oneof![
        6 => (select(RUNBOOKS), service()).prop_map(|(runbook, service)| Step::Alert { runbook, service }),
        20 => (any::<usize>(), 1..12_usize, prop::bool::weighted(0.9), any::<bool>())
            .prop_map(|(which, count, well, first)| Step::Turns { which, count, well, first }),
        2 => (service(), 0..4_u32, any::<bool>())
            .prop_map(|(service, healthy, sick)| Step::Health { service, healthy, sick }),
        1 => (service(), any::<bool>()).prop_map(|(service, begins)| Step::Deploy { service, begins }),
        1 => (service(), any::<bool>()).prop_map(|(service, begins)| Step::Incident { service, begins }),
        1 => prop::bool::weighted(0.7).prop_map(|on| Step::Switch { on }),
        2 => Just(Step::Kill),
        2 => (0..90_i64).prop_map(|minutes| Step::Wait { minutes }),
    ]
}

/// An hour of the day, a clock, and what happens.
pub(crate) fn story() -> impl Strategy<Value = (u32, u32, Vec<Step>)> {
    (0..24_u32, select(vec![1_u32, 60]), vec(step(), 1..150))
}
