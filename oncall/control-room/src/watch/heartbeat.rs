//! The dead man's switch: Alertmanager repeats the alert `Watchdog` as long as monitoring works. When it falls silent,
//! nobody would be paged for anything, so that is an incident of its own, and it pages.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use incident::{
    EntryKind, Id, Severity, Source, State, What,
    watchdog::{Watchdog, Word},
};
use tokio::{sync::broadcast::error::RecvError, time::sleep};

use super::publish;
use crate::{
    bus::{Kind, Notice},
    desk::New,
    error::Result,
    room::Room,
};

/// Title of the incident.
const TITLE: &str = "Monitoring is silent";
/// How long silence is accepted on the production clock, and at least on any clock: three heartbeats.
const PATIENCE: TimeDelta = TimeDelta::minutes(3);
const LEAST: TimeDelta = TimeDelta::seconds(30);
/// Between two attempts to write down what must not be lost.
const AGAIN: Duration = Duration::from_secs(1);

/// Three heartbeats of real time.
fn patience(speed: u32) -> TimeDelta {
    (PATIENCE / i32::try_from(speed.max(1)).unwrap_or(i32::MAX)).max(LEAST)
}

/// Listens for the heartbeat until the end.
pub(super) async fn run(room: Room) {
    let patience = patience(room.config.speed());
    let mut news = room.bus.listen();
    let grace = TimeDelta::from_std(room.config.sources.heartbeat_grace).unwrap_or(patience);
    let mut watchdog = Watchdog::new(Utc::now(), patience).starting(grace);
    loop {
        let word = tokio::select! {
            notice = news.recv() => match notice {
                Ok(notice) if is_beat(&notice) => {
                    let word = watchdog.beat(notice.at);
                    // After a restart of this program, an incident about an earlier silence may be open.
                    word.or_else(|| open(&room).map(|_| Word::Back { after: TimeDelta::zero() }))
                }
                Err(RecvError::Closed) => return,
                _ => None,
            },
            () = alarm(&watchdog) => watchdog.look(Utc::now()),
        };
        let Some(word) = word else { continue };
        publish(&room, |seen| seen.watchdog_silent = watchdog.is_silent());
        while let Err(error) = act(&room, word, patience).await {
            tracing::error!(%error, "the dead man's switch cannot be written down; trying again");
            sleep(AGAIN).await;
        }
    }
}

fn is_beat(notice: &Notice) -> bool {
    notice.kind == Kind::Watch && notice.data["watchdog"] == true
}

/// Ends when the silence has lasted for too long; never while that is known.
async fn alarm(watchdog: &Watchdog) {
    if watchdog.is_silent() {
        std::future::pending::<()>().await;
    }
    sleep((watchdog.alarm_at() - Utc::now()).to_std().unwrap_or_default()).await;
}

/// The open incident about silence.
fn open(room: &Room) -> Option<Id> {
    room.desk.open_ones().iter().find(|incident| incident.title == TITLE).map(|incident| incident.id)
}

async fn act(room: &Room, word: Word, patience: TimeDelta) -> Result<()> {
    match (word, open(room)) {
        (Word::Silent { since }, None) => {
            let new = New {
                title: TITLE.to_owned(),
                description: String::new(),
                severity: Severity::Sev1,
                services: Vec::new(),
            };
            // At once: an incident that is known to be open is not opened again, and would never say since when.
            let (writing, what) = (room.store.begin().await?, vec![silent(since, patience)]);
            room.desk.create_with(writing, Source::ControlRoom, new, what).await?;
        }
        (Word::Back { .. }, Some(id)) => {
            let why = "the heartbeat of monitoring arrives again".to_owned();
            room.desk.act(id, Source::ControlRoom, What::Moved { to: State::Resolved, why }).await?;
        }
        _ => {}
    }
    Ok(())
}

fn silent(since: DateTime<Utc>, patience: TimeDelta) -> What {
    let text = format!(
        "No heartbeat since {}, and more than {} s are too long. Until it is back, no alert may reach anybody: look at \
         Prometheus, Alertmanager, and the way from there to here.",
        since.format("%H:%M:%S UTC"),
        patience.num_seconds()
    );
    What::Noted { kind: EntryKind::Symptom, happened_at: since, text, evidence: Vec::new(), sealed: false }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn silence_is_accepted_for_three_minutes_and_half_a_minute_on_the_labs_clock() {
        assert_eq!(patience(1), TimeDelta::minutes(3));
        assert_eq!(patience(60), TimeDelta::seconds(30));
    }

    #[test]
    fn only_the_heartbeat_is_one() {
        let notice =
            |kind, data| Notice { seq: 0, at: Utc::now(), kind, incident: None, sealed: false, data };
        assert!(is_beat(&notice(Kind::Watch, json!({ "watchdog": true }))));
        assert!(!is_beat(&notice(Kind::Watch, json!({ "alerts": [] }))));
        assert!(!is_beat(&notice(Kind::Change, json!({ "watchdog": true }))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silence_that_is_known_does_not_alarm_again() {
        let now = Utc::now();
        let mut watchdog = Watchdog::new(now - TimeDelta::minutes(1), LEAST);
        alarm(&watchdog).await;
        assert!(watchdog.look(now).is_some());
        let again = tokio::time::timeout(Duration::from_secs(3600), alarm(&watchdog)).await;
        assert!(again.is_err());
    }
}
