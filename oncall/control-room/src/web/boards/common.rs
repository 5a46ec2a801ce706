//! What all pages of dashboards share, and all of Explore: the stores that are asked, each with connections and turns of its
//! own, and the answers of a moment ago.

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

/// Queries to one store at the same time: more would only wait for each other there.
const AT_ONCE: usize = 6;
/// How long an answer is remembered: a chart is drawn right after its page.
const FRESH: Duration = Duration::from_millis(1500);
/// Answers that are remembered.
const REMEMBERED: usize = 300;

type Remembered = HashMap<String, (Instant, Arc<Vec<Series>>)>;

/// What pages share: the stores, and the answers of a moment ago. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Common(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    answers: Mutex<Remembered>,
    peers: OnceLock<Arc<Peers>>,
}

/// A store that pages ask. It keeps its connections; one that is slow takes no turn from another.
#[derive(Debug)]
pub(super) struct Store {
    /// As a sentence begins.
    pub(super) name: &'static str,
    pub(super) peer: Peer,
    turns: Semaphore,
}

impl Store {
    /// The store at a URL.
    pub(super) fn at(name: &'static str, url: &str) -> Self {
        Self { name, peer: Peer::at(url), turns: Semaphore::new(AT_ONCE) }
    }

    /// Waits for a turn, which lasts until it is dropped.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Closed never.
        self.turns.acquire().await.ok()
    }
}

/// Who is asked.
#[derive(Debug)]
pub(super) struct Peers {
    pub(super) prometheus: Store,
    pub(super) jaeger: Store,
    pub(super) loki: Option<Store>,
}

impl Peers {
    fn of(room: &Room) -> Self {
        let sources = &room.config.sources;
        Self {
            prometheus: Store::at("Prometheus", sources.prometheus_url.as_str()),
            jaeger: Store::at("The trace store", sources.traces_url.as_str()),
            loki: sources.loki_url.as_ref().map(|url| Store::at("Loki", url.as_str())),
        }
    }
}

impl Default for Common {
    fn default() -> Self {
        Self(Arc::new(Inner { answers: Mutex::default(), peers: OnceLock::new() }))
    }
}

impl Common {
    /// Who is asked.
    pub(super) fn peers(&self, room: &Room) -> Arc<Peers> {
        Arc::clone(self.0.peers.get_or_init(|| Arc::new(Peers::of(room))))
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
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_whose_turns_are_taken_takes_none_from_another() {
        let (slow, other) =
            (Store::at("Loki", "http://127.0.0.1:1"), Store::at("Prometheus", "http://127.0.0.1:1"));
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(slow.turn().await);
        }
        assert!(timeout(FRESH, slow.turn()).await.is_err(), "six at a time");
        assert!(timeout(FRESH, other.turn()).await.is_ok());
        taken.pop();
        assert!(timeout(FRESH, slow.turn()).await.is_ok(), "the turn of a query that is over");
    }

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
