//! How the ports of a service are served: limits from its configuration, and a count of every refused client.

use chassis_serve::{Refusal, Settings};

use chassis_telemetry::Chassis;

use crate::HttpConfig;

/// Settings of the port that has the label `port` in the metrics.
pub fn settings(config: &HttpConfig, chassis: &Chassis, port: &'static str) -> Settings {
    let refused = chassis.metrics.counter_vec(
        "http_clients_refused_total",
        "Clients turned away before the service had their request, by port and reason: their doing, and no failure of the service.",
        &["port", "reason"],
    );
    let counters = Refusal::ALL.map(|refusal| refused.with_label_values(&[port, refusal.as_str()]));
    let body_limit = usize::try_from(config.body_limit).unwrap_or(usize::MAX);
    Settings::new(&config.limits, body_limit).telling(move |refusal| {
        let counter = Refusal::ALL.iter().position(|known| *known == refusal).and_then(|at| counters.get(at));
        counter.into_iter().for_each(prometheus::IntCounter::inc);
    })
}
