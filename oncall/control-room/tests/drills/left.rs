//! A run that begins after one of an agent, whose incident has not ended.

use chrono::Utc;
use control_room::{
    Room, SERVICE,
    access::Visitor,
    assemble,
    desk::New,
    drills::{Order, RunView},
};
use drill::Mode;
use incident::{
    Id, Severity, Source, State, Viewer, What,
    alerts::{Alert, AlertKey, Details, Labels},
};

use crate::{lab::Lab, rig::config};

/// An incident about a spent budget that somebody has acknowledged.
async fn spent(room: &Room, who: &str) -> Id {
    let services = vec!["order-api".to_owned()];
    let new = New {
        title: "The budget is spent".to_owned(),
        severity: Severity::Sev4,
        services,
        description: String::new(),
    };
    let from = Source::System("alertmanager".to_owned());
    let id = room.desk.create(from.clone(), new).await.expect("it opens").id;
    let alert = Alert {
        key: AlertKey { fingerprint: who.to_owned(), starts_at: Utc::now() },
        name: "OrderAvailabilityBudgetSpent".to_owned(),
        service: Some("order-api".to_owned()),
        severity: Severity::Sev4,
        summary: "the error budget is spent".to_owned(),
        link: None,
        runbook: None,
        labels: Labels::from([("slo".to_owned(), "order-availability".to_owned())]),
        from: "alertmanager".to_owned(),
        details: Details::new(),
    };
    room.desk.act(id, from, What::AlertFired { alert: Box::new(alert) }).await.expect("it fires");
    let by = Source::Person(who.to_owned());
    room.desk.act(id, by, What::Acknowledged).await.expect("somebody works on it");
    id
}

async fn begin(room: &Room) -> control_room::error::Result<RunView> {
    let ben = Visitor { name: "ben".to_owned(), role: Viewer::Instructor };
    let mode = Mode::Person { name: "restart-all".to_owned() };
    let order = Order { drill: Some("quick".to_owned()), mode, seed: None, difficulty: None, variant: None };
    room.drills.begin(room, &ben, order).await
}

#[tokio::test]
async fn tickets_about_budgets_that_an_agent_left_keep_no_drill_from_beginning() {
    let (lab, folder) = (Lab::start().await, tempfile::tempdir().expect("a folder"));
    let config = config(folder.path(), &lab);
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    let room = assemble(&config, chassis).await.expect("a control room");
    let (left, own) = (spent(&room, "restart-all").await, spent(&room, "ada").await);
    let refused = begin(&room).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("somebody works on {own}")), "{refused}");
    let incident = room.desk.get(left).await.expect("it is kept");
    assert_eq!(incident.state, State::Resolved, "{incident:?}");
    let why = "only tickets about budgets are left, and a drill begins";
    assert!(incident.timeline.iter().any(|entry| entry.text.contains(why)), "{incident:?}");
    let dismissed = What::Moved { to: State::Dismissed, why: "a test".to_owned() };
    room.desk.act(own, Source::Person("ada".to_owned()), dismissed).await.expect("it is dismissed");
    begin(&room).await.expect("it begins");
}
