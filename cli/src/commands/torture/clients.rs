//! Well-behaved callers: each order has an idempotency key and is sent again, with the same key and body, until it is
//! answered. The databases must then agree with the answers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use contracts::{
    orders::{Accepted, Item, PlaceOrder},
    users::{SEEDED_USERS, seeded_user_id},
};
use parking_lot::{Mutex, MutexGuard};
use reqwest::{Client, StatusCode};
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Longest wait for one response.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause before the same request is sent again: doubles from the first value to the second, half of it random.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3)];
/// Requests in flight at once. Callers who wait through an outage must not all come back together: this command tests
/// kills, not stampedes.
const MOST_UNDER_WAY: usize = 64;
/// Orders that may wait for their answers at once; beyond that no new one is placed, or an outage would pile up
/// without bound.
const MOST_WAITING: usize = 2_000;
/// One order in this many is sent again after its answer: it must get the same answer.
const REPEAT_EVERY: u64 = 10;

/// The callers' records.
#[derive(Debug, Clone, Default)]
pub(in crate::commands) struct Notes {
    /// Keys used so far.
    pub(in crate::commands) placed: u64,
    /// The order id that each key was answered with.
    pub(in crate::commands) answered: BTreeMap<String, String>,
    /// When each key was first answered.
    pub(in crate::commands) accepted: BTreeMap<String, DateTime<Utc>>,
    /// Requests sent, including repeats.
    pub(in crate::commands) requests: u64,
    /// Requests sent again after they had been answered.
    pub(in crate::commands) repeats: u64,
    /// How often no order was placed, because too many were waiting.
    pub(in crate::commands) held_back: u64,
    /// Wrong responses, one sentence each.
    pub(in crate::commands) refused: Vec<String>,
    /// Keys that were answered with two different orders, one sentence each.
    pub(in crate::commands) contradicted: Vec<String>,
}

impl Notes {
    /// Keys that have no answer yet.
    pub(in crate::commands) fn waiting(&self) -> u64 {
        self.placed
            - u64::try_from(self.answered.len() + self.refused.len()).unwrap_or(u64::MAX).min(self.placed)
    }
}

/// All callers. Cheap to clone.
#[derive(Clone)]
pub(in crate::commands) struct Clients {
    notes: Arc<Mutex<Notes>>,
    http: Client,
    slots: Arc<Semaphore>,
    url: Arc<str>,
    prefix: Arc<str>,
}

impl Clients {
    /// Callers of the order-api at `url`; their keys begin with `prefix`.
    pub(in crate::commands) fn new(url: &str, prefix: &str) -> Self {
        let http = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap_or_default();
        let slots = Arc::new(Semaphore::new(MOST_UNDER_WAY));
        Self {
            notes: Arc::default(),
            http,
            slots,
            url: format!("{url}/orders").into(),
            prefix: prefix.into(),
        }
    }

    /// A copy of the records.
    pub(in crate::commands) fn notes(&self) -> Notes {
        self.lock().clone()
    }

    /// Accepted orders and orders without an answer.
    pub(in crate::commands) fn counts(&self) -> (usize, u64) {
        let notes = self.lock();
        (notes.answered.len(), notes.waiting())
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock()
    }

    /// Places orders at this rate until `stop`; returns when each has its answer, or at `give_up`.
    pub(in crate::commands) async fn run(
        self,
        rps: f64,
        stop: CancellationToken,
        give_up: CancellationToken,
    ) {
        let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / rps));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut calls = JoinSet::new();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            while calls.try_join_next().is_some() {}
            if calls.len() >= MOST_WAITING {
                self.lock().held_back += 1;
                continue;
            }
            let number = {
                let mut notes = self.lock();
                notes.placed += 1;
                notes.placed
            };
            calls.spawn(give_up.clone().run_until_cancelled_owned(self.clone().place(number)));
        }
        while calls.join_next().await.is_some() {}
    }

    /// Places these orders once more, with the same keys and contents, as if they had never been answered; returns when each
    /// is answered, or at `give_up`. For orders that a restore took back.
    pub(in crate::commands) async fn place_again(&self, keys: &[String], give_up: &CancellationToken) {
        let mut calls = JoinSet::new();
        for key in keys {
            let Some(number) = key.strip_prefix(&*self.prefix).and_then(|number| number.parse().ok()) else {
                continue;
            };
            {
                let mut notes = self.lock();
                notes.answered.remove(key);
                notes.accepted.remove(key);
            }
            calls.spawn(give_up.clone().run_until_cancelled_owned(self.clone().place(number)));
        }
        while calls.join_next().await.is_some() {}
    }

    /// Sends one order until it is answered.
    async fn place(self, number: u64) {
        let (key, order) = (format!("{}{number}", self.prefix), order(number));
        let mut pause = PAUSES[0];
        let mut again = number.is_multiple_of(REPEAT_EVERY);
        loop {
            match self.ask(&key, &order).await {
                Some(Ok(id)) => {
                    self.note(&key, id);
                    if !std::mem::take(&mut again) {
                        return;
                    }
                    self.lock().repeats += 1;
                }
                Some(Err(refusal)) => {
                    self.lock().refused.push(format!("{key} was answered with {refusal}"));
                    return;
                }
                None => {
                    tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
                    pause = (pause * 2).min(PAUSES[1]);
                }
            }
        }
    }

    fn note(&self, key: &str, id: String) {
        let mut notes = self.lock();
        match notes.answered.get(key) {
            Some(first) if *first != id => {
                let sentence = format!("{key} was answered with {first} and with {id}");
                notes.contradicted.push(sentence);
            }
            Some(_) => {}
            None => {
                notes.answered.insert(key.to_owned(), id);
                notes.accepted.insert(key.to_owned(), Utc::now());
            }
        }
    }

    /// Sends one request. Returns the order's id, a refusal, or `None` if the outcome is unknown.
    async fn ask(&self, key: &str, order: &PlaceOrder) -> Option<Result<String, String>> {
        // Fails only if the semaphore is closed, which never happens.
        let _slot = self.slots.acquire().await.ok()?;
        self.lock().requests += 1;
        let request = self.http.post(&*self.url).header("idempotency-key", key).json(order);
        let answer = request.send().await.ok()?;
        let status = answer.status();
        match status {
            StatusCode::ACCEPTED => Some(Ok(answer.json::<Accepted>().await.ok()?.id.to_string())),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => None,
            _ if status.is_server_error() => None,
            _ => Some(Err(format!("{status}: {}", answer.text().await.unwrap_or_default().trim()))),
        }
    }
}

/// The order that belongs to a key; always the same.
fn order(number: u64) -> PlaceOrder {
    let user = u32::try_from(number % u64::from(SEEDED_USERS)).unwrap_or(0);
    let quantity = 1 + u32::try_from(number % 5).unwrap_or(0);
    let items = vec![Item { sku: "TORTURE-1".to_owned(), quantity, unit_price_cents: 199 }];
    PlaceOrder { user_id: seeded_user_id(user), items }
}
