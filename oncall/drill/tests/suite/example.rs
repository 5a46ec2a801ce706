//! A drill that exists only in the tests.

use drill::Drill;

/// A drill with everything that the machine knows.
pub(crate) const EXAMPLE: &str = r#"
id: example
title: An example
difficulty: easy
time_box: 10m
tags: {layers: [http], mechanism: bad-release, traits: [change-induced]}
seed: 7
briefing: Look at it.
runbooks: [OrderAvailabilityBudgetBurn]
load: {scenario: shop, rps: 50, surges: [{after: 3s, rps: 80, lasts: 4s}]}
noise:
  - {after: 1s, change: release, name: user-service-3, service: user-service, text: nothing of interest}
  - {after: 2s, text: a colleague asks}
changes:
  - {name: release-2, after: 1s, kind: release, service: order-api, text: order-api 2}
weakened:
  - {service: order-api, protection: retry-budget}
faults:
  - {service: order-api, fault: http-error, with: {rate: 0.3}, after: 2s, change: release-2, survives_restart: true}
  - {service: order-worker, fault: consumer-pause, after: 4s}
baseline: {holds: 5s, within: 30s, checks: [{name: something, query: up == 1}]}
signals:
  - {name: errors, query: errors > 0, within: 10s}
pages:
  expected: [{alert: OrderAvailabilityBudgetBurn, service: order-api, within: 15s}]
  allowed: [OrderLatencyBudgetBurn]
  forbidden: [DeadLetters]
causal_path:
  - {name: cause, service: order-api, metric: http_requests_total, query: http_requests_total > 0, within: 10s}
  - {name: effect, service: load, metric: load_requests_total, query: load_requests_total > 0, within: 12s, from: cause}
questions:
  components: [order-api]
  mechanism: {options: [bad-release, slow-queries, dead-cache], answer: bad-release}
  change: release-2
  onset: 30s
  evidence: 1
mitigations:
  accepted:
    - {act: {rollback: release-2}, why: it is the cause}
    - {act: {restart: order-worker}, why: its consumer starts over}
  wrong:
    - {act: {restart: order-api}, why: the same release starts again, still: errors, after: 8s}
    - {act: {flush_cache: true}, why: the cache is not involved}
  harmful:
    - {act: {silence: OrderAvailabilityBudgetBurn}, why: nobody is told}
oracle: {sli: [{name: orders are answered, query: good == 1}], good_for: 5s, within: 30s, invariants: [settled-once]}
abort: [{name: the database is lost, query: lost == 1}]
hints: [{text: Look at errors., cost: 5}, {text: Look at changes., cost: 10}]
validity: {nothing: fails, restart_all: fails}
solve:
  - {act: {rollback: release-2}}
  - {wait: 2s}
  - {act: {restart: order-worker}}
debrief: It was the release.
"#;

pub(crate) fn example() -> Drill {
    drill::read("drills/example.yaml", EXAMPLE).unwrap_or_else(|problems| panic!("{problems}"))
}
