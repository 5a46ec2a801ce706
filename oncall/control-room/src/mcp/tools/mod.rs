//! What a responder may ask and do: one function per tool, over a [`Room`](crate::room::Room). The server of
//! the protocol and `/api/v1/observe` call the same ones.
//!
//! Three things hold for all of them: an answer is bounded, and says what is missing and how to ask for it; a
//! call is in the journal with its caller; nothing that is sealed is in an answer.

mod act;
mod alerts;
mod asked;
mod bounds;
mod changes;
mod incidents;
mod logs;
mod map;
mod metrics;
mod prometheus;
mod runbooks;
mod traces;
mod turn;

use serde_json::{Value, json};

pub(crate) use self::{
    act::{ActAsked, act, list_actions},
    alerts::{AlertsAsked, alerts},
    asked::{UsageAsked, usage},
    changes::{ChangesAsked, changes},
    incidents::{IncidentsAsked, incidents},
    logs::{LogsAsked, logs},
    map::{MapAsked, map},
    metrics::{MetricsAsked, metrics},
    runbooks::{RunbooksAsked, runbooks},
    traces::{TracesAsked, traces},
    turn::{
        Acknowledge, Diagnosis, Nothing, Update, acknowledge, current_drill, post_update, submit_diagnosis,
        submit_done, take_hint,
    },
};
pub use asked::Asked;

/// What a tool answers: an object, and sentences about what is not in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    body: Value,
    notes: Vec<String>,
}

impl Answer {
    /// An object.
    pub(crate) const fn new(body: Value) -> Self {
        Self { body, notes: Vec::new() }
    }

    /// With a sentence, if there is one.
    pub(crate) fn noting(mut self, note: Option<String>) -> Self {
        self.notes.extend(note);
        self
    }

    /// Whether something is missing.
    pub(crate) const fn is_cut(&self) -> bool {
        !self.notes.is_empty()
    }

    /// As it is sent.
    pub(crate) fn into_value(mut self) -> Value {
        if self.is_cut() {
            self.body["notes"] = json!(self.notes);
        }
        self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_is_missing_and_nothing_otherwise() {
        let whole = Answer::new(json!({ "alerts": [] })).noting(None);
        assert_eq!(whole.into_value(), json!({ "alerts": [] }));
        let cut = Answer::new(json!({ "alerts": [] })).noting(Some("1 of 9 are here".to_owned()));
        assert!(cut.is_cut());
        assert_eq!(cut.into_value(), json!({ "alerts": [], "notes": ["1 of 9 are here"] }));
    }
}
