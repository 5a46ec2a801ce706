//! Backups of a whole lab: a table that was dropped by mistake comes back while the lab runs, and a wiped lab within its
//! bars.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use sqlx::Connection as _;
use testkit::{Need, available};

use crate::{
    lab::{Lab, TURN, eventually},
    offsets::offset,
};

/// Time for a backup, a restore and its checks, or for WAL to be archived.
const SOON: Duration = Duration::from_secs(120);

async fn orders(url: &str) -> Result<i64, String> {
    let mut connection = sqlx::PgConnection::connect(url).await.map_err(|error| error.to_string())?;
    let count = sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(&mut connection).await;
    count.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_dropped_table_comes_back_while_the_lab_runs() {
    let Some(lab) = Lab::up(&["--backups", "--rate", "20"]).await else { return };
    let url = lab.database("orders");
    eventually(SOON, || async {
        let list = lab.json(&["backup", "list", "--json"]);
        let verified = list["last_verified"].as_str().map(str::to_owned);
        verified.ok_or_else(|| format!("no backup was verified: {list}"))
    })
    .await;
    eventually(SOON, || async {
        orders(&url).await.and_then(|count| (count > 0).then_some(()).ok_or("none yet".into()))
    })
    .await;
    let (before, moment) = (orders(&url).await.expect("orders"), Utc::now());
    let mut connection = sqlx::PgConnection::connect(&url).await.expect("the owner");
    sqlx::raw_sql("DROP TABLE orders CASCADE").execute(&mut connection).await.expect("dropped");

    let moment = moment.to_rfc3339_opts(SecondsFormat::Micros, true);
    let restore =
        |more: &[&str]| lab.run(&[&["backup", "restore", "--to", &moment, "--json"], more].concat());
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let unguarded = restore(&[]);
    assert!(
        !unguarded.status.success() && said(&unguarded).contains("repeat with --instance "),
        "{unguarded:?}"
    );
    let wrong = restore(&["--instance", "production"]);
    assert!(said(&wrong).contains("and not production: nothing was overwritten"), "{wrong:?}");
    let name = said(&unguarded);
    let name = name.trim().rsplit(' ').next().expect("the instance's name").to_owned();
    // The moment is archived within seconds.
    let report = eventually(SOON, || async {
        let output = restore(&["--instance", &name]);
        if output.status.success() { Ok(output.stdout) } else { Err(said(&output)) }
    })
    .await;
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["replaced"], true, "{report}");
    assert!(report["rows"]["orders.orders"].as_i64() >= Some(before), "{before} orders before: {report}");
    // The lab continues with it, and takes orders again.
    eventually(SOON, || async {
        let now = orders(&url).await?;
        if now > before { Ok(()) } else { Err(format!("{now} orders, {before} before")) }
    })
    .await;
    // On a new timeline, which is backed up and verified without being asked for. One verification runs at a time.
    eventually(SOON, || async {
        let list = lab.json(&["backup", "list", "--json"]);
        let newest = list["backups"].as_array().and_then(|backups| backups.last());
        let covered = newest.is_some_and(|one| one["manifest"]["timeline"] == 2 && !one["verdict"].is_null());
        if covered { Ok(()) } else { Err(format!("the new timeline is not verified: {list}")) }
    })
    .await;
    let verdict = lab.json(&["backup", "verify", "--json"]);
    assert_eq!(verdict["complaints"], serde_json::json!([]), "{verdict}");
    lab.ok(&["backup", "prune", "--keep", "1", "--keep-for", "0s"]);
    let list = lab.json(&["backup", "list", "--json"]);
    assert_eq!(list["backups"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["backups"][0]["manifest"]["timeline"], 2, "{list}");
    two_people_restore_through_a_runbook(&lab, &name).await;
}

/// Calls the control room as somebody.
async fn call(lab: &Lab, person: &str, path: &str, body: &Value) -> Value {
    let url = format!("http://127.0.0.1:{}/api/v1/{path}", lab.named_port("control-room"));
    let request = reqwest::Client::new().post(url).header("x-person", person);
    request.json(body).send().await.expect("an answer").json().await.expect("JSON")
}

/// How far a step of a run is.
fn state<'r>(run: &'r Value, step: &str) -> &'r str {
    let mut steps = run["steps"].as_array().into_iter().flatten();
    steps.find(|one| one["name"] == step).and_then(|one| one["state"].as_str()).unwrap_or_default()
}

/// The control room says what would be lost, waits for a second person, and restores once.
async fn two_people_restore_through_a_runbook(lab: &Lab, name: &str) {
    if lab.query("backup_last_timestamp_seconds").await.is_empty() {
        eprintln!("SKIPPED: without node_exporter, the runbook cannot see that there are backups");
        return;
    }
    let data = || lab.ok(&["backup", "data"]);
    let before = data();
    let asked = |instance: &str| json!({ "parameters": { "to": "latest", "instance": instance } });
    let dry = call(lab, "ada", "runbooks/restore/dry", &asked(name)).await;
    let hits = dry["changes"][0]["hits"][0].as_str().unwrap_or_default();
    assert!(hits.contains("would restore backup") && hits.contains("would be lost"), "{dry:#}");
    let other = call(lab, "ada", "runbooks/restore/dry", &asked("production")).await;
    assert!(other["problems"].to_string().contains("and not production"), "{other:#}");

    let mut begin = asked(name);
    begin["mode"] = json!("ask");
    let run = call(lab, "ada", "runbooks/restore/runs", &begin).await;
    let id = run["id"].as_str().unwrap_or_else(|| panic!("{run:#}")).to_owned();
    let status = || lab.json(&["runbook", "status", &id, "--json"]);
    let digest = eventually(SOON, || async {
        let run = status();
        run["request"]["digest"].as_str().map(str::to_owned).ok_or_else(|| format!("{run:#}"))
    })
    .await;
    let approval = json!({ "digest": digest });
    let alone = call(lab, "ada", &format!("runbook-runs/{id}/approve"), &approval).await;
    assert!(alone["detail"].as_str().is_some_and(|why| why.contains("a second person")), "{alone:#}");
    assert_eq!(data(), before, "nothing happened yet");
    call(lab, "ben", &format!("runbook-runs/{id}/approve"), &approval).await;
    eventually(SOON, || async {
        let run = status();
        if state(&run, "restore") == "done" { Ok(()) } else { Err(format!("{run:#}")) }
    })
    .await;
    assert_ne!(data(), before, "the server has other data");
    // Its last steps wait for minutes.
    call(lab, "ada", &format!("runbook-runs/{id}/stop"), &json!({ "why": "enough was seen" })).await;
}

/// Runs `lab backup drill`; its report, of a run that passed with nothing lost or doubled.
async fn drill(more: &[&str]) -> Value {
    let _turn = TURN.lock().await;
    let (offset, _claim) = offset();
    let drill = tokio::process::Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["backup", "drill", "--json", "--rps", "20", "--for", "5s"])
        .args(["--port-offset", &offset.to_string()])
        .args(more)
        .kill_on_drop(true)
        .output()
        .await
        .expect("lab runs");
    let said = String::from_utf8_lossy(&drill.stderr).into_owned();
    let report: Value =
        serde_json::from_slice(&drill.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert!(drill.status.success() && report["pass"] == true, "{report:#}\n{said}");
    assert!(report["loss"]["accepted"].as_u64() > Some(20), "{report:#}");
    assert_eq!((&report["books"]["lost"], &report["books"]["doubled"]), (&0.into(), &0.into()), "{report:#}");
    report
}

#[tokio::test]
async fn a_wiped_lab_is_back_within_its_bars_and_nothing_is_lost_or_doubled() {
    if !available(&[Need::Postgres, Need::Redis, Need::Prometheus, Need::Alertmanager]) {
        return;
    }
    let report = drill(&[]).await;
    assert!(report["loss"]["rto_seconds"].as_f64() > Some(0.0), "{report:#}");
}

#[tokio::test]
async fn a_broker_that_survives_a_disaster_forgets_what_the_restore_takes_back() {
    let needs = [Need::ApacheKafka, Need::Postgres, Need::Redis, Need::Prometheus, Need::Alertmanager];
    if !available(&needs) {
        return;
    }
    // The subject is what is paid, not how soon: Kafka formats a new log.
    drill(&["--kafka", "apache", "--rto", "3m"]).await;
}
