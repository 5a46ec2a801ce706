//! Failover of a whole lab under load: with a synchronous replica, a primary that is killed costs seconds and no order.

use serde_json::Value;
use testkit::{Need, available};

use crate::{lab::TURN, offsets::offset};

#[tokio::test]
async fn a_killed_primary_costs_no_accepted_order_if_commits_wait_for_its_replica() {
    if !available(&[Need::Postgres, Need::Redis, Need::Prometheus, Need::Alertmanager]) {
        return;
    }
    let _turn = TURN.lock().await;
    let (offset, _claim) = offset();
    let drill = tokio::process::Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["failover", "drill", "--replica", "sync", "--json", "--rps", "20", "--for", "3s"])
        // The subject is what is lost, not how soon: another lab may be starting meanwhile.
        .args(["--rto", "90s"])
        .args(["--port-offset", &offset.to_string()])
        .kill_on_drop(true)
        .output()
        .await
        .expect("lab runs");
    let said = String::from_utf8_lossy(&drill.stderr).into_owned();
    let report: Value =
        serde_json::from_slice(&drill.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert!(drill.status.success() && report["pass"] == true, "{report:#}\n{said}");
    assert!(report["loss"]["accepted"].as_u64() > Some(20), "{report:#}");
    assert_eq!(report["loss"]["lost"], 0, "{report:#}");
    assert!(report["loss"]["rto_seconds"].as_f64() > Some(0.0), "{report:#}");
    assert_eq!((&report["books"]["lost"], &report["books"]["doubled"]), (&0.into(), &0.into()), "{report:#}");
}
