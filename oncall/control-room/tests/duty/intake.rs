//! SIGKILL between an alert and its page: while the message is taken, while the incident opens, before the first level is
//! notified. Alertmanager sends what nobody took until somebody has.

use control_room::{Room, desk::New, duty::tend};
use incident::{EntryKind, Severity, Source, What, alerts::alertmanager::Webhook};
use proptest::prelude::*;
use serde_json::json;

use crate::{
    kills::{killed, life},
    support::{Place, ROTA, deliveries, paged, phone, steps, told},
};

/// A message about one alert that pages.
fn message() -> Webhook {
    let alert = json!({
        "status": "firing", "fingerprint": "6b58fcd38f5a8ea8", "startsAt": "2026-11-21T10:00:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "labels": { "alertname": "OrdersFail", "service": "order-api", "severity": "page" },
        "annotations": { "summary": "orders fail" },
    });
    serde_json::from_value(json!({ "version": "4", "status": "firing", "alerts": [alert] }))
        .expect("a message")
}

/// Takes the message and notifies whom the incident's first level names, until it is killed.
async fn take_and_page(room: &Room, message: &Webhook) {
    room.desk.alertmanager(message).await.expect("it is taken");
    for incident in room.desk.open_ones() {
        tend(room, incident.id, incident.opened_at).await.expect("it is looked at");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn an_alert_pages_once_whatever_is_killed_on_the_way(lives in prop::collection::vec(0_u32..120, 1..6)) {
        let (place, message) = (Place::new(ROTA), message());
        for polls in lives {
            life(async {
                let room = place.room().await;
                killed(polls, take_and_page(&room, &message)).await;
            });
        }
        life(async {
            let room = place.room().await;
            take_and_page(&room, &message).await;
            let open = room.desk.open_ones();
            let ids: Vec<_> = open.iter().map(|incident| incident.id).collect();
            let id = *ids.first().expect("an incident");
            let seen = format!("{ids:?}: {:#?}", open.first().map(|incident| &incident.timeline));
            assert_eq!(ids.len(), 1, "one alert, one incident: {seen}");
            assert_eq!(told(&room, id, EntryKind::Firing).await.len(), 1, "it fired once: {seen}");
            assert_eq!(steps(&room).await, ["0.0.0"], "{seen}");
            assert_eq!(paged(&room, id).await, ["0.0.0 ada"], "{seen}");
            assert_eq!(phone(&room).await, ["0.0.0 ada", "none none"], "one page, and the alert itself: {seen}");
            let expected = ["INC-1/0.0.0/ada/bell", "INC-1/0.0.0/ada/desktop"];
            assert_eq!(deliveries(&room).await, expected, "one for each contact point: {seen}");
        });
    }
}

#[test]
fn an_incident_and_what_it_opens_with_are_there_together_or_not_at_all() {
    let new = || New {
        title: "Monitoring is silent".to_owned(),
        description: String::new(),
        severity: Severity::Sev1,
        services: Vec::new(),
    };
    let why = || What::Updated { text: "no heartbeat".to_owned() };
    for polls in 0.. {
        let place = Place::new(ROTA);
        let ended = life(async {
            let room = place.room().await;
            let open = async {
                let writing = room.store.begin().await.expect("its turn");
                room.desk
                    .create_with(writing, Source::ControlRoom, new(), vec![why()])
                    .await
                    .expect("it opens")
            };
            killed(polls, open).await.is_some()
        });
        life(async {
            let room = place.room().await;
            for incident in room.desk.open_ones() {
                let said = told(&room, incident.id, EntryKind::Update).await;
                assert_eq!(said, ["no heartbeat"], "killed after {polls} polls");
            }
            let count = room.desk.open_ones().len();
            assert!(count == 1 || !ended, "it was opened, and is lost");
        });
        if ended {
            assert!(polls > 1, "only {polls} points to be killed at");
            break;
        }
    }
}
