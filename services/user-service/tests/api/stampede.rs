//! Many readers, few reads: single-flight and the bulkhead, switched on and off.
//!
//! The database hangs until all readers have arrived, so that the numbers are exact however slow the machine is.

use futures::future::join_all;
use testkit::{Answer, eventually, needs};

use crate::rig::{Rig, SOON};

const READERS: u32 = 500;
/// Room and time for all readers at once.
const ROOM: &[&str] = &[
    "--max-in-flight=1000",
    "--request-timeout=29s",
    "--origin-timeout=28s",
    "--db-pool-size=50",
    "--db-acquire-timeout=27s",
    "--db-connect-timeout=25s",
    // A slow cache on a busy machine must not turn misses into bypasses.
    "--cache-timeout=25s",
];

/// Waits until `metric` has grown to `value`.
async fn reaches(rig: &Rig, metric: &str, value: f64) {
    eventually(SOON, || async {
        let now = rig.scrape().await.value(metric, &[]);
        (now >= value).then_some(()).ok_or(format!("{metric} is {now}"))
    })
    .await;
}

/// Makes [`READERS`] read user `n`, who is not cached, before the database responds to the first of them.
async fn read_at_once(rig: &Rig, n: u32) {
    let misses = rig.scrape().await.value("cache_misses_total", &[]);
    rig.database.blackhole();
    let readers = join_all((0..READERS).map(|_| rig.read(n)));
    let release = async {
        reaches(rig, "cache_misses_total", misses + f64::from(READERS)).await;
        rig.database.restore();
    };
    let (answers, ()): (Vec<Answer>, ()) = tokio::join!(readers, release);
    for answer in &answers {
        answer.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_readers_of_a_cold_user_read_the_database_once_and_500_times_without_single_flight() {
    needs!(Postgres, Redis);
    let rig = Rig::with(ROOM).await;
    for (n, reads, coalesced) in [(0, 1.0, 499.0), (1, 500.0, 0.0)] {
        if coalesced == 0.0 {
            rig.without("single-flight").await;
        }
        let before = rig.scrape().await;
        read_at_once(&rig, n).await;
        let after = rig.scrape().await;
        assert_eq!(after.delta(&before, "cache_origin_reads_total", &[]), reads);
        assert_eq!(after.delta(&before, "cache_coalesced_total", &[]), coalesced);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn past_a_dead_cache_the_bulkhead_keeps_connections_free_for_others() {
    needs!(Postgres, Redis);
    let mut flags = ROOM.to_vec();
    flags.extend(["--cache-bypass-limit=4", "--cache-bypass-wait=100ms"]);
    let mut rig = Rig::with(&flags).await;
    rig.redis.kill();
    rig.database.blackhole();
    let readers = join_all((0..100).map(|n| rig.read(n)));
    let release = async {
        reaches(&rig, "cache_bypass_refused_total", 96.0).await;
        let active = rig.scrape().await.value("database_connections_active", &[("database", "users")]);
        rig.database.restore();
        active
    };
    let (answers, active) = tokio::join!(readers, release);
    assert_eq!(active, 4.0);
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(503)), (4, 96));
    rig.public.get("/users").await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn past_a_dead_cache_without_the_bulkhead_readers_take_every_connection() {
    needs!(Postgres, Redis);
    let mut flags = ROOM.to_vec();
    flags.extend(["--cache-bypass-limit=4", "--cache-bypass-wait=100ms"]);
    let mut rig = Rig::with(&flags).await;
    rig.without("bulkhead").await;
    rig.redis.kill();
    rig.database.blackhole();
    let readers = join_all((0..100).map(|n| rig.read(n)));
    let release = async {
        reaches(&rig, "database_connections_active", 50.0).await;
        rig.database.restore();
    };
    let (answers, ()) = tokio::join!(readers, release);
    for answer in &answers {
        answer.expect_status(200);
    }
}
