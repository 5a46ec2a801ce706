//! 500 alerts fire at once while automation is on: it does not exceed its guardrails, and switches itself off
//! if it does not help.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::Utc;
use control_room::{Room, runbooks};
use incident::alerts::alertmanager::Webhook;
use runbook::audit::verify_export;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    lab::{Kind, Lab},
    place::{Place, person},
};

const ALERTS: usize = 500;
const SERVICES: [&str; 3] = ["order-api", "order-worker", "user-service"];
/// Longest wait for what happens in the background.
const SOON: Duration = Duration::from_secs(30);

/// A room that is stopped when this is dropped.
struct Running(Room);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.chassis.shutdown.cancel();
    }
}

fn alerts() -> Webhook {
    let alert = |number: usize| {
        let service = SERVICES[number % SERVICES.len()];
        json!({
            "status": "firing", "fingerprint": format!("{number:016x}"), "startsAt": Utc::now(),
            "endsAt": "0001-01-01T00:00:00Z",
            "labels": {
                "alertname": "Stuck", "service": service, "severity": "page",
                "instance": format!("10.0.0.{number}:9101"),
            },
            "annotations": { "summary": "it does not move" },
        })
    };
    let alerts: Vec<Value> = (0..ALERTS).map(alert).collect();
    let message = json!({ "version": "4", "status": "firing", "alerts": alerts });
    serde_json::from_value(message).expect("a message")
}

/// A control room with automation, in the middle of a storm.
async fn storm(lab: &Arc<Lab>) -> (Place, Running) {
    let place = Place::new("1s");
    let room = place.in_memory(lab).await;
    runbooks::start(&room);
    room.runbooks.switch(&room, &person("ada"), true, "it is a test").await.expect("it is on");
    let taken = room.desk.alertmanager(&alerts()).await.expect("it is taken");
    assert_eq!(taken.opened.len(), SERVICES.len(), "{taken:?}");
    (place, Running(room))
}

/// How many runs have ended so, once none is under way.
async fn ended(room: &Room) -> Result<BTreeMap<String, usize>, String> {
    let mut ended = BTreeMap::new();
    for run in room.runbooks.runs(ALERTS).await.map_err(|error| error.to_string())? {
        let how = run.ending.ok_or_else(|| format!("{} is under way: {:?}", run.id, run.next))?;
        *ended.entry(how).or_insert(0) += 1;
    }
    Ok(ended)
}

#[tokio::test]
async fn a_storm_of_alerts_stays_inside_the_guardrails() {
    let lab = Lab::new(Kind::Good);
    let (_place, running) = storm(&lab).await;
    let room = &running.0;
    // Each service is restarted as often as the limit allows, and then a person is told, once for each
    // incident.
    let ended = eventually(SOON, || async {
        let ended = ended(room).await?;
        if ended.get("recommended") == Some(&SERVICES.len()) { Ok(ended) } else { Err(format!("{ended:?}")) }
    })
    .await;
    let limit = SERVICES.map(|service| (service.to_owned(), 2));
    assert_eq!(lab.targets(), BTreeMap::from(limit), "{ended:?}");
    assert_eq!(lab.most(), 1, "one replica of a service at a time");
    assert_eq!(ended.get("succeeded"), Some(&6), "{ended:?}");
    assert!(room.runbooks.automation().on, "all of it helped");
    for incident in room.desk.open_ones() {
        let told = incident.timeline.iter().filter(|entry| entry.text.contains("the limit is 2"));
        assert_eq!(told.count(), 1, "{}", incident.id);
    }
    verify_export(&room.runbooks.audit().await.expect("a log"), None).expect("an intact chain");
}

#[tokio::test]
async fn automation_that_does_not_help_switches_itself_off_and_pages_a_person() {
    let lab = Lab::new(Kind::Bad);
    let (_place, running) = storm(&lab).await;
    let room = &running.0;
    eventually(SOON, || async {
        let ended = ended(room).await?;
        let open = room.desk.open_ones();
        let paged = open.iter().filter(|one| one.title.contains("switched itself off")).count();
        if paged == 1 && ended.contains_key("failed") { Ok(()) } else { Err(format!("{paged}: {ended:?}")) }
    })
    .await;
    let view = room.runbooks.automation();
    assert!(!view.on && view.breaker.expect("it is open").contains("2 runs within 6h did not help"));
    // Others were under way when the second one failed.
    let acts: u32 = lab.targets().values().sum();
    assert!((2..=6).contains(&acts), "{:?}", lab.targets());
    let log = room.runbooks.audit().await.expect("a log");
    assert!(log.contains("automation.broken"), "{log}");
}
