//! The dead man's switch: a frozen Prometheus sends no alert, so the control room itself pages.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    lab::{Lab, eventually},
    room::{Frozen, SOON, at, first},
};

/// For how long Alertmanager repeats the last heartbeat that it got: an alert of Prometheus holds for four times
/// `--rules.alert.resend-delay`, which is 10 s in a lab.
const BELIEVED: f64 = 40.0;
/// For how long the control room waits for the next one: three heartbeats.
const PATIENCE: f64 = 30.0;
/// By how much a timer may be late while another lab is starting.
const LATE: f64 = 15.0;
/// From the freeze to the page, with a margin for the looks of this test.
const SILENT: Duration = Duration::from_secs(120);

fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64()
}

#[tokio::test]
async fn a_frozen_prometheus_pages_once_and_is_over_by_itself_when_it_continues() {
    let Some(lab) = Lab::up(&["--rate", "40"]).await else { return };
    lab.healthy().await;
    assert!(lab.incidents().is_empty(), "a healthy lab has no incident: {:#?}", lab.incidents());
    let stopped = Utc::now();
    let frozen = Frozen::part(&lab, "prometheus");

    let (id, page) = lab.opened(SILENT).await;
    let incident = lab.incident(&id);
    assert_eq!(incident["title"], "Monitoring is silent", "{}", lab.account(&id));
    assert_eq!(incident["severity"], "SEV-1", "{}", lab.account(&id));
    // The symptom is the last heartbeat that arrived.
    let (last, opened) = (first(&lab.timeline(&id), "symptom"), at(&incident["opened_at"]));
    let (believed, waited) = (seconds(stopped, last), seconds(last, opened));
    let paged = seconds(opened, at(&page["received_at"]));
    println!("heartbeats for {believed:.1} s, silence for {waited:.1} s, then the page after {paged:.2} s");
    assert!(believed < BELIEVED + LATE, "{believed} s: {}", lab.account(&id));
    assert!((PATIENCE..PATIENCE + LATE).contains(&waited), "{waited} s: {}", lab.account(&id));
    assert!((0.0..LATE).contains(&paged), "{paged} s: {}", lab.account(&id));

    let continued = Utc::now();
    drop(frozen);
    let incident = lab.becomes(&id, "resolved").await;
    let resolved = at(&incident["times"]["resolved"]);
    let back = seconds(continued, resolved);
    println!("over {back:.1} s after it continued");
    assert!(back < PATIENCE, "the next heartbeat ends it: {back} s: {}", lab.account(&id));

    // Prometheus has scraped again what it says now.
    let silent = "control_room_watchdog_silent";
    let query = format!("{silent} == 0 and timestamp({silent}) > {}", resolved.timestamp() + 1);
    eventually(SOON, || async {
        let seen = lab.query(&query).await;
        if seen.is_empty() { Err(format!("{query} is empty: {}", lab.account(&id))) } else { Ok(()) }
    })
    .await;
    assert_eq!(lab.incident(&id)["state"], "resolved", "{}", lab.account(&id));
    lab.assert_told_once(&id);
    let others = lab.other_pages(&id);
    assert!(others.is_empty(), "one silence, one incident: {}\n{others:#?}", lab.account(&id));
}
