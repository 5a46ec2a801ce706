//! The first look at an incident, at everything at once: what a person would otherwise ask one by one at 3 am. It only
//! reads, it is bounded, and it ends within five seconds; what did not answer by then is said to be silent.

mod evidence;
mod metrics;
mod others;
mod scope;

use std::time::Duration;

use chrono::Utc;
use futures::future::{BoxFuture, FutureExt as _, join_all};
use incident::{EntryKind, Evidence, Id, Source, What};
use tokio::time::timeout;

use self::scope::Scope;
use crate::{error::Result, eyes::links, room::Room};

/// Longest time for everything; writing it down takes the rest of the five seconds.
const LIMIT: Duration = Duration::from_millis(4500);
/// Longest line in the war room; the timeline has all of it.
const LINE: usize = 400;

/// What one look found, in a sentence, and how that is known.
#[derive(Debug, Clone, Default, PartialEq)]
struct Found {
    text: String,
    evidence: Vec<Evidence>,
}

/// A look: what it is about, and its result to come.
type Look<'r> = (&'static str, BoxFuture<'r, Result<Found>>);

/// Looks at the affected services and their neighbours, and notes what is found in the timeline and the war room. Returns
/// the number of findings.
///
/// # Errors
/// When there is no such incident, or the entries cannot be written.
pub async fn diagnose(room: &Room, id: Id) -> Result<usize> {
    let incident = room.desk.get(id).await?;
    let scope = Scope::of(room, &incident);
    let looks: [Look<'_>; 7] = [
        ("readiness", others::readiness(room, &scope).boxed()),
        ("changes", others::changes(room, &scope).boxed()),
        ("failing routes", metrics::failing_routes(room, &scope).boxed()),
        ("error budgets", metrics::burn(room, &scope).boxed()),
        ("saturation", metrics::saturation(room, &scope).boxed()),
        ("traces", others::slowest_traces(room, &scope).boxed()),
        ("error lines", others::error_lines(room, &scope).boxed()),
    ];
    let found = join_all(looks.into_iter().map(bounded)).await;
    let now = Utc::now();
    let entry = |found: &Found| What::Noted {
        kind: EntryKind::Diagnosis,
        happened_at: now,
        text: found.text.clone(),
        evidence: found.evidence.clone(),
        sealed: false,
    };
    let mut entries: Vec<What> = found.iter().map(entry).collect();
    let count = entries.len();
    entries.extend(others::earlier(room, &scope, &incident));
    room.desk.act_all(id, Source::ControlRoom, entries).await?;
    let line = |found: &Found| format!("• {}", found.text.chars().take(LINE).collect::<String>());
    let lines: Vec<String> = found.iter().map(line).collect();
    let url = links::incident(&room.config.base(), id);
    let text = format!("First look at {id}:\n{}\nEvidence: {url}", lines.join("\n"));
    if let Err(error) = room.notify.say(room, id, Source::ControlRoom.name(), &text).await {
        tracing::warn!(%error, incident = %id, "the war room was not told of the first look");
    }
    Ok(count)
}

async fn bounded((what, look): Look<'_>) -> Found {
    let text = match timeout(LIMIT, look).await {
        Ok(Ok(found)) => return found,
        Ok(Err(error)) => format!("{what}: not known, because {error}"),
        Err(_) => format!("{what}: no answer within {} s", LIMIT.as_secs_f64()),
    };
    Found { text, evidence: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[tokio::test(start_paused = true)]
    async fn a_look_that_fails_or_hangs_says_so() {
        let failed: Look<'_> =
            ("traces", async { Err::<Found, _>(Error::Elsewhere("nobody listens".to_owned())) }.boxed());
        assert_eq!(bounded(failed).await.text, "traces: not known, because nobody listens");
        let hangs: Look<'_> = ("traces", std::future::pending::<Result<Found>>().boxed());
        assert_eq!(bounded(hangs).await.text, "traces: no answer within 4.5 s");
    }
}
