//! What is counted about runs and automation. Every series exists from the start, at 0.

use chassis_telemetry::metrics::Metrics;
use prometheus::{IntCounterVec, IntGauge};
use runbook::{Verb, Verdict, run::Ending};

const MODES: [&str; 3] = ["manual", "ask", "auto"];
const ENDINGS: [Ending; 5] =
    [Ending::Succeeded, Ending::Stopped, Ending::Recommended, Ending::Declined, Ending::Failed];
const VERDICTS: [Verdict; 4] = [Verdict::Allow, Verdict::Ask, Verdict::Recommend, Verdict::Deny];
const OUTCOMES: [&str; 2] = ["ok", "failed"];

/// Handles. Cheap to clone.
#[derive(Clone)]
pub struct RunbookMetrics {
    runs: IntCounterVec,
    acts: IntCounterVec,
    decisions: IntCounterVec,
    open: IntGauge,
    automation: IntGauge,
}

impl RunbookMetrics {
    /// Registers everything, each series at 0.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let this = Self {
            runs: metrics.counter_vec(
                "control_room_runbook_runs_total",
                "Runs of runbooks that are over, by mode and how they ended.",
                &["mode", "ending"],
            ),
            acts: metrics.counter_vec(
                "control_room_runbook_acts_total",
                "Acts of runbooks, by verb and outcome.",
                &["verb", "outcome"],
            ),
            decisions: metrics.counter_vec(
                "control_room_guardrail_decisions_total",
                "Decisions of the guardrails about acts, by verdict.",
                &["verdict"],
            ),
            open: metrics.gauge("control_room_runbook_runs_open", "Runs of runbooks that are not over."),
            automation: metrics.gauge("control_room_automation_on", "1 while automation acts on alerts."),
        };
        for mode in MODES {
            for ending in ENDINGS {
                this.runs.with_label_values(&[mode, ending.to_string().as_str()]);
            }
        }
        for verb in Verb::ALL {
            for outcome in OUTCOMES {
                this.acts.with_label_values(&[verb.to_string().as_str(), outcome]);
            }
        }
        for verdict in VERDICTS {
            this.decisions.with_label_values(&[verdict.to_string()]);
        }
        this
    }

    pub(super) fn ended(&self, mode: &str, ending: Ending) {
        self.runs.with_label_values(&[mode, ending.to_string().as_str()]).inc();
    }

    pub(super) fn acted(&self, verb: Verb, ok: bool) {
        let [good, bad] = OUTCOMES;
        self.acts.with_label_values(&[verb.to_string().as_str(), if ok { good } else { bad }]).inc();
    }

    pub(super) fn decided(&self, verdict: Verdict) {
        self.decisions.with_label_values(&[verdict.to_string()]).inc();
    }

    pub(super) fn open(&self, count: usize) {
        self.open.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn automation(&self, on: bool) {
        self.automation.set(i64::from(on));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_exists_from_the_start() {
        let metrics = Metrics::default();
        let room = RunbookMetrics::register(&metrics);
        room.acted(Verb::EndSessions, false);
        room.ended("auto", Ending::Recommended);
        let text = String::from_utf8(metrics.render(None).1).unwrap();
        for series in [
            r#"control_room_runbook_runs_total{ending="recommended",mode="auto"} 1"#,
            r#"control_room_runbook_runs_total{ending="failed",mode="manual"} 0"#,
            r#"control_room_runbook_acts_total{outcome="failed",verb="end-sessions"} 1"#,
            r#"control_room_guardrail_decisions_total{verdict="deny"} 0"#,
            "control_room_automation_on 0",
        ] {
            assert!(text.contains(series), "{series}: {text}");
        }
    }
}
