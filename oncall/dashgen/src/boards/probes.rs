//! The row of the synthetic probes: the shop from outside, whether or not anybody uses it.

use super::shared::{ERRORS, LATENCY, NEVER};
use crate::{
    link::logs_of,
    model::{Kind, Panel, Row, Step, Unit, row},
    query::{max, quantile, query, rates, sel, share},
};

/// Who has these metrics.
const NAME: &str = "probe";
/// Colours of the time since the last success: a journey begins every 5 s, and 30 s page.
const SINCE: &[Step] = &[(None, "green"), (Some(12.0), "orange"), (Some(30.0), "red")];
/// What did not end well.
const FAILED: &str = r#"outcome!="ok""#;

pub(super) fn probes_row() -> Row {
    let since = format!("time()\n-\n{}", max("journey", &sel("probe_last_success_timestamp_seconds", "")));
    row(
        "What the probes see",
        vec![
            Panel::new(Kind::Stat, "Since the last success", Unit::Seconds, "Time since a probe last succeeded at what users come for, by journey. Normal is below 6 s; from 30 s on it pages, unless something else does.")
                .query(query("{{journey}}", since))
                .steps(SINCE)
                .size(4, 7)
                .links([logs_of(NAME)]),
            Panel::new(Kind::Lines, "Failed journeys", Unit::Ratio, "Share of the journeys that failed, by journey. Normal is 0. There is a journey every 5 s, so one failure is a third of 15 s.")
                .query(query("{{journey}}", share("journey", "probe_journeys_total", FAILED, "")))
                .steps(&ERRORS[2..])
                .size(5, 7)
                .links([logs_of(NAME)]),
            Panel::new(Kind::Stack, "Failed steps", Unit::Events, "Steps that failed, by how. Normal is none: timeout is no answer in time or an order that stays pending, transport no connection, status another status than expected, wrong an answer with the wrong content.")
                .query(query("{{journey}} {{step}} {{outcome}}", rates("journey, step, outcome", "probe_steps_total", FAILED)))
                .size(5, 7)
                .links([logs_of(NAME)]),
            Panel::new(Kind::Lines, "p95 by step", Unit::Seconds, "Time that a step took; settle is the time until the order was settled, which is read every 250 ms. Normal is below the dashed 250 ms for all others. A dot is one journey: it opens its trace.")
                .query(query("{{journey}} {{step}}", quantile(0.95, "journey, step", "probe_step_duration_seconds", "")).exemplars())
                .steps(&LATENCY[1..2])
                .size(5, 7),
            Panel::new(Kind::Lines, "Wrong verdicts of the firewall", Unit::Count, "Samples whose last verdict was wrong: attacks that passed, and look-alikes that were blocked. Normal is 0.")
                .query(query("{{sample}}", max("sample", &sel("probe_firewall_wrong", ""))))
                .steps(&NEVER[1..])
                .size(5, 7)
                .links([logs_of(NAME)]),
        ],
    )
}
