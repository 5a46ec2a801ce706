//! The lookup policy over an in-memory store and cache, each of which can be made to fail or to wait.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use contracts::users::{UserTier, seeded_user_id};
use futures::future::join_all;

use super::*;
use crate::domain::{CacheFailure, UserChanges, ValidUser};

const POLICY: LookupPolicy = LookupPolicy {
    ttl: Duration::from_secs(30),
    negative_ttl: Duration::from_secs(5),
    stale_for: Duration::from_secs(600),
    origin_timeout: Duration::from_millis(200),
    bypass_limit: 4,
    bypass_wait: Duration::from_millis(50),
};

/// Everything that a test observes and controls.
#[derive(Default)]
struct World {
    users: Mutex<HashMap<Uuid, User>>,
    database_down: AtomicBool,
    /// If set, reads of the database wait for a permit.
    gate: Mutex<Option<Arc<Semaphore>>>,
    entries: Mutex<HashMap<Uuid, (Entry, Duration)>>,
    cache_down: AtomicBool,
    events: Mutex<HashMap<LookupEvent, usize>>,
}

#[derive(Clone)]
struct Shared(Arc<World>);

impl World {
    fn with_user() -> (Shared, Lookup<Shared, Shared>) {
        let world = Shared(Arc::default());
        world.0.users.lock().unwrap().insert(id(), user("Ada"));
        (world.clone(), Lookup::new(world.clone(), world, POLICY))
    }

    fn count(&self, event: LookupEvent) -> usize {
        self.events.lock().unwrap().get(&event).copied().unwrap_or(0)
    }

    fn close_gate(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        *self.gate.lock().unwrap() = Some(gate.clone());
        gate
    }

    fn expire(&self) {
        let mut entries = self.entries.lock().unwrap();
        entries.values_mut().for_each(|(entry, _)| entry.fresh_until = Utc::now() - Duration::from_secs(1));
    }
}

const ALL: Protections = Protections {
    single_flight: true,
    ttl_jitter: true,
    stale_on_error: true,
    bulkhead: true,
    timeout: true,
};

fn id() -> Uuid {
    seeded_user_id(0)
}

fn user(name: &str) -> User {
    let (created_at, updated_at) = (Utc::now(), Utc::now());
    User {
        id: id(),
        name: name.to_owned(),
        email: "a@b".to_owned(),
        tier: UserTier::Free,
        created_at,
        updated_at,
    }
}

impl UserStore for Shared {
    async fn find(&self, id: Uuid) -> Result<Option<User>, UserError> {
        if self.0.database_down.load(SeqCst) {
            return Err(UserError::Unavailable(Source(Arc::new(std::io::Error::other("down")))));
        }
        let found = self.0.users.lock().unwrap().get(&id).cloned();
        let gate = self.0.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        Ok(found)
    }
    async fn list(&self, _: Option<Uuid>, _: u32) -> Result<Vec<User>, UserError> {
        unreachable!("lookups do not list")
    }
    async fn insert(&self, _: ValidUser) -> Result<User, UserError> {
        unreachable!("lookups do not write")
    }
    async fn update(&self, _: Uuid, _: UserChanges) -> Result<User, UserError> {
        unreachable!("lookups do not write")
    }
}

impl UserCache for Shared {
    async fn get(&self, id: Uuid) -> Result<Option<Entry>, CacheFailure> {
        if self.0.cache_down.load(SeqCst) {
            return Err(CacheFailure);
        }
        Ok(self.0.entries.lock().unwrap().get(&id).map(|(entry, _)| entry.clone()))
    }
    async fn put(&self, id: Uuid, entry: Entry, keep: Duration) {
        self.0.entries.lock().unwrap().insert(id, (entry, keep));
    }
    async fn remove(&self, id: Uuid) -> Result<(), CacheFailure> {
        self.0.entries.lock().unwrap().remove(&id);
        Ok(())
    }
    fn record(&self, event: LookupEvent) {
        *self.0.events.lock().unwrap().entry(event).or_default() += 1;
    }
}

async fn status(lookup: &Lookup<Shared, Shared>, id: Uuid) -> CacheStatus {
    lookup.get(id, ALL).await.unwrap().status
}

#[tokio::test]
async fn the_second_read_is_a_hit_and_absence_is_remembered_too() {
    let (world, lookup) = World::with_user();
    for id in [id(), seeded_user_id(1)] {
        assert_eq!(status(&lookup, id).await, CacheStatus::Miss);
        assert_eq!(status(&lookup, id).await, CacheStatus::Hit);
    }
    assert_eq!(world.0.count(LookupEvent::OriginRead), 2);
    let kept = |id| world.0.entries.lock().unwrap()[&id].1;
    assert!(kept(id()) > POLICY.stale_for, "a user is kept beyond its freshness");
    assert!(kept(seeded_user_id(1)) <= POLICY.negative_ttl.mul_f64(1.0 + JITTER), "an absence is not");
}

#[tokio::test]
async fn an_expired_copy_is_served_only_while_the_database_fails_and_the_protection_is_on() {
    let (world, lookup) = World::with_user();
    status(&lookup, id()).await;
    world.0.expire();
    assert_eq!(status(&lookup, id()).await, CacheStatus::Miss);
    world.0.expire();
    world.0.database_down.store(true, SeqCst);
    assert_eq!(status(&lookup, id()).await, CacheStatus::Stale);
    assert_eq!(world.0.count(LookupEvent::StaleServed), 1);
    let without = Protections { stale_on_error: false, ..ALL };
    assert!(matches!(lookup.get(id(), without).await, Err(UserError::Unavailable(_))));
}

#[tokio::test]
async fn an_expired_copy_is_served_while_the_database_hangs() {
    let (world, lookup) = World::with_user();
    status(&lookup, id()).await;
    world.0.expire();
    let _closed = world.0.close_gate();
    assert_eq!(status(&lookup, id()).await, CacheStatus::Stale);
}

#[tokio::test]
async fn a_hundred_misses_read_the_database_once_with_single_flight_and_a_hundred_times_without() {
    for (single_flight, reads) in [(true, 1), (false, 100)] {
        let (world, lookup) = World::with_user();
        let on = Protections { single_flight, ..ALL };
        let gate = world.0.close_gate();
        let calls = join_all((0..100).map(|_| lookup.get(id(), on)));
        let open = async { gate.add_permits(1000) };
        let (found, ()) = futures::join!(calls, open);
        assert!(found.iter().all(|found| found.as_ref().unwrap().user.is_some()));
        assert_eq!(world.0.count(LookupEvent::OriginRead), reads);
        assert_eq!(world.0.count(LookupEvent::Coalesced), 100 - reads);
    }
}

#[tokio::test]
async fn past_a_failed_cache_only_a_few_read_at_once_unless_the_bulkhead_is_off() {
    for (bulkhead, refused) in [(true, 6), (false, 0)] {
        let (world, lookup) = World::with_user();
        world.0.cache_down.store(true, SeqCst);
        let on = Protections { bulkhead, ..ALL };
        let gate = world.0.close_gate();
        let calls = join_all((0..10).map(|n| lookup.get(seeded_user_id(n), on)));
        // The gate opens once those that are refused at all have been refused.
        let open = async {
            while world.0.count(LookupEvent::BypassRefused) < refused {
                tokio::task::yield_now().await;
            }
            gate.add_permits(10);
        };
        let (found, ()) = futures::join!(calls, open);
        let overloaded = found.iter().filter(|found| matches!(found, Err(UserError::Overloaded))).count();
        assert_eq!(overloaded, refused);
        assert!(found.iter().flatten().all(|found| found.status == CacheStatus::Bypass));
    }
}

#[tokio::test]
async fn a_read_that_began_before_a_change_neither_fills_the_cache_nor_serves_later_readers() {
    let (world, lookup) = World::with_user();
    let gate = world.0.close_gate();
    let early = lookup.get(id(), ALL);
    let change_and_read = async {
        world.0.users.lock().unwrap().insert(id(), user("Grace"));
        *world.0.gate.lock().unwrap() = None;
        lookup.invalidate(id()).await;
        let late = lookup.get(id(), ALL).await.unwrap();
        gate.add_permits(1);
        late
    };
    let (early, late) = futures::join!(early, change_and_read);
    assert_eq!(early.unwrap().user.unwrap().name, "Ada");
    assert_eq!(late.user.unwrap().name, "Grace");
    assert_eq!(lookup.get(id(), ALL).await.unwrap().user.unwrap().name, "Grace");
}

#[tokio::test]
async fn a_flight_continues_when_the_caller_that_started_it_is_gone() {
    let (world, lookup) = World::with_user();
    let gate = world.0.close_gate();
    let first = tokio::spawn({
        let lookup = lookup.clone();
        async move { lookup.get(id(), ALL).await }
    });
    while world.0.count(LookupEvent::OriginRead) == 0 {
        tokio::task::yield_now().await;
    }
    let second = lookup.get(id(), ALL);
    let abandon = async {
        while world.0.count(LookupEvent::Coalesced) == 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        gate.add_permits(1);
    };
    let (second, ()) = futures::join!(second, abandon);
    assert!(second.unwrap().user.is_some());
    assert_eq!(world.0.count(LookupEvent::OriginRead), 1);
}

#[tokio::test]
async fn expiry_is_spread_by_a_fifth_with_jitter_and_not_at_all_without() {
    let (_, lookup) = World::with_user();
    let spread = |on| {
        let kept: Vec<_> = (0..200).map(|_| lookup.entry(Some(user("Ada")), on).1).collect();
        *kept.iter().max().unwrap() - *kept.iter().min().unwrap()
    };
    let full = POLICY.ttl.mul_f64(2.0 * JITTER);
    assert!(spread(ALL) > full / 2 && spread(ALL) <= full);
    assert_eq!(spread(Protections { ttl_jitter: false, ..ALL }), Duration::ZERO);
}
