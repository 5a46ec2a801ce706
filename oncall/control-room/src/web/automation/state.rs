//! How a run is, as a badge and as a row of a table.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    runbooks::view::{RunState, RunbookRunView, StepState},
    web::parts::{Tone, ago, badge},
};

/// How a run is, or how it ended.
pub(in crate::web) fn badge_of(run: &RunbookRunView) -> Markup {
    let (tone, word) = match (run.state, run.ending.as_deref()) {
        (RunState::Running, _) => (Tone::Info, "running"),
        (RunState::WaitingForYou, _) => (Tone::Warn, "waits for a person"),
        (RunState::WaitingForApproval, _) => (Tone::Warn, "waits for approval"),
        (RunState::Ended, Some("succeeded")) => (Tone::Good, "succeeded"),
        (RunState::Ended, Some("recommended")) => (Tone::Info, "recommended"),
        (RunState::Ended, Some("failed")) => (Tone::Bad, "failed"),
        (RunState::Ended, Some("declined")) => (Tone::Quiet, "declined"),
        (RunState::Ended, _) => (Tone::Quiet, "stopped"),
    };
    badge(tone, word)
}

/// How far a step is.
pub(super) const fn step(state: StepState) -> (Tone, &'static str) {
    match state {
        StepState::Done => (Tone::Good, "done"),
        StepState::Now => (Tone::Warn, "now"),
        StepState::Todo => (Tone::Quiet, "to come"),
        StepState::Skipped => (Tone::Quiet, "left out"),
        StepState::Failed => (Tone::Bad, "not as expected"),
    }
}

/// Runs, one in a row.
pub(in crate::web) fn table(runs: &[RunbookRunView], now: DateTime<Utc>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Runs" {
            table.table.rows {
                thead { tr {
                    th scope="col" { "Run" } th scope="col" { "State" } th scope="col" { "Mode" } th scope="col" { "By" }
                    th scope="col" { "Incident" } th scope="col" { "Started" }
                } }
                tbody { @for run in runs { (row(run, now)) } }
            }
        }
    }
}

fn row(run: &RunbookRunView, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ "/runbook-runs/" (run.id) } data-item { (run.id) " " (run.runbook) }
                p.muted { (run.title) }
            }
            td { (badge_of(run)) }
            td { (run.mode) }
            td { (run.by) }
            td { @match run.incident {
                Some(incident) => a href={ "/incidents/" (incident) } { (incident) },
                None => span.muted { "none" },
            } }
            td { (ago(run.started_at, now)) }
        }
    }
}
