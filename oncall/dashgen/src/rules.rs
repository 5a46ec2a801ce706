//! Recording rules that the boards read instead of `slo:…` and `ALERTS`.
//!
//! A board can be narrowed by `job` and `instance`, so every selector has both matchers, and series without these
//! labels would never match. SLOs and most alerts concern a service, not a single replica: they get the service as
//! `job` and the instance `all`. A second benefit: the window is a label and not part of the name, so the same
//! board draws the windows of the lab's clock and those of production.

use std::fmt::Write as _;

use slo::Clock;

/// Series that are copied unchanged, and the names of the copies.
const COPIES: &[(&str, &str)] = &[
    ("slo:objective:ratio", "board:slo_objective:ratio"),
    ("slo:period_error:ratio", "board:slo_period_error:ratio"),
    ("slo:error_budget_remaining:ratio", "board:slo_error_budget_remaining:ratio"),
    ("slo:current_burn_rate:ratio", "board:slo_current_burn_rate:ratio"),
    ("slo:time_to_exhaustion:seconds", "board:slo_time_to_exhaustion:seconds"),
];

const HEAD: &str = "# Generated from oncall/dashgen by `just generate`; `./lab test` fails when it differs.
# Copies of SLO series and alerts with the labels `job` and `instance`, by which every board can be narrowed.
groups:
  - name: boards
    rules:
";

/// The rule file of one clock.
#[must_use]
pub fn file(clock: Clock) -> String {
    let mut out = HEAD.to_owned();
    // An alert about one replica already has an instance. `job` is dropped first, so that copies cannot collide
    // after relabelling.
    let labels = "alertname, alertstate, severity, slo, service, instance";
    // The heartbeat always fires and is no alert.
    let alerts = labelled(&format!("max by ({labels}) (ALERTS{{alertname!=\"Watchdog\"}})"));
    rule(&mut out, "board:alerts:active", &default_instance(&alerts), &[]);
    for (from, to) in COPIES {
        rule(
            &mut out,
            to,
            &labelled(&with_service(&format!("max by (slo) ({from})"))),
            &[("instance", "all")],
        );
    }
    for pair in clock.pairs() {
        for (role, window) in [("long", pair.long), ("short", pair.short)] {
            let window = window.to_string();
            let ratio = format!(
                "max by (slo) (slo:sli_error:ratio_rate{window}) / max by (slo) (slo:error_budget:ratio)"
            );
            let labels =
                [("instance", "all"), ("pair", pair.name), ("role", role), ("window", window.as_str())];
            rule(
                &mut out,
                "board:slo_burn_rate:ratio",
                &labelled(&with_service(&format!("({ratio})"))),
                &labels,
            );
        }
    }
    out
}

fn with_service(expr: &str) -> String {
    format!("{expr} * on (slo) group_left (service) max by (slo, service) (slo_info)")
}

/// `job` is the service, as everywhere.
fn labelled(expr: &str) -> String {
    format!("label_replace({expr}, \"job\", \"$1\", \"service\", \"(.+)\")")
}

fn default_instance(expr: &str) -> String {
    let instance = format!("label_replace({expr}, \"instance\", \"all\", \"instance\", \"\")");
    format!("label_replace({instance}, \"job\", \"all\", \"job\", \"\")")
}

fn rule(out: &mut String, record: &str, expr: &str, labels: &[(&str, &str)]) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "      - record: {record}\n        expr: |\n          {expr}");
    if !labels.is_empty() {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let _ = writeln!(out, "        labels: {{ {} }}", labels.join(", "));
    }
}
