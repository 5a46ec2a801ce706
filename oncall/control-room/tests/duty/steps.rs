//! What is notified when, what the timeline says about it, and what people ask for.

use chrono::Utc;
use control_room::duty::{self, tend};
use incident::{EntryKind, Id, Role, Severity, State, What};

use crate::support::{Place, ROTA, ada, after, deliveries, open, paged, phone, room, steps, told, until};

#[tokio::test]
async fn each_level_is_notified_at_its_time_and_the_timeline_says_so() {
    let place = Place::new(ROTA);
    let room = place.room().await;
    let incident = open(&room, Severity::Sev2).await;
    let id = incident.id;
    let next = tend(&room, id, after(&incident, 0)).await.unwrap();
    assert_eq!(next.at.map(|at| (at - incident.opened_at).num_seconds()), Some(15));
    assert_eq!(deliveries(&room).await, ["INC-1/0.0.0/ada/bell", "INC-1/0.0.0/ada/desktop"]);
    assert!(told(&room, id, EntryKind::Escalation).await.is_empty(), "the first level is no escalation");
    for _ in 0..3 {
        tend(&room, id, after(&incident, 31)).await.unwrap();
    }
    assert_eq!(steps(&room).await, ["0.0.0", "0.0.2", "0.0.3", "0.0.5"]);
    assert_eq!(phone(&room).await, ["0.0.0 ada", "0.0.2 ben", "0.0.5 fay"]);
    assert_eq!(paged(&room, id).await, phone(&room).await);
    assert_eq!(
        told(&room, id, EntryKind::Escalation).await,
        [
            "escalated to ben: nobody acknowledged",
            "escalated to fay: nobody acknowledged",
            // Its time is the one of this test; the desk's clock has not moved.
            "the webhook status-page is called"
        ]
    );
    assert!(deliveries(&room).await.contains(&"INC-1/0.0.3/service/status-page".to_owned()));
    let second = tend(&room, id, after(&incident, 32)).await.unwrap();
    assert_eq!(second.at.map(|at| (at - incident.opened_at).num_seconds()), Some(60), "the next round");
}

#[tokio::test]
async fn where_there_is_no_desktop_nobody_is_sent_to_one_and_every_page_is_on_the_phone() {
    let place = Place::new(ROTA);
    let room = place.room_with(&["--local-channels", "off"]).await;
    let incident = open(&room, Severity::Sev2).await;
    for seconds in [0, 31, 31, 31] {
        tend(&room, incident.id, after(&incident, seconds)).await.unwrap();
    }
    assert_eq!(deliveries(&room).await, ["INC-1/0.0.3/service/status-page"]);
    assert_eq!(phone(&room).await, ["0.0.0 ada", "0.0.2 ben", "0.0.5 fay"]);
    assert_eq!(paged(&room, incident.id).await, phone(&room).await);
}

#[tokio::test]
async fn an_acknowledgement_is_silence_until_it_expires() {
    let place = Place::new(ROTA);
    let room = place.room().await;
    let incident = open(&room, Severity::Sev2).await;
    let id = incident.id;
    tend(&room, id, after(&incident, 0)).await.unwrap();
    room.desk.act(id, ada(), What::Acknowledged).await.unwrap();
    tend(&room, id, after(&incident, 29)).await.unwrap();
    assert_eq!(steps(&room).await, ["0.0.0"]);
    tend(&room, id, after(&incident, 40)).await.unwrap();
    assert_eq!(steps(&room).await, ["0.0.0", "1.0.0"]);
    assert!(room.desk.get(id).await.unwrap().acknowledged.is_none());
    let expired = told(&room, id, EntryKind::Acknowledgement).await;
    assert_eq!(expired, ["acknowledged", "the acknowledgement expired"]);
    let progress = room.duty.progress(&room, id).await.unwrap().unwrap();
    assert_eq!((&*progress.policy, progress.sent.len()), ("major", 2));
}

#[tokio::test]
async fn a_person_asks_for_the_next_level_until_there_is_none() {
    let place = Place::new(ROTA);
    let room = place.room().await;
    let id = open(&room, Severity::Sev1).await.id;
    room.duty.escalate(&room, id, ada(), "I need help").await.unwrap();
    tend(&room, id, Utc::now()).await.unwrap();
    assert_eq!(steps(&room).await, ["0.0.0", "0.0.2", "0.0.3"], "the webhook follows without a wait");
    let asked = told(&room, id, EntryKind::Escalation).await;
    assert_eq!(asked, ["escalated to ben: I need help", "the webhook status-page is called"]);
    let mut more = 0;
    let end = loop {
        match room.duty.escalate(&room, id, ada(), "more").await {
            Ok(_) => more += 1,
            Err(error) => break error.to_string(),
        }
        tend(&room, id, Utc::now()).await.unwrap();
    };
    assert_eq!(end, "the policy major has no further level for INC-1: page a person by name");
    assert_eq!(more, 4, "fay, and the three levels of the repetition");
    room.duty.page(&room, id, ada(), "fay", "please come").await.unwrap();
    assert_eq!(paged(&room, id).await.last().map(String::as_str), Some("none fay"));
    assert!(room.duty.page(&room, id, ada(), "zoe", "").await.is_err());
}

#[tokio::test]
async fn who_gets_a_role_is_notified_and_who_takes_one_is_not() {
    let place = Place::new(ROTA);
    let room = place.room().await;
    let id = open(&room, Severity::Sev4).await.id;
    let gets = |role, person: &str| What::Assigned { role, person: person.to_owned() };
    let team = vec![
        What::DeclaredMajor { why: "checkout is down".to_owned() },
        gets(Role::Commander, "ada"),
        gets(Role::Operations, "ben"),
    ];
    room.duty.assign(&room, id, ada(), team).await.unwrap();
    let told = deliveries(&room).await;
    assert_eq!(told.len(), 1, "ada knows: {told:?}");
    assert!(told[0].starts_with("INC-1/operations-") && told[0].ends_with("/ben/desktop"), "{told:?}");
    let pages = room.phone.after(0, 9).await.unwrap();
    assert_eq!(pages[0].text.as_deref(), Some("INC-1: Orders fail (ada needs you as operations)"));
    assert_eq!(pages[0].severity.as_deref(), Some("SEV-2"), "as it is now");
    assert!(paged(&room, id).await.is_empty(), "no time to acknowledge counts from it");

    room.duty.assign(&room, id, ada(), vec![gets(Role::Operations, "ben")]).await.unwrap();
    assert_eq!(deliveries(&room).await.len(), 1, "ben has it already");
    let unknown = room.duty.assign(&room, id, ada(), vec![gets(Role::Scribe, "zoe")]).await.unwrap_err();
    assert!(unknown.to_string().contains("ada, ben, fay"), "{unknown}");
    assert!(!room.desk.get(id).await.unwrap().roles.contains_key(&Role::Scribe));
}

#[tokio::test]
async fn nobody_is_paged_for_what_is_mitigated_or_over() {
    let place = Place::new(ROTA);
    let room = place.room().await;
    let incident = open(&room, Severity::Sev2).await;
    let id = incident.id;
    tend(&room, id, after(&incident, 0)).await.unwrap();
    let moved = |to| What::Moved { to, why: "tried".to_owned() };
    room.desk.act_all(id, ada(), vec![moved(State::Active), moved(State::Mitigated)]).await.unwrap();
    assert_eq!(tend(&room, id, after(&incident, 500)).await.unwrap().at, None);
    let refused = room.duty.escalate(&room, id, ada(), "").await.unwrap_err().to_string();
    assert_eq!(refused, "INC-1 is mitigated, so nobody is paged for it: make it active again first");
    room.desk.act(id, ada(), moved(State::Resolved)).await.unwrap();
    tend(&room, id, after(&incident, 500)).await.unwrap();
    assert_eq!(steps(&room).await, ["0.0.0"]);
    room.desk.act(id, ada(), moved(State::Active)).await.unwrap();
    tend(&room, id, Utc::now()).await.unwrap();
    assert_eq!(steps(&room).await, ["0.0.0", "1.0.0"], "it is back, so people are paged again");
    assert_eq!(phone(&room).await.len(), 2);
    assert_eq!(deliveries(&room).await.len(), 4);
}

#[tokio::test]
async fn an_incident_without_a_policy_says_once_that_nobody_is_paged() {
    let place = Place::new(ROTA);
    let room = place.room().await;
    let id = open(&room, Severity::Sev4).await.id;
    for _ in 0..3 {
        assert_eq!(tend(&room, id, Utc::now()).await.unwrap().at, None);
    }
    let said = told(&room, id, EntryKind::Escalation).await;
    assert_eq!(said, ["nobody is paged: oncall.yaml has no policy for SEV-4"]);
    assert_eq!(room.duty.progress(&room, id).await.unwrap(), None);
    room.desk.act(id, ada(), What::DeclaredMajor { why: String::new() }).await.unwrap();
    tend(&room, id, Utc::now()).await.unwrap();
    assert_eq!(phone(&room).await, ["0.0.0 ada"]);
}

#[tokio::test]
async fn an_unknown_incident_is_an_error() {
    let room = room(None, None).await;
    let error = tend(&room, Id(7), Utc::now()).await.unwrap_err().to_string();
    assert!(error.contains("there is no INC-7"), "{error}");
}

#[tokio::test]
async fn the_timers_notify_without_being_asked_before_and_after_a_restart() {
    let place = Place::new(&ROTA.replace("15m", "10s"));
    let id = {
        let room = place.room().await;
        let id = open(&room, Severity::Sev2).await.id;
        duty::start(&room);
        until("the second level", || async { steps(&room).await.len() >= 3 }).await;
        room.chassis.kill();
        room.chassis.tasks.close();
        room.chassis.tasks.wait().await;
        id
    };
    let room = place.room().await;
    duty::start(&room);
    until("the third level", || async { steps(&room).await.contains(&"0.0.5".to_owned()) }).await;
    room.desk.act(id, ada(), What::Acknowledged).await.unwrap();
    let second = open(&room, Severity::Sev2).await.id;
    until("the first level of the second one", || async { !paged(&room, second).await.is_empty() }).await;
    assert_eq!(paged(&room, id).await, ["0.0.0 ada", "0.0.2 ben", "0.0.5 fay"]);
    room.chassis.kill();
}
