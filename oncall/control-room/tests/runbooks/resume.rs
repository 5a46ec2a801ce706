//! A control room that is started again: automation that is off by then does not continue what it had begun.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use control_room::runbooks::{start, tend, view::StepState};
use incident::alerts::alertmanager::Webhook;
use serde_json::json;
use testkit::eventually;

use crate::{
    kills::life,
    lab::{Kind, Lab},
    place::Place,
};

/// Longest wait for what happens in the background.
const SOON: Duration = Duration::from_secs(10);
/// Long enough for a run to end, if it does.
const MOMENT: Duration = Duration::from_millis(500);
const ON: [&str; 2] = ["--automation", "on"];

fn stuck() -> Webhook {
    let message = json!({ "version": "4", "status": "firing", "alerts": [{
        "status": "firing", "fingerprint": "0000000000000001", "startsAt": Utc::now(),
        "endsAt": "0001-01-01T00:00:00Z",
        "labels": {
            "alertname": "Stuck", "service": "order-worker", "severity": "page", "instance": "10.0.0.1:9103",
        },
        "annotations": { "summary": "it does not move" },
    }] });
    serde_json::from_value(message).expect("a message")
}

/// Automation begins a run, acts, and waits for a proof that does not come.
async fn begun(place: &Place, lab: &Arc<Lab>) {
    let room = place.set(lab, &ON).await;
    start(&room);
    room.desk.alertmanager(&stuck()).await.expect("it is taken");
    eventually(SOON, || async {
        let runs = room.runbooks.runs(9).await.map_err(|error| error.to_string())?;
        let mut steps = runs.iter().flat_map(|run| &run.steps);
        let waits = steps.any(|step| step.name == "good" && step.state == StepState::Now);
        if waits { Ok(()) } else { Err(format!("{runs:?}")) }
    })
    .await;
}

#[test]
fn what_automation_had_begun_continues_only_while_automation_is_on() {
    let (place, lab) = (Place::new("1h"), Lab::new(Kind::Bad));
    life(begun(&place, &lab));
    life(async {
        let room = place.set(&lab, &ON).await;
        let ends = tokio::time::timeout(MOMENT, tend(&room, "RUN-1")).await;
        assert!(ends.is_err(), "it waits for its proof");
    });
    life(async {
        let room = place.room(&lab).await;
        assert!(!room.runbooks.automation().on, "as it was started");
        tend(&room, "RUN-1").await.expect("it ends");
        let run = room.runbooks.run("RUN-1").await.expect("a run");
        assert_eq!((run.by.as_str(), run.ending.as_deref()), ("automation", Some("stopped")));
        let why = run.why.as_deref().unwrap_or_default();
        assert!(why.contains("AUTOMATION switched automation off"), "{why}");
        assert_eq!((run.left.len(), lab.acts().len()), (1, 1), "what was done stays, and is said: {run:?}");
    });
}
