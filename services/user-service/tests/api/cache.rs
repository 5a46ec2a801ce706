//! The values of `x-cache`, and how long the cache remembers.

use std::time::Duration;

use contracts::users::SEEDED_USERS;
use serde_json::json;
use testkit::{eventually, needs};

use crate::rig::{Rig, SOON, path};

const USERS: &[(&str, &str)] = &[("cache_type", "users")];

#[tokio::test(flavor = "multi_thread")]
async fn the_first_read_is_a_miss_and_the_next_a_hit() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let before = rig.scrape().await;
    assert_eq!(rig.read(0).await.header("x-cache"), "miss");
    assert_eq!(rig.read(0).await.header("x-cache"), "hit");
    let after = rig.scrape().await;
    assert_eq!(after.delta(&before, "cache_hits_total", USERS), 1.0);
    assert_eq!(after.delta(&before, "cache_misses_total", USERS), 1.0);
    assert_eq!(after.delta(&before, "cache_origin_reads_total", &[]), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_is_remembered_for_a_shorter_time() {
    needs!(Postgres, Redis);
    let rig = Rig::with(&["--cache-negative-ttl=300ms"]).await;
    let nobody = SEEDED_USERS + 1;
    assert_eq!(rig.read(nobody).await.expect_status(404).header("x-cache"), "miss");
    assert_eq!(rig.read(nobody).await.expect_status(404).header("x-cache"), "hit");
    rig.read(0).await;
    eventually(SOON, || async {
        let status = rig.read(nobody).await.header("x-cache").to_owned();
        (status == "miss").then_some(()).ok_or(status)
    })
    .await;
    assert_eq!(rig.read(0).await.header("x-cache"), "hit", "a user is remembered longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_copy_is_a_miss_although_redis_still_has_it() {
    needs!(Postgres, Redis);
    let rig = Rig::with(&["--cache-ttl=100ms"]).await;
    rig.read(0).await;
    eventually(SOON, || async {
        let status = rig.read(0).await.header("x-cache").to_owned();
        (status == "miss").then_some(()).ok_or(status)
    })
    .await;
    let key = rig.redis.command(&format!("EXISTS users:{}", contracts::users::seeded_user_id(0))).await;
    assert_eq!(key, ":1\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_by_the_next_read() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    rig.read(0).await;
    rig.public.patch(&path(0), &json!({"name": "Changed"})).await.expect_status(200);
    let answer = rig.read(0).await;
    assert_eq!((answer.header("x-cache"), &answer.json()["name"]), ("miss", &json!("Changed")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_entry_is_replaced() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let id = contracts::users::seeded_user_id(0);
    assert_eq!(rig.redis.command(&format!("SET users:{id} garbage")).await, "+OK\r\n");
    assert_eq!(rig.read(0).await.expect_status(200).header("x-cache"), "miss");
    assert_eq!(rig.read(0).await.header("x-cache"), "hit");
}

/// Milliseconds between the first and the last expiry of 100 users that were read together.
async fn expiry_spread(rig: &Rig) -> u64 {
    let mut left = Vec::new();
    for n in 0..100 {
        rig.read(n).await;
    }
    for n in 0..100 {
        let reply =
            rig.redis.command(&format!("PEXPIRETIME users:{}", contracts::users::seeded_user_id(n))).await;
        left.push(reply.trim_matches([':', '\r', '\n']).parse::<u64>().expect("a time"));
    }
    left.iter().max().expect("a hundred") - left.iter().min().expect("a hundred")
}

#[tokio::test(flavor = "multi_thread")]
async fn users_read_together_expire_at_different_times_unless_jitter_is_off() {
    needs!(Postgres, Redis);
    // A minute plus or minus a fifth is 24 s of spread; reading a hundred users takes far less.
    let rig = Rig::with(&["--cache-ttl=60s"]).await;
    let with = Duration::from_millis(expiry_spread(&rig).await);
    rig.redis.command("FLUSHALL").await;
    rig.without("ttl-jitter").await;
    let without = Duration::from_millis(expiry_spread(&rig).await);
    assert!(with > Duration::from_secs(15), "{with:?}");
    assert!(without < Duration::from_secs(10), "{without:?}");
}
