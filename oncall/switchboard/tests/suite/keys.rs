//! Redis: which keys are removed.

use secrecy::SecretString;
use serde_json::json;
use switchboard::Tools;
use testkit::{Redis, needs};

use crate::support::{action, nowhere, only};

/// Two hundred users for a minute, two for an hour, one without an end, and a key of somebody else.
async fn filled() -> (Redis, Tools) {
    let redis = Redis::start().await;
    for number in 0..200 {
        redis.command(&format!("SET users:{number} x EX 60")).await;
    }
    for command in ["SET users:a x EX 3600", "SET users:b x EX 3600", "SET users:c x", "SET other x"] {
        assert_eq!(redis.command(command).await, "+OK\r\n");
    }
    let tools = Tools { redis: Some(SecretString::from(redis.url())), ..Tools::default() };
    (redis, tools)
}

async fn left(redis: &Redis) -> String {
    redis.command("DBSIZE").await.trim().trim_start_matches(':').to_owned()
}

#[tokio::test]
async fn keys_that_would_stay_too_long_are_removed_and_the_others_stay() {
    needs!(Redis);
    let (redis, tools) = filled().await;
    let act = action(json!({ "action": "purge_keys", "pattern": "users:*", "ttl_over": "15m" }));
    let would = only(act.describe(&nowhere(), &tools, None).await.unwrap());
    assert!(would.starts_with("would remove 3 keys that match users:* and would stay"), "{would}");
    assert_eq!(left(&redis).await, "204", "a dry run removes nothing");
    let done = only(act.run(&nowhere(), &tools, None).await.unwrap());
    assert!(done.starts_with("removed 3 keys"), "{done}");
    assert_eq!(left(&redis).await, "201");
    let again = only(act.run(&nowhere(), &tools, None).await.unwrap());
    assert!(again.ends_with("nothing to remove"), "{again}");
}

#[tokio::test]
async fn a_limit_is_kept_and_a_star_empties_the_cache() {
    needs!(Redis);
    let (redis, tools) = filled().await;
    let some = action(json!({ "action": "purge_keys", "pattern": "users:*", "most": 50 }));
    let done = only(some.run(&nowhere(), &tools, None).await.unwrap());
    assert!(done.starts_with("removed 50 keys") && done.ends_with("; there are more"), "{done}");
    assert_eq!(left(&redis).await, "154");
    let all = action(json!({ "action": "purge_keys", "pattern": "*" }));
    let done = only(all.run(&nowhere(), &tools, None).await.unwrap());
    assert!(done.starts_with("removed 154 keys that match *"), "{done}");
    assert_eq!(left(&redis).await, "0");
}

#[tokio::test]
async fn a_redis_that_is_gone_is_named() {
    needs!(Redis);
    let (mut redis, tools) = filled().await;
    redis.kill();
    let act = action(json!({ "action": "purge_keys", "pattern": "*" }));
    let error = act.run(&nowhere(), &tools, None).await.unwrap_err().to_string();
    assert!(error.starts_with("Redis: "), "{error}");
}
