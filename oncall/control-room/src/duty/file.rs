//! `oncall.yaml`: read at the start, where it must be right, and again whenever it changes.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use chrono::Utc;
use rota::{Extra, Problem, Problems, Rota};
use tokio::time::{MissedTickBehavior, interval};

use super::declared::Declared;
use crate::Room;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Who changed it, in the journal.
const BY: &str = "file";

/// Nobody is on call.
pub(super) const fn nobody() -> Rota {
    Rota { people: BTreeMap::new(), schedules: Vec::new(), policies: Vec::new(), webhooks: BTreeMap::new() }
}

/// The text of the file, or why there is none.
pub(super) fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}

/// What it says together with what the API declared, or all that is wrong, each with its place. The file has to be right
/// alone, too: other programs read it, and a start has to.
pub(super) fn parse(path: &Path, text: &str, declared: &[Declared]) -> Result<Rota, Problems> {
    let file = path.display().to_string();
    let alone = rota::read(&file, text)?;
    if declared.is_empty() {
        return Ok(alone);
    }
    let extras: Vec<Extra> = declared.iter().map(Declared::extra).collect();
    rota::read_with(&file, text, &extras)
}

/// What it says together with as much of what the API declared as fits with it; nothing if the file alone is wrong.
pub(super) fn fitting(path: &Path, text: &str, declared: &[Declared]) -> Option<Rota> {
    if let Ok(all) = parse(path, text, declared) {
        return Some(all);
    }
    let mut found = parse(path, text, &[]).ok()?;
    let mut kept = Vec::new();
    for one in declared {
        kept.push(one.clone());
        match parse(path, text, &kept) {
            Ok(more) => found = more,
            Err(_) => drop(kept.pop()),
        }
    }
    Some(found)
}

/// Each problem as a sentence with its place. What the API declared has no lines.
pub(super) fn sentences(path: &Path, problems: &Problems) -> Vec<String> {
    let file = path.display().to_string();
    let sentence = |problem: &Problem| {
        if problem.file == file {
            problem.to_string()
        } else {
            let field = problem.field.split_once("].").map_or(problem.field.as_str(), |(_, inside)| inside);
            format!("{}: {field}: {}", problem.file, problem.message)
        }
    };
    problems.0.iter().map(sentence).collect()
}

/// The file at the start.
pub(super) fn first(path: &Path) -> anyhow::Result<(String, Rota)> {
    let text = text(path).map_err(anyhow::Error::msg)?;
    let rota = parse(path, &text, &[])
        .map_err(|problems| anyhow::Error::msg(sentences(path, &problems).join("\n")))?;
    Ok((text, rota))
}

/// Reads it again when it has changed, until the shutdown. It is a few kilobytes, so no thread is needed for it.
pub(super) async fn watch(room: Room) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while room.chassis.shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(text) = room.duty.reread(Utc::now())
            && let Err(error) = room.duty.tell(BY, &text).await
        {
            tracing::warn!(%error, text, "a change of the schedules is in force and not in the journal");
        }
    }
}
