//! What all pages of dashboards share, and all of Explore: clients that keep their connections, turns, and the answers of a
//! moment ago.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use boards::data::Series;
use observe::Peer;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep},
};

use crate::room::Room;

/// Queries at the same time: more would only wait for each other in Prometheus.
const AT_ONCE: usize = 6;
/// How long an answer is remembered: a chart is drawn right after its page.
const FRESH: Duration = Duration::from_millis(1500);
/// Answers that are remembered.
const REMEMBERED: usize = 300;

type Remembered = HashMap<String, (Instant, Arc<Vec<Series>>)>;

/// What pages share: clients, whose turn it is, and the answers of a moment ago. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Common(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    answers: Mutex<Remembered>,
    turns: Semaphore,
    peers: OnceLock<Arc<Peers>>,
}

/// Who is asked. They keep their connections.
#[derive(Debug)]
pub(super) struct Peers {
    pub(super) prometheus: Peer,
    pub(super) jaeger: Peer,
    pub(super) loki: Option<Peer>,
}

impl Peers {
    fn of(room: &Room) -> Self {
        let sources = &room.config.sources;
        Self {
            prometheus: Peer::at(sources.prometheus_url.as_str()),
            jaeger: Peer::at(sources.traces_url.as_str()),
            loki: sources.loki_url.as_ref().map(|url| Peer::at(url.as_str())),
        }
    }
}

impl Default for Common {
    fn default() -> Self {
        let turns = Semaphore::new(AT_ONCE);
        Self(Arc::new(Inner { answers: Mutex::default(), turns, peers: OnceLock::new() }))
    }
}

impl Common {
    /// Who is asked.
    pub(super) fn peers(&self, room: &Room) -> Arc<Peers> {
        Arc::clone(self.0.peers.get_or_init(|| Arc::new(Peers::of(room))))
    }

    /// Waits for a turn, which lasts until it is dropped.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Closed never.
        self.0.turns.acquire().await.ok()
    }

    /// An answer of a moment ago.
    pub(super) fn get(&self, key: &str) -> Option<Arc<Vec<Series>>> {
        let known = self.0.answers.lock();
        known.get(key).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, found)| Arc::clone(found))
    }

    /// Remembers an answer.
    pub(super) fn put(&self, key: String, found: &Arc<Vec<Series>>) {
        let mut known = self.0.answers.lock();
        forget(&mut known);
        if known.len() >= REMEMBERED {
            return;
        }
        if known.is_empty() {
            self.forget_soon();
        }
        known.insert(key, (Instant::now(), Arc::clone(found)));
    }

    /// Gives the memory of the answers back, even if nobody asks again.
    fn forget_soon(&self) {
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                sleep(FRESH).await;
                if inner.upgrade().is_none_or(|inner| forget(&mut inner.answers.lock())) {
                    return;
                }
            }
        });
    }
}

/// Forgets what is old; returns whether nothing is left.
fn forget(known: &mut Remembered) -> bool {
    known.retain(|_, (at, _)| at.elapsed() < FRESH);
    if known.is_empty() {
        known.shrink_to_fit();
    }
    known.is_empty()
}

#[cfg(test)]
mod tests {
    use boards::data::Labels;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_remembered_for_a_moment_only() {
        let common = Common::default();
        let found = Arc::new(vec![Series {
            name: "a".to_owned(),
            query: 0,
            labels: Labels::new(),
            points: Vec::new(),
        }]);
        common.put("x".to_owned(), &found);
        assert_eq!(common.get("x").as_deref(), Some(&*found));
        assert_eq!(common.get("y"), None);
        tokio::time::advance(FRESH).await;
        assert_eq!(common.get("x"), None);
        common.put("y".to_owned(), &found);
        assert_eq!(common.0.answers.lock().len(), 1, "what is old is forgotten");
        sleep(FRESH * 2).await;
        assert!(common.0.answers.lock().is_empty(), "even if nobody asks again");
    }
}
