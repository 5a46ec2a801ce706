//! The number of active users: one figure for all replicas, kept in Redis.

use std::net::SocketAddr;

use contracts::users::SEEDED_USERS;
use testkit::{Http, Postgres, Redis, Scrape, eventually, needs};

use crate::rig::{Rig, SOON, path, start};

/// Waits until a replica exports this number; `None`: until it exports none.
async fn becomes(admin: SocketAddr, wanted: Option<f64>) {
    eventually(SOON, || async {
        let found = Scrape::of(admin).await.find("active_users", &[]);
        if found == wanted { Ok(()) } else { Err(format!("{found:?}, not {wanted:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_counts_once_however_many_replicas_read_it_and_restarts_forget_nobody() {
    needs!(Postgres, Redis);
    let url = Postgres::shared().await.database("users").await;
    let redis = Redis::start().await;
    let one = start(&url, &redis.url(), &[]).await;
    let two = start(&url, &redis.url(), &[]).await;
    assert_eq!(Scrape::of(one.admin).await.value("active_users", &[]), 0.0, "from the first scrape on");
    let read = async |at: SocketAddr, n: u32| Http::to(at).get(&path(n)).await;
    let (at_one, at_two) = (one.public.expect("a public port"), two.public.expect("a public port"));
    for n in [0, 1, 2, 1, 0] {
        read(at_one, n).await.expect_status(200);
    }
    for n in [2, 3, 0] {
        read(at_two, n).await.expect_status(200);
    }
    read(at_two, SEEDED_USERS).await.expect_status(404);
    becomes(one.admin, Some(4.0)).await;
    becomes(two.admin, Some(4.0)).await;

    // What was read in the last moment is counted before the process ends.
    read(at_one, 4).await.expect_status(200);
    assert!(one.stop().await && two.stop().await, "both drain");
    let third = start(&url, &redis.url(), &[]).await;
    assert_eq!(Scrape::of(third.admin).await.value("active_users", &[]), 5.0, "at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_the_number_is_unknown_and_no_request_notices() {
    needs!(Postgres, Redis);
    let mut rig = Rig::start().await;
    rig.read(0).await.expect_status(200);
    becomes(rig.running.admin, Some(1.0)).await;
    rig.redis.kill();
    rig.read(1).await.expect_status(200);
    becomes(rig.running.admin, None).await;
    // It comes back empty; whom the service has read meanwhile is not lost.
    rig.redis.restart().await;
    becomes(rig.running.admin, Some(1.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_expires() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    rig.read(0).await.expect_status(200);
    becomes(rig.running.admin, Some(1.0)).await;
    let keys = rig.redis.command("KEYS {active-users}:*").await;
    let key = keys.lines().find(|line| line.starts_with("{active-users}:")).expect("a key");
    let left = rig.redis.command(&format!("TTL {key}")).await;
    let left: u64 = left.trim().trim_start_matches(':').parse().expect("a TTL in seconds");
    assert!((14 * 60..=16 * 60).contains(&left), "{left} s");
}
