use std::{fs, path::PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use rota::schedule::Change;
use tempfile::TempDir;

use super::Duty;
use crate::{
    bus::{Bus, Kind},
    error::Error,
    store::{Store, journal_of},
};

const PEOPLE: &str = "people:\n  - {name: ada, zone: Europe/Berlin}\n  - {name: ben, zone: Europe/Berlin}\n";
/// Ada and Ben take turns of a day.
const TURNS: &str = "schedules:\n  - name: first-line\n    zone: UTC\n    layers:\n      - name: day\n        \
                     rotation: {unit: day, start: 2026-01-05T00:00, people: [ada, ben]}\n";
/// Nobody but Ada.
const ALONE: &str = "schedules:\n  - name: first-line\n    zone: UTC\n    layers:\n      - name: day\n        \
                     rotation: {unit: day, start: 2026-01-05T00:00, people: [ada]}\n";

struct Rig {
    folder: TempDir,
    store: Store,
    bus: Bus,
    duty: Duty,
}

impl Rig {
    async fn start(schedules: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("oncall.yaml");
        fs::write(&file, format!("{PEOPLE}{schedules}")).unwrap();
        let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
        let duty = Duty::open(&store, &bus, Some(&file), 60).await.unwrap();
        Self { folder, store, bus, duty }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("oncall.yaml")
    }

    fn primary(&self, at: DateTime<Utc>) -> String {
        self.duty.now(at)[0].primary.clone().unwrap().person
    }

    /// Tomorrow at noon, and who is on call then.
    fn tomorrow(&self) -> (DateTime<Utc>, String) {
        let noon = (Utc::now().date_naive() + TimeDelta::days(1)).and_hms_opt(12, 0, 0).unwrap().and_utc();
        (noon, self.primary(noon))
    }
}

fn other(person: &str) -> String {
    if person == "ada" { "ben".to_owned() } else { "ada".to_owned() }
}

fn expected(error: &Error) -> (String, String) {
    match error {
        Error::Field { field, expected } => (field.clone(), expected.clone()),
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_wrong_file_at_the_start_is_an_error_with_its_place() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("oncall.yaml");
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let said = |error: anyhow::Error| format!("{error:#}");
    let missing = Duty::open(&store, &bus, Some(&file), 60).await.err().map(said).unwrap();
    assert!(missing.contains("oncall.yaml: cannot be read"), "{missing}");
    fs::write(&file, format!("{PEOPLE}{}", TURNS.replace("[ada, ben]", "[ada, zoe]"))).unwrap();
    let wrong = Duty::open(&store, &bus, Some(&file), 60).await.err().map(said).unwrap();
    assert!(wrong.contains("oncall.yaml:9: schedules[0].layers[0].rotation.people[1]"), "{wrong}");
}

#[tokio::test]
async fn without_a_file_nobody_is_on_call() {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let duty = Duty::open(&store, &bus, None, 60).await.unwrap();
    assert!(duty.now(Utc::now()).is_empty() && duty.people().is_empty());
    let unknown = duty.shifts("first-line", Utc::now(), Utc::now()).unwrap_err().to_string();
    assert_eq!(unknown, "there is no schedule `first-line`; there are: none");
    assert!(duty.reread(Utc::now()).is_none());
}

#[tokio::test]
async fn a_changed_file_is_in_force_and_a_wrong_one_leaves_the_last_good_one_in_force() {
    let rig = Rig::start(TURNS).await;
    let now = Utc::now();
    assert_eq!(rig.duty.reread(now), None, "it has not changed");
    fs::write(rig.file(), format!("{PEOPLE}{ALONE}")).unwrap();
    assert!(rig.duty.reread(now).unwrap().ends_with("has changed and is in force"));
    assert_eq!(
        (rig.primary(now), rig.primary(now + TimeDelta::days(1))),
        ("ada".to_owned(), "ada".to_owned())
    );
    fs::write(rig.file(), format!("{PEOPLE}{}", ALONE.replace("[ada]", "[zoe]"))).unwrap();
    let said = rig.duty.reread(now).unwrap();
    assert!(said.contains("has 1 problem,") && said.contains("oncall.yaml:9"), "{said}");
    assert_eq!(rig.primary(now), "ada");
    let problems = rig.duty.rota().problems.clone();
    assert!(problems.len() == 1 && problems[0].contains("`zoe` is not in `people`"), "{problems:?}");
    assert_eq!(rig.duty.reread(now), None, "said once");
    fs::remove_file(rig.file()).unwrap();
    assert!(rig.duty.reread(now).unwrap().contains("cannot be read"));
    assert_eq!(rig.primary(now), "ada");
    fs::write(rig.file(), format!("{PEOPLE}{TURNS}")).unwrap();
    assert!(rig.duty.reread(now).is_some());
    assert_eq!(rig.duty.rota().problems, Vec::<String>::new());
}

#[tokio::test]
async fn an_override_holds_in_its_span_and_survives_a_restart() {
    let rig = Rig::start(TURNS).await;
    let (noon, person) = rig.tomorrow();
    let change = Change::Replace { person: person.clone(), with: other(&person) };
    let hour = TimeDelta::hours(1);
    let row = rig.duty.add_override("ada", "first-line", change, noon - hour, noon + hour).await.unwrap();
    assert_eq!(rig.primary(noon), other(&person));
    assert_eq!(rig.primary(noon + hour), person);
    let again = Duty::open(&rig.store, &rig.bus, Some(&rig.file()), 60).await.unwrap();
    assert_eq!(again.overrides(), rig.duty.overrides());
    assert_eq!(again.now(noon)[0].primary.as_ref().unwrap().person, other(&person));
    rig.duty.remove_override("ben", row.id).await.unwrap();
    assert_eq!(rig.primary(noon), person);
    let gone = rig.duty.remove_override("ben", row.id).await.unwrap_err().to_string();
    assert_eq!(gone, format!("there is no override `{}`; there are: none", row.id));
    let journal = journal_of(&rig.store, Kind::Rota, 10).await.unwrap();
    let by: Vec<&str> = journal.iter().filter_map(|notice| notice.data["by"].as_str()).collect();
    assert_eq!(by, ["ben", "ada"]);
}

#[tokio::test]
async fn one_more_person_is_on_call_without_being_primary() {
    let rig = Rig::start(TURNS).await;
    let (noon, person) = rig.tomorrow();
    let change = Change::Add(other(&person));
    rig.duty.add_override("ada", "first-line", change, noon, noon + TimeDelta::hours(1)).await.unwrap();
    let now = &rig.duty.now(noon)[0];
    assert_eq!(
        (now.primary.as_ref().unwrap().person.as_str(), &now.added),
        (&*person, &vec![other(&person)])
    );
    let midnight = noon + TimeDelta::hours(12);
    assert_eq!((now.until, now.next.as_ref()), (Some(midnight), Some(&other(&person))));
}

#[tokio::test]
async fn an_override_that_cannot_hold_is_refused() {
    let rig = Rig::start(ALONE).await;
    let now = Utc::now();
    let (hour, day) = (TimeDelta::hours(1), TimeDelta::days(1));
    let ada = || Change::Replace { person: "ada".to_owned(), with: "ben".to_owned() };
    let add = async |change, from, until| {
        expected(&rig.duty.add_override("ada", "first-line", change, from, until).await.unwrap_err())
    };
    assert_eq!(add(ada(), now + hour, now + hour).await.0, "until");
    assert!(add(ada(), now, now + day * 91).await.1.contains("at most 90 days"));
    assert!(add(ada(), now - day, now - hour).await.1.contains("in the future"));
    let (field, why) = add(Change::Add("zoe".to_owned()), now, now + hour).await;
    assert_eq!((&*field, &*why), ("person", "`zoe` is not in oncall.yaml: expected one of ada, ben"));
    let same = Change::Replace { person: "ada".to_owned(), with: "ada".to_owned() };
    assert_eq!(add(same, now, now + hour).await.0, "with");
    let (_, why) = add(Change::Remove("ada".to_owned()), now, now + hour).await;
    assert!(why.contains("nobody is on call in first-line"), "{why}");
    let unknown = rig.duty.add_override("ada", "second-line", ada(), now, now + hour).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no schedule `second-line`; there are: first-line");
    assert!(rig.duty.overrides().is_empty());
}

#[tokio::test]
async fn an_override_that_the_file_overtakes_is_a_problem_and_not_a_gap() {
    let rig = Rig::start(TURNS).await;
    let (noon, _) = rig.tomorrow();
    let change = Change::Replace { person: "ada".to_owned(), with: "ben".to_owned() };
    rig.duty.add_override("ada", "first-line", change, noon, noon + TimeDelta::days(2)).await.unwrap();
    let without_ben = format!("{PEOPLE}{ALONE}").replace("  - {name: ben, zone: Europe/Berlin}\n", "");
    fs::write(rig.file(), without_ben).unwrap();
    assert!(rig.duty.reread(Utc::now()).is_some());
    assert_eq!(rig.primary(noon), "ada");
    let problems = rig.duty.rota().problems.clone();
    assert!(
        problems.len() == 1 && problems[0].starts_with("override 1 is not applied: `ben`"),
        "{problems:?}"
    );
    assert_eq!(rig.duty.overrides().len(), 1, "it is kept: the file may change back");
}

#[tokio::test]
async fn calendars_and_reports_know_the_overrides() {
    let rig = Rig::start(ALONE).await;
    let now = Utc::now();
    let change = Change::Replace { person: "ada".to_owned(), with: "ben".to_owned() };
    let (from, until) = (now + TimeDelta::days(1), now + TimeDelta::days(2));
    rig.duty.add_override("ada", "first-line", change, from, until).await.unwrap();
    let calendar = rig.duty.ical("first-line", Some("ben"), now).unwrap();
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 1, "{calendar}");
    assert_eq!(rig.duty.shifts("first-line", now, now + TimeDelta::days(3)).unwrap().len(), 3);
    assert!(rig.duty.report(now).schedules[0].people.iter().any(|load| load.person == "ben"));
    assert!(rig.duty.ical("first-line", Some("zoe"), now).is_err());
    assert!(rig.duty.shifts("first-line", now, now + TimeDelta::days(401)).is_err());
}
