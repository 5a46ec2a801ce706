//! Incidents that resolve by themselves, when all of their alerts have been clear for long enough.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::sleep,
};

use crate::{
    bus::{Kind, Notice},
    room::Room,
};

/// Longest and shortest time between two looks.
const LONGEST: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_millis(100);

/// Looks whenever an incident may be due, until the end.
pub(super) async fn run(room: Room) {
    let mut news = room.bus.listen();
    loop {
        let next = match room.desk.resolve_due(Utc::now()).await {
            Ok(next) => wait(next, Utc::now()),
            Err(error) => {
                tracing::error!(%error, "incidents that are over cannot be resolved; trying again");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = sleep(next) => {}
            () = changed(&mut news) => {}
        }
        // A storm of alerts is one look, and not thousands. What nobody takes would stay in memory.
        sleep(SHORTEST).await;
        news = news.resubscribe();
    }
}

fn wait(next: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    next.map_or(LONGEST, |next| (next - now).to_std().unwrap_or_default().clamp(SHORTEST, LONGEST))
}

/// Ends when something has happened to an incident.
async fn changed(news: &mut Receiver<std::sync::Arc<Notice>>) {
    loop {
        match news.recv().await {
            Ok(notice) if notice.kind != Kind::Incident => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            // Nobody tells anything any more: only the time is left.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn the_next_look_is_when_an_incident_is_due() {
        let now = Utc::now();
        assert_eq!(wait(None, now), LONGEST);
        assert_eq!(wait(Some(now + TimeDelta::seconds(5)), now), Duration::from_secs(5));
        assert_eq!(wait(Some(now - TimeDelta::seconds(5)), now), SHORTEST);
    }
}
