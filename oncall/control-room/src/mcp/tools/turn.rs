//! A responder's turn in a drill and in its incident: take it, tell others, say what the cause is, say that
//! it is over.

use ::drill::{What as Told, engine::Answers};
use chrono::{DateTime, Utc};
use incident::{Id, What};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Answer, asked::logged, bounds::text, incidents};
use crate::{
    error::{Error, Result},
    mcp::caller::Caller,
    room::Room,
};

/// Longest update in characters.
const UPDATE: usize = 4000;
/// Longest word of an answer, and most words of one list.
const WORDS: (usize, usize) = (2000, 20);

/// An empty object.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Which incident to take.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acknowledge {
    /// Such as INC-7; absent: the worst open one. Without any, you say that you noticed something before a
    /// page.
    #[serde(default)]
    incident: Option<String>,
}

/// What others should know.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    /// What users notice, what is known, what you do next; at most 4,000 characters.
    text: String,
    /// Such as INC-7; absent: the worst open one.
    #[serde(default)]
    incident: Option<String>,
}

/// What you think is the cause. A later diagnosis replaces an earlier one.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Diagnosis {
    /// The services or stores that are the cause; an empty list: nothing is wrong. Naming too much costs
    /// points.
    components: Vec<String>,
    /// What fails: one of `mechanisms` of the drill's brief, if it has any.
    #[serde(default)]
    mechanism: Option<String>,
    /// The name of the change that caused it, or `none`; if the brief asks for it.
    #[serde(default)]
    change: Option<String>,
    /// Since when (RFC 3339); if the brief asks for it.
    #[serde(default)]
    onset: Option<DateTime<Utc>>,
    /// Queries in PromQL that show it, as many as the brief asks for.
    #[serde(default)]
    evidence: Vec<String>,
}

/// The drill that is running, as its responder may see it; `null`, if there is none.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn current_drill(room: &Room, caller: &Caller) -> Result<Answer> {
    logged(room, caller, "current_drill", json!({}), current(room, caller)).await
}

async fn current(room: &Room, caller: &Caller) -> Result<Answer> {
    let run = room.drills.current(&caller.visitor).await?;
    Ok(Answer::new(json!({ "run": run })))
}

/// Takes an incident; without one, says that something was noticed.
///
/// # Errors
/// When the incident cannot be taken, or there is neither an incident nor a drill.
pub(crate) async fn acknowledge(room: &Room, caller: &Caller, asked: Acknowledge) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    let work = async {
        match which(room, asked.incident.as_deref())? {
            Some(id) => event(room, caller, id, What::Acknowledged).await,
            None => tell(room, caller, Told::Noticed).await,
        }
    };
    logged(room, caller, "acknowledge", arguments, work).await
}

/// Tells others what is known.
///
/// # Errors
/// When the text is too long, or there is neither an incident nor a drill.
pub(crate) async fn post_update(room: &Room, caller: &Caller, asked: Update) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    let work = async {
        text("text", &asked.text, UPDATE)?;
        match which(room, asked.incident.as_deref())? {
            Some(id) => event(room, caller, id, What::Updated { text: asked.text }).await,
            None => tell(room, caller, Told::Updated { text: asked.text }).await,
        }
    };
    logged(room, caller, "post_update", arguments, work).await
}

/// Takes the next hint, which costs points.
///
/// # Errors
/// When no drill is running.
pub(crate) async fn take_hint(room: &Room, caller: &Caller) -> Result<Answer> {
    logged(room, caller, "take_hint", json!({}), tell(room, caller, Told::Hint)).await
}

/// Says what the cause is.
///
/// # Errors
/// When a list is too long, or no drill is running.
pub(crate) async fn submit_diagnosis(room: &Room, caller: &Caller, asked: Diagnosis) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    let work = async { tell(room, caller, Told::Answered { answers: answers(asked)? }).await };
    logged(room, caller, "submit_diagnosis", arguments, work).await
}

/// Says that it is over. The drill then judges; what is submitted is final.
///
/// # Errors
/// When no drill is running.
pub(crate) async fn submit_done(room: &Room, caller: &Caller) -> Result<Answer> {
    logged(room, caller, "submit_done", json!({}), tell(room, caller, Told::Submitted)).await
}

/// The incident of a text; else the worst that is open, if there is one.
fn which(room: &Room, named: Option<&str>) -> Result<Option<Id>> {
    match named {
        Some(text) => incidents::read(text).map(Some),
        None => Ok(room.desk.open_ones().first().map(|incident| incident.id)),
    }
}

async fn event(room: &Room, caller: &Caller, id: Id, what: What) -> Result<Answer> {
    let incident = room.desk.act(id, caller.visitor.source(), what).await?;
    Ok(Answer::new(json!({ "incident": incident.id, "state": incident.state })))
}

async fn tell(room: &Room, caller: &Caller, what: Told) -> Result<Answer> {
    let Some(run) = room.drills.current(&caller.visitor).await? else {
        return Err(Error::Conflict("no drill is running; `lab drill start` begins one".to_owned()));
    };
    let run = room.drills.tell(room, &caller.visitor, run.id, what).await?;
    Ok(Answer::new(json!({ "run": run })))
}

fn answers(asked: Diagnosis) -> Result<Answers> {
    let Diagnosis { components, mechanism, change, onset, evidence } = asked;
    for (field, list) in [("components", &components), ("evidence", &evidence)] {
        if list.len() > WORDS.1 {
            return Err(Error::field(field, format!("at most {} entries, found {}", WORDS.1, list.len())));
        }
        list.iter().try_for_each(|word| text(field, word, WORDS.0))?;
    }
    for (field, word) in [("mechanism", &mechanism), ("change", &change)] {
        word.iter().try_for_each(|word| text(field, word, WORDS.0))?;
    }
    Ok(Answers { components, mechanism, change, onset, evidence })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn diagnosis(value: Value) -> Result<Answers> {
        answers(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_diagnosis_is_an_answer_and_may_be_that_nothing_is_wrong() {
        let given = diagnosis(json!({
            "components": ["order-api"], "mechanism": "bad-release", "onset": "2026-11-29T12:00:00Z",
            "evidence": ["up == 0"],
        }));
        let given = given.unwrap();
        assert_eq!((&*given.components[0], given.mechanism.as_deref()), ("order-api", Some("bad-release")));
        assert_eq!((given.change, given.evidence.len()), (None, 1));
        assert_eq!(diagnosis(json!({ "components": [] })).unwrap(), Answers::default());
    }

    #[test]
    fn lists_and_words_have_a_length() {
        for (wrong, field) in [
            (json!({ "components": vec!["a"; 21] }), "components"),
            (json!({ "components": [""] }), "components"),
            (json!({ "components": [], "evidence": ["x".repeat(2001)] }), "evidence"),
            (json!({ "components": [], "mechanism": " " }), "mechanism"),
        ] {
            let refused = diagnosis(wrong).unwrap_err().to_string();
            assert!(refused.starts_with(field), "{refused}");
        }
    }
}
