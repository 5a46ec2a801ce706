//! Two services that are released at once: neither waits for the other.

use std::{fs, path::Path};

use release::fleet::{BUILDS, Build, Crew as Wanted, FILE, FOLDER, STANDING, Trial, Version, shares};
use supervisor::{Folder, Guests, part::Line, probe::Probe, roster};
use tokio::time::timeout;

use super::*;
use crate::parts::edge::tests::choices;

/// Longer than anything takes that waits for nobody.
const SOON: Duration = Duration::from_secs(10);

fn version(name: &str) -> Version {
    Version { name: name.to_owned(), build: Build::default() }
}

/// Of a lab with one instance of each service, of which none is ever ready.
fn agent(folder: &Path) -> (Agent, Board, Guests) {
    let home = Home { root: folder.to_owned(), dir: Folder::at(folder), token: None };
    let parts = BEHIND.map(|service| {
        Part::new(service, Line::new("/bin/true"), Probe::Http(String::new())).port(service, 1)
    });
    let (roster, guests) = roster();
    let board = Board::new(&home.dir, &parts, |_| {});
    (Agent::new(&home, &choices(&[], &[]), &parts, roster).unwrap(), board, guests)
}

/// The control room wants these versions, without canaries.
fn want(folder: &Path, services: [(&str, Version); 2]) {
    let services = services.map(|(name, version)| (name.to_owned(), Wanted { version, canary: None })).into();
    let fleet = serde_json::to_string(&Fleet { revision: 1, services }).unwrap();
    fs::create_dir_all(folder.join(FOLDER)).unwrap();
    fs::write(folder.join(FOLDER).join(FILE), fleet).unwrap();
}

fn standing(folder: &Path) -> Standing {
    serde_json::from_slice(&fs::read(folder.join(FOLDER).join(STANDING)).unwrap()).unwrap()
}

#[tokio::test]
async fn a_rollback_does_not_wait_for_another_service_that_changes_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let (mut agent, board, _guests) = agent(folder.path());
    for (service, weight) in [("order-api", 50), ("user-service", 5)] {
        let mut crews = agent.hands.crews();
        let crew = crews.get_mut(service).unwrap();
        (crew.canary, crew.weight, crew.shares) = (Some(version("v2")), weight, Some(shares(weight)));
    }
    let built = agent.hands.crews()["user-service"].version.clone();
    // One is at its end, and its instance has to be ready again; the other one goes back.
    want(folder.path(), [("order-api", version("v2")), ("user-service", built)]);
    agent.tick(&board);
    agent.tick(&board);
    assert_eq!(agent.begun.len(), 2, "one act for each service, and none twice: {:?}", agent.begun);
    let told = standing(folder.path());
    assert!(!told.settled && told.busy.len() == 2, "{told:?}");

    let done = timeout(SOON, agent.acts.join_next_with_id()).await.expect("the rollback waits for nobody");
    agent.done(done.unwrap());
    let left: Vec<_> = agent.begun.values().map(|act| act.setting.service()).collect();
    assert_eq!(left, [Some("order-api")]);
    assert!(agent.failures.is_empty(), "{:?}", agent.failures);
    let crews = agent.hands.crews();
    let back = &crews["user-service"];
    assert_eq!((back.weight, back.shares), (0, None), "the canary has no requests any more");
}

#[tokio::test]
async fn what_is_being_done_is_not_settled_even_if_it_looks_so() {
    let folder = tempfile::tempdir().unwrap();
    let (mut agent, board, _guests) = agent(folder.path());
    let built = agent.hands.crews()["order-api"].version.clone();
    want(folder.path(), [("order-api", built.clone()), ("user-service", built)]);
    let setting = Setting::Canary { service: "order-api".to_owned() };
    let task = agent.acts.spawn(std::future::pending());
    agent.begun.insert(task.id(), Act { setting, to: None });
    agent.tick(&board);
    let told = standing(folder.path());
    assert!(
        !told.settled && told.busy.contains("order-api") && !told.busy.contains("user-service"),
        "{told:?}"
    );
    agent.acts.abort_all();
    let done = timeout(SOON, agent.acts.join_next_with_id()).await.expect("it was ended");
    agent.done(done.unwrap());
    agent.tick(&board);
    assert!(standing(folder.path()).settled, "{:?}", standing(folder.path()));
}

#[tokio::test]
async fn a_baseline_shares_no_code_with_what_runs_if_its_canary_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, board, _guests) = agent(folder.path());
    let own = folder.path().join(FOLDER).join(BUILDS).join("order-api-baseline");
    let build = |binary: Option<&str>| Build { binary: binary.map(str::to_owned), ..Build::default() };
    for (binary, copied) in [(None, false), (Some("/bin/false"), true)] {
        let version = Version { name: "v2".to_owned(), build: build(binary) };
        let canary = Some(Trial { version, weight: 0 });
        let wanted = Wanted { version: agent.hands.crews()["order-api"].version.clone(), canary };
        let setting = Setting::Canary { service: "order-api".to_owned() };
        let act = Act { setting, to: Some("v2".to_owned()) };
        agent.hands.crews().get_mut("order-api").unwrap().canary = None;
        agent.hands.perform(&board, Some(&wanted), &act).await.unwrap();
        assert_eq!(own.exists(), copied, "{binary:?}");
    }
    assert_eq!(fs::read(own).unwrap(), fs::read("/bin/true").unwrap(), "that of the lab");
}
