//! How the ports of a service are served: limits from its configuration, and a count of every refused client.

use chassis_serve::{Refusal, Settings};

use chassis_telemetry::Chassis;
use prometheus::IntCounterVec;

use crate::HttpConfig;

chassis_telemetry::metrics! {
    /// The families.
    struct Families {
        /// Clients turned away before the service had their request, by port and reason:
        /// their doing, and no failure of the service.
        http_clients_refused_total: IntCounterVec["port", "reason"],
    }
}

/// For the port that the metrics call `port`.
pub fn settings(config: &HttpConfig, chassis: &Chassis, port: &'static str) -> Settings {
    let refused = Families::register(&chassis.metrics).http_clients_refused_total;
    let counters = Refusal::ALL.map(|refusal| refused.with_label_values(&[port, refusal.as_str()]));
    let body_limit = usize::try_from(config.body_limit).unwrap_or(usize::MAX);
    Settings::new(&config.limits, body_limit).telling(move |refusal| {
        let counter = Refusal::ALL.iter().position(|known| *known == refusal).and_then(|at| counters.get(at));
        counter.into_iter().for_each(prometheus::IntCounter::inc);
    })
}
