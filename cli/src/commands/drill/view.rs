//! What the control room says of drills and runs, as far as it is printed. A field that it leaves out is
//! empty here.

use std::ops::Deref;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a person may know of a drill before it is over.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Brief {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) difficulty: String,
    pub(crate) time_box_seconds: u64,
    pub(crate) prerequisites: Vec<String>,
    pub(crate) briefing: String,
    /// What each hint costs.
    pub(crate) hints: Vec<u32>,
    /// What the mechanism may be; empty if it is not asked.
    pub(crate) mechanisms: Vec<String>,
    pub(crate) asks_change: bool,
    pub(crate) asks_onset: bool,
    /// How many queries have to prove an answer.
    pub(crate) evidence: u32,
}

/// A drill in the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Listed {
    pub(crate) brief: Brief,
    /// How often it was run by a person.
    pub(crate) runs: u64,
    /// The best score.
    pub(crate) best: Option<f64>,
    pub(crate) last_verdict: Option<String>,
    /// Whether it should be the next one.
    pub(crate) suggested: bool,
}

/// A run, as far as the viewer may see it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    pub(crate) id: i64,
    /// Absent while a mystery is in progress.
    pub(crate) drill: Option<String>,
    pub(crate) brief: Option<Brief>,
    pub(crate) responder: String,
    /// What a verification tries; absent in a person's run.
    pub(crate) verify: Option<String>,
    pub(crate) phase: String,
    /// Whether an instructor has paused it.
    pub(crate) paused: bool,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) time_box_ends: Option<DateTime<Utc>>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
    /// Conditions that are not met yet.
    pub(crate) waiting_for: Vec<String>,
    pub(crate) hints: Vec<String>,
    pub(crate) hints_left: usize,
    /// What the responder did to the system.
    pub(crate) acts: Vec<String>,
    pub(crate) verdict: Option<String>,
    /// Whether the responder could know the solution.
    pub(crate) seen: bool,
    pub(crate) failures: Vec<Failure>,
    pub(crate) score: Option<Score>,
    /// What was really wrong, for an instructor, and for everybody once it is over.
    pub(crate) truth: Option<Value>,
    /// Share of an error budget that was burned.
    pub(crate) burned: Option<f64>,
}

/// A condition that was not met.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Failure {
    pub(crate) phase: String,
    pub(crate) condition: String,
    pub(crate) query: String,
    pub(crate) expected: String,
    pub(crate) seen: String,
}

/// What a run was worth.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Score {
    /// 0 to 100.
    pub(crate) total: f64,
    pub(crate) lines: Vec<Line>,
    pub(crate) deductions: Vec<Deduction>,
}

/// One criterion.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub(crate) criterion: String,
    pub(crate) weight: u32,
    /// 0 to 1; absent if the drill cannot measure it.
    pub(crate) share: Option<f64>,
    pub(crate) value: String,
}

/// Points that were taken away.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Deduction {
    pub(crate) points: u32,
    pub(crate) why: String,
}

/// A run: what was answered, for scripts, and what is printed of it.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) raw: Value,
    view: View,
}

impl Deref for Run {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl Run {
    /// From an answer.
    ///
    /// # Errors
    /// When it is not a run.
    pub(crate) fn of(raw: Value) -> Result<Self> {
        let view = View::deserialize(&raw).context("the control room did not answer with a run")?;
        Ok(Self { raw, view })
    }
}

impl View {
    /// Whether the system is clean again.
    pub(crate) fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Its drill, or what stands for it.
    pub(crate) fn name(&self) -> &str {
        self.drill.as_deref().unwrap_or("mystery")
    }

    /// Its verdict so far.
    pub(crate) fn verdict(&self) -> &str {
        self.verdict.as_deref().unwrap_or("-")
    }

    /// What is known of it, for whom it is not sealed; `null` otherwise.
    pub(crate) fn truth(&self) -> &Value {
        self.truth.as_ref().unwrap_or(&Value::Null)
    }

    /// Whether it is a proof that came out well.
    pub(crate) fn passed(&self) -> bool {
        self.verdict.as_deref() == Some("passed")
    }

    /// Seconds that it has taken, or took.
    pub(crate) fn seconds(&self) -> f64 {
        (self.ended_at.unwrap_or_else(Utc::now) - self.started_at).as_seconds_f64().max(0.0)
    }
}

/// The entries of an answer that is a list, or an object with a list of this name.
pub(crate) fn entries(answer: &Value, name: &str) -> Vec<Value> {
    let list = if answer.is_array() { answer } else { &answer[name] };
    list.as_array().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_may_leave_out_what_is_sealed_or_not_known_yet() {
        let run = Run::of(json!({
            "id": 4, "drill": null, "brief": null, "responder": "ada", "phase": "observe",
            "started_at": "2026-11-21T10:00:00Z", "time_box_ends": null, "truth": null, "score": null,
            "a_later_field": 1,
        }))
        .unwrap();
        assert_eq!((run.id, run.name(), run.verdict()), (4, "mystery", "-"));
        assert!(!run.is_over() && !run.passed());
        assert!(Run::of(json!(["not", "a", "run"])).is_err());
    }

    #[test]
    fn a_list_is_found_bare_or_by_its_name() {
        assert_eq!(entries(&json!([1]), "runs"), [json!(1)]);
        assert_eq!(entries(&json!({ "runs": [1] }), "runs"), [json!(1)]);
        assert!(entries(&json!({ "drills": [1] }), "runs").is_empty());
    }
}
