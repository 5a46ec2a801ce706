//! Actions over the API, on real stores: for trainees, with a dry run, recorded once.

use http::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use testkit::{Postgres, Redis, needs};

use crate::rig::Rig;

/// What one place says about an action that was done, or tried.
fn said(answer: &Value) -> &str {
    let results = answer["done"]["results"].as_array().expect("results");
    assert_eq!((results.len(), &results[0]["ok"]), (1, &json!(true)), "{answer}");
    results[0]["text"].as_str().expect("a text")
}

#[tokio::test]
async fn a_trainee_ends_sessions_and_removes_keys_and_each_act_is_recorded_once() {
    needs!(Postgres, Redis);
    let url = Postgres::shared().await.database("orders").await;
    let redis = Redis::start().await;
    redis.command("SET users:1 x").await;
    let databases = format!("orders={url}");
    let rig = Rig::start(&["--databases", &databases, "--redis-url", &redis.url()]).await;
    rig.open("Orders fail").await;
    let mut session = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT 1").execute(&mut session).await.unwrap();

    let sessions = json!({
        "action": "end_sessions", "database": "orders", "state": "idle-in-transaction", "older_than": "0s",
    });
    let purge = json!({ "action": "purge_keys", "pattern": "users:*" });
    for (action, would) in [(&sessions, "would end 1 session of orders"), (&purge, "would remove 1 key")] {
        let answer = rig.post("/api/v1/actions", &json!({ "action": action, "dry": true })).await;
        assert!(said(&answer).starts_with(would), "{answer}");
        assert_eq!((&answer["dry_run"], &answer["done"]["undo"]), (&json!(true), &Value::Null));
    }
    sqlx::raw_sql("SELECT 1").execute(&mut session).await.expect("nothing has changed");
    for (action, done) in [(&sessions, "ended 1 session of orders"), (&purge, "removed 1 key that matches")] {
        let answer = rig.post("/api/v1/actions", &json!({ "action": action, "incident": "INC-1" })).await;
        assert!(said(&answer).starts_with(done), "{answer}");
        assert_eq!(answer["done"]["by"], json!({ "kind": "person", "name": "ada" }));
    }
    assert!(sqlx::raw_sql("SELECT 1").execute(&mut session).await.is_err(), "the session has ended");
    assert_eq!(redis.command("DBSIZE").await, ":0\r\n");

    let timeline = rig.get("/api/v1/incidents/INC-1/timeline").await.to_string();
    let changes = rig.get("/api/v1/changes").await.to_string();
    for text in ["ended sessions of the database orders", "removed keys of Redis that match users:*"] {
        assert_eq!(timeline.matches(text).count(), 1, "{timeline}");
        assert_eq!(changes.matches(text).count(), 1, "{changes}");
    }
}

#[tokio::test]
async fn what_is_wrong_not_here_or_sealed_is_refused_in_words() {
    let rig = Rig::start(&["--instances", "order-api=http://127.0.0.1:1"]).await;
    let send =
        async |action: Value| rig.send(Method::POST, "/api/v1/actions", &json!({ "action": action })).await;
    let purge = |ttl: &str| json!({ "action": "purge_keys", "pattern": "*", "ttl_over": ttl });
    send(purge("soon")).await.expect_invalid("ttl_over");
    let problem = send(purge("5m")).await.expect_problem(409, "not-now");
    assert_eq!(problem["detail"], "No Redis is known here; set REDIS_URL, or use `lab redis-cli`.");
    let restart = json!({ "action": "restart", "target": "order-api" });
    let problem = send(restart).await.expect_problem(409, "not-now");
    assert!(problem["detail"].as_str().unwrap().contains("LAB_DIR"), "{problem}");
    send(json!({ "action": "end_faults" })).await.expect_problem(403, "forbidden");
    send(json!({ "action": "format_disk" })).await.expect_status(400);
    assert!(!rig.get("/api/v1/changes").await.to_string().contains("restarted"));
}
