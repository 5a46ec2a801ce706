//! What nobody does alone: a restore, with the committed runbook. It waits for a second person in every mode, is never done by
//! itself, and no other way leads to it.

use std::collections::BTreeMap;

use control_room::{
    Room,
    error::Result,
    runbooks::{
        tend,
        view::{RunState, RunbookRunView},
    },
};
use runbook::{Mode, Verb};
use switchboard::Action;

use crate::{
    place::{Place, person},
    system::System,
};

/// Backups are made, and all is well afterwards.
fn well(query: &str, _: bool) -> f64 {
    let none = ["database_errors_total", "slo:current_burn_rate", "wal_archived", "last_verified"];
    if none.iter().any(|name| query.contains(name)) { 0.0 } else { 1.0 }
}

async fn begin(room: &Room, mode: Mode) -> Result<RunbookRunView> {
    let given = [("to", "2026-03-01T10:15:00Z"), ("instance", "sre-lab/.lab")];
    let given: BTreeMap<String, String> =
        given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    room.runbooks.begin(room, &person("ada"), "restore", mode, None, given).await
}

/// The run, once it waits for somebody or is over.
async fn after(room: &Room, id: &str) -> RunbookRunView {
    tend(room, id).await.expect("it continues");
    room.runbooks.run(id).await.expect("a run")
}

#[tokio::test]
async fn a_restore_waits_for_a_second_person_in_every_mode_and_is_done_once() {
    for mode in [Mode::Ask, Mode::Manual] {
        let (place, system) = (Place::committed(&["restore"]), System::new(well));
        let room = place.with(system.clone()).await;
        let id = begin(&room, mode).await.expect("a run").id;
        let mut run = after(&room, &id).await;
        while run.state == RunState::WaitingForYou {
            room.runbooks.confirm(&room, &person("ada"), &id, None).await.expect("it is confirmed");
            run = after(&room, &id).await;
        }
        assert_eq!((run.state, system.times(Verb::Restore)), (RunState::WaitingForApproval, 0), "{run:?}");
        let digest = run.request.expect("a request").digest;
        let alone = room.runbooks.approve(&room, &person("ada"), &id, &digest).await;
        assert!(alone.expect_err("she works on it").to_string().contains("a second person has to"));
        room.runbooks.approve(&room, &person("ben"), &id, &digest).await.expect("it is approved");
        let mut run = after(&room, &id).await;
        while run.state == RunState::WaitingForYou {
            room.runbooks.confirm(&room, &person("ada"), &id, None).await.expect("it is confirmed");
            run = after(&room, &id).await;
        }
        assert_eq!((run.ending.as_deref(), system.times(Verb::Restore)), (Some("succeeded"), 1), "{run:?}");
        let log = room.runbooks.audit().await.expect("the log");
        assert!(log.contains("ben") && log.contains("sre-lab/.lab"), "who approved what is kept: {log}");
    }
}

#[tokio::test]
async fn no_other_way_leads_to_a_restore() {
    let (place, system) = (Place::committed(&["restore"]), System::new(well));
    let room = place.with(system.clone()).await;
    let refused = begin(&room, Mode::Auto).await.expect_err("it would ask nobody").to_string();
    assert!(refused.contains("needs a second person"), "{refused}");
    let action = Action::Restore { instance: "sre-lab/.lab".to_owned(), to: "latest".to_owned() };
    let alone = room.actions.run(&room, &person("ada"), action, None, false).await;
    let refused = alone.expect_err("nobody does it alone").to_string();
    assert!(refused.contains("a second person has to approve it"), "{refused}");
    assert_eq!(system.times(Verb::Restore), 0);
}
