//! What other systems send: alerts, chat messages, changes. Lenient about what they leave out or add. An answer of 4xx says
//! that the message can never be taken; 5xx, that sending it again helps.

pub(crate) mod alertmanager;
pub(crate) mod pagerduty;
pub(crate) mod slack;

use axum::body::Body;
use chassis_http::{Problem, problems::UNAUTHORIZED};
use http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::{metrics::RoomMetrics, room::Room};

/// Who sent it, in metrics and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
enum Sender {
    Alertmanager,
    Slack,
    Pagerduty,
    Change,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
enum Outcome {
    /// It was taken.
    Taken,
    /// It can never be taken, or its sender may not send.
    Refused,
    /// The store failed: it should come again.
    Failed,
}

fn count(metrics: &RoomMetrics, sender: Sender, outcome: Outcome) {
    metrics.webhook(sender.into(), outcome.into());
}

/// Reads a body, unless its sender may not send.
async fn receive(
    room: &Room,
    sender: Sender,
    headers: &HeaderMap,
    body: Body,
) -> Result<bytes::Bytes, Problem> {
    let refuse = |problem: Problem| {
        count(&room.metrics, sender, Outcome::Refused);
        problem
    };
    if !room.access.hook(headers, None) {
        let detail =
            "This hook needs a token: send `Authorization: Bearer …` with HOOK_TOKEN of the control room.";
        return Err(refuse(Problem::new(&UNAUTHORIZED, detail)));
    }
    chassis_serve::body::collect(body).await.map_err(|error| refuse(error.into()))
}

/// Counts a message that was read, and what became of it.
fn counted<T>(room: &Room, sender: Sender, taken: crate::error::Result<T>) -> Result<T, Problem> {
    let taken = taken.map_err(Problem::from);
    let outcome = match &taken {
        Ok(_) => Outcome::Taken,
        Err(problem) if problem.status.is_server_error() => Outcome::Failed,
        Err(_) => Outcome::Refused,
    };
    count(&room.metrics, sender, outcome);
    taken
}

/// Refuses a message that can never be taken.
fn unreadable(room: &Room, sender: Sender, field: &str, right: &str) -> Problem {
    count(&room.metrics, sender, Outcome::Refused);
    let from: &'static str = sender.into();
    tracing::warn!(from, field, right, "a message was refused");
    Problem::invalid(field, right)
}

/// Parses JSON; an error has the path of the field and what is wrong there.
fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, (String, String)> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "body".to_owned() } else { path };
        (field, error.into_inner().to_string())
    })
}
