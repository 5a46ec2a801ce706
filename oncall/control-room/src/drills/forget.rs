//! Prometheus forgets the outage of the drill before, so that it does not page in this one. That restarts Prometheus.

use std::time::Duration;

use super::live::Live;
use crate::{eyes::within, room::Room};

/// How often to try to forget, and how long to wait before another try: what burned a moment ago may burn
/// still.
const FORGETS: u32 = 3;
const AGAIN: Duration = Duration::from_secs(5);
/// What is left of the budget that has suffered most since Prometheus has forgotten, 0 to 1.
const WORST: &str = "min(slo:error_budget_remaining:ratio)";
/// Above this, there is nothing to forget. The rest is a twentieth of what pages by itself: 2 % of a budget within the
/// longer window of the first page.
const UNSPENT: f64 = 0.999;

/// Forgets. Where nothing can be forgotten, a page may come early, and is judged all the same.
///
/// # Errors
/// When it is not possible, with the reason.
pub(super) async fn forget(room: &Room, live: &Live) -> Result<(), String> {
    if is_nothing_to_do(room, live).await {
        return Ok(());
    }
    let mut tries = 0;
    loop {
        tries += 1;
        match room.eyes.tools.forget_history().await {
            Ok(_) => return Ok(()),
            Err(error @ switchboard::Error::NotHere { .. }) => {
                tracing::info!(%error, "the history of the objectives stays: a page may come early");
                return Ok(());
            }
            Err(error) if tries == FORGETS => return Err(error.to_string()),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Whether there was no outage since Prometheus has forgotten for the last time, and no page is timed: the windows of one
/// are as long as the run expects only if they have just been emptied.
async fn is_nothing_to_do(room: &Room, live: &Live) -> bool {
    if live.run.start().follows.is_none() || !live.drill.pages.expected.is_empty() {
        return false;
    }
    let left = within("Prometheus", room.eyes.prometheus.value(WORST)).await.ok().flatten();
    left.is_some_and(|left| left >= UNSPENT)
}
