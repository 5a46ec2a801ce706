//! What a person on call does through the control room, on the real lab: restart, end sessions, purge,
//! redrive, change the load.

use std::fs;

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::{
    lab::Lab,
    strangers::{logged_in, psql, said, secret},
};

/// Asks for an action; returns status and answer.
pub(crate) async fn ask(lab: &Lab, action: &Value, dry: bool) -> (u16, Value) {
    let url = format!("http://127.0.0.1:{}/api/v1/actions", lab.named_port("control-room"));
    let request = reqwest::Client::new().post(url).header("x-person", "ada");
    let answer = request.json(&json!({ "action": action, "dry": dry })).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// What became of an action, or what would, in the first place that it reached.
async fn done(lab: &Lab, action: Value, dry: bool) -> String {
    let (status, answer) = ask(lab, &action, dry).await;
    assert_eq!(status, 200, "{action}: {answer}");
    answer["done"]["results"][0]["text"].as_str().expect("a result").to_owned()
}

#[tokio::test]
async fn the_person_on_call_acts_through_the_control_room() {
    let Some(lab) = Lab::up(&["--rate", "20"]).await else { return };
    a_restart_is_no_crash(&lab).await;
    sessions_end(&lab).await;
    the_rest(&lab).await;
    the_control_room_may_do_only_that(&lab);
    lab.down();
}

/// The process is another one, nobody counts a crash, and the ticket about it reaches nobody.
async fn a_restart_is_no_crash(lab: &Lab) {
    let before = lab.part("order-worker");
    let restart = json!({ "action": "restart", "target": "order-worker" });
    let would = done(lab, restart.clone(), true).await;
    assert!(would.starts_with(&format!("pid {}, up for ", before["pid"])), "{would}");
    let text = done(lab, restart, false).await;
    assert!(text.contains("is ready after") && text.contains("ProcessRestarted is muted"), "{text}");
    let after = lab.part("order-worker");
    assert_ne!(after["pid"], before["pid"]);
    assert_eq!((&after["restarts"], &after["ready"]), (&before["restarts"], &json!(true)));
    let (status, refused) = ask(lab, &json!({ "action": "restart", "target": "postgres" }), false).await;
    assert_eq!(status, 404, "{refused}");
}

async fn sessions_end(lab: &Lab) {
    let url = format!("{}?application_name=forgotten", lab.database("orders"));
    let mut session = sqlx::PgConnection::connect(&url).await.expect("a session");
    sqlx::raw_sql("BEGIN; SELECT 1").execute(&mut session).await.expect("a transaction");
    let action = json!({
        "action": "end_sessions", "database": "orders", "state": "idle-in-transaction", "older_than": "0s",
        "application": "forgotten",
    });
    let text = done(lab, action, false).await;
    assert!(text.starts_with("ended 1 session of orders (forgotten 1)"), "{text}");
    assert!(sqlx::raw_sql("SELECT 1").execute(&mut session).await.is_err());
}

async fn the_rest(lab: &Lab) {
    let text = done(lab, json!({ "action": "purge_keys", "pattern": "users:*", "most": 1 }), false).await;
    assert!(text.starts_with("removed 1 key that matches users:*"), "{text}");

    let file = lab.dir().join("data/order-worker/spool-1.tmp");
    fs::write(&file, "left behind").expect("the folder of the service");
    let text = done(lab, json!({ "action": "remove_files", "target": "order-worker" }), false).await;
    assert!(text.contains("spool-1.tmp") && !file.exists(), "{text}");

    let redrive = |target: &str| json!({ "action": "redrive", "target": target });
    assert!(done(lab, redrive("order-worker"), true).await.contains("nothing to put back"));
    assert!(done(lab, redrive("order-worker"), false).await.starts_with("put 0 dead letters back"));
    let text = done(lab, redrive("user-service"), true).await;
    assert!(text.contains("has no dead letters"), "{text}");

    let (status, answer) = ask(lab, &json!({ "action": "set_load", "rps": 5 }), false).await;
    assert_eq!((status, &answer["done"]["undo"]["rps"]), (200, &json!(20.0)), "{answer}");
    assert!(done(lab, answer["done"]["undo"].clone(), false).await.contains("it was 5"));
    let scale = json!({ "action": "scale", "target": "order-api", "replicas": 2 });
    let (status, refused) = ask(lab, &scale, false).await;
    let detail = refused["detail"].as_str().unwrap_or_default();
    assert!(status == 409 && detail.contains("lab up --replicas"), "{refused}");
}

/// Its accounts in the stores: it reads everything, ends sessions, removes keys, and neither writes a row nor
/// reads a value.
fn the_control_room_may_do_only_that(lab: &Lab) {
    let (port, password) = (lab.port("postgres", "postgres"), secret(lab, "postgres-control_room"));
    let url = format!("postgres://control_room:{password}@127.0.0.1:{port}/orders");
    for (sql, may) in [
        ("select count(*) from orders", true),
        ("select count(*) from pg_stat_activity", true),
        ("delete from orders", false),
        ("set default_transaction_read_only = off; delete from orders", false),
        ("create table mine ()", false),
        ("select pg_read_file('/etc/passwd')", false),
    ] {
        let output = psql(&url, sql);
        assert_eq!(output.status.success(), may, "{sql}: {}", said(&output));
    }
    let password = secret(lab, "redis-control-room");
    assert!(logged_in(lab, "control-room", &password, "SCAN 0").starts_with('*'));
    for command in ["GET x", "SET x y", "KEYS *", "FLUSHALL", "CONFIG SET dir /tmp", "MONITOR", "EVAL x 0"] {
        let answer = logged_in(lab, "control-room", &password, command);
        assert!(answer.starts_with("-NOPERM"), "{command}: {answer}");
    }
}
