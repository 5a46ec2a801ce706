//! `oncall.yaml`: read at the start, where it must be right, and again whenever it changes.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use chrono::Utc;
use rota::Rota;
use tokio::time::{MissedTickBehavior, interval};

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

/// What it says, or all that is wrong, each with file, line and field.
pub(super) fn parse(path: &Path, text: &str) -> Result<Rota, Vec<String>> {
    let read = rota::read(&path.display().to_string(), text);
    read.map_err(|problems| problems.0.iter().map(ToString::to_string).collect())
}

/// The file at the start.
pub(super) fn first(path: &Path) -> anyhow::Result<(String, Rota)> {
    let text = text(path).map_err(anyhow::Error::msg)?;
    let rota = parse(path, &text).map_err(|problems| anyhow::Error::msg(problems.join("\n")))?;
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
