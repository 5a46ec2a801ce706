use std::fs;

use chrono::{TimeDelta, Utc};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{Owner, Part};
use crate::{
    bus::{Bus, Kind},
    changes::Changes,
    duty::Duty,
    error::{Error, Result},
    store::{Store, journal_of},
};

const FILE: &str = "people:\n  - {name: ada, zone: Europe/Berlin}\n  - {name: ben, zone: Europe/Berlin}\n\
                    schedules:\n  - name: first-line\n    zone: UTC\n    fallback: ada\n\
                    policies:\n  - {name: major, severities: [SEV-1], steps: [{notify_schedule: first-line}]}\n";

struct Rig {
    folder: TempDir,
    store: Store,
    bus: Bus,
    changes: Changes,
    duty: Duty,
}

impl Rig {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("oncall.yaml"), FILE).unwrap();
        let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
        let changes = Changes::open(&store, &bus).await.unwrap();
        let duty = Duty::open(&store, &bus, Some(&folder.path().join("oncall.yaml")), 60).await.unwrap();
        Self { folder, store, bus, changes, duty }
    }

    /// As after a restart.
    async fn again(&self) -> Duty {
        Duty::open(&self.store, &self.bus, Some(&self.folder.path().join("oncall.yaml")), 60).await.unwrap()
    }

    fn rewrite(&self, text: &str) -> String {
        fs::write(self.folder.path().join("oncall.yaml"), text).unwrap();
        self.duty.reread(Utc::now()).unwrap()
    }

    async fn put(&self, part: Part, name: &str, data: Value) -> Result<bool> {
        let data: Map<String, Value> = serde_json::from_value(data).unwrap();
        self.duty.declare(&self.changes, "ada", part, name, data).await
    }

    async fn delete(&self, part: Part, name: &str) -> Result<()> {
        self.duty.withdraw(&self.changes, "ben", part, name).await
    }

    /// Nights of Ben, and a policy for tickets that uses them.
    async fn nights(&self) {
        assert!(self.put(Part::Schedule, "nights", nights("ben")).await.unwrap());
        assert!(self.put(Part::Policy, "tickets", tickets("SEV-4")).await.unwrap());
    }
}

fn nights(person: &str) -> Value {
    json!({ "zone": "UTC", "fallback": person })
}

fn tickets(severity: &str) -> Value {
    json!({ "severities": [severity], "steps": [{ "notify_schedule": "nights" }] })
}

fn on_call(duty: &Duty, schedule: &str) -> Option<String> {
    let now = duty.now(Utc::now()).into_iter().find(|one| one.schedule == schedule)?;
    now.primary.map(|primary| primary.person)
}

fn fields(error: Error) -> Vec<(String, String)> {
    match error {
        Error::Fields(fields) => fields,
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn what_is_declared_is_in_force_at_once_and_after_a_restart() {
    let rig = Rig::start().await;
    rig.nights().await;
    for duty in [rig.duty.clone(), rig.again().await] {
        assert_eq!(on_call(&duty, "nights").as_deref(), Some("ben"));
        assert_eq!(duty.rota().rota.policy(4).map(|policy| policy.name.as_str()), Some("tickets"));
        assert_eq!(duty.rota().problems, Vec::<String>::new());
        let written = duty.written(Part::Schedule, "nights").unwrap();
        assert_eq!(written.entry, json!({ "name": "nights", "zone": "UTC", "fallback": "ben" }));
        assert_eq!((written.owner, written.by.as_deref(), written.in_force), (Owner::Api, Some("ada"), true));
    }
    assert!(!rig.put(Part::Schedule, "nights", nights("ada")).await.unwrap(), "it is not new");
    assert_eq!(on_call(&rig.duty, "nights").as_deref(), Some("ada"));
    rig.delete(Part::Policy, "tickets").await.unwrap();
    rig.delete(Part::Schedule, "nights").await.unwrap();
    assert_eq!((on_call(&rig.duty, "nights"), on_call(&rig.again().await, "nights")), (None, None));
}

#[tokio::test]
async fn each_change_is_told_once() {
    let rig = Rig::start().await;
    rig.nights().await;
    rig.put(Part::Schedule, "nights", nights("ben")).await.unwrap();
    rig.delete(Part::Policy, "tickets").await.unwrap();
    let expected = [
        "ben has withdrawn the policy tickets",
        "ada has declared the policy tickets",
        "ada has declared the schedule nights",
    ];
    let journal = journal_of(&rig.store, Kind::Rota, 10).await.unwrap();
    let told: Vec<&str> = journal.iter().filter_map(|notice| notice.data["text"].as_str()).collect();
    assert_eq!(told, expected);
    let changes = rig.changes.since(Utc::now() - TimeDelta::hours(1));
    assert!(changes.iter().all(|change| change.kind == "configuration" && change.service.is_none()));
    assert_eq!(changes.into_iter().map(|change| change.text).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_the_file_has_is_the_files() {
    let rig = Rig::start().await;
    for (part, name, data) in
        [(Part::Schedule, "first-line", nights("ben")), (Part::Policy, "major", tickets("SEV-4"))]
    {
        let refused = rig.put(part, name, data).await.unwrap_err();
        assert!(
            matches!(refused, Error::NotHere { .. }) && refused.to_string().contains("owns it"),
            "{refused}"
        );
        let refused = rig.delete(part, name).await.unwrap_err();
        assert!(refused.to_string().contains("change the file"), "{refused}");
        assert_eq!(rig.duty.written(part, name).unwrap().owner, Owner::File);
    }
    assert_eq!(rig.duty.written(Part::Schedule, "first-line").unwrap().entry["fallback"], "ada");
    let unknown = rig.delete(Part::Policy, "nothing").await.unwrap_err().to_string();
    assert_eq!(unknown, "there is no policy `nothing`; there are: major");
}

#[tokio::test]
async fn what_would_make_the_whole_invalid_changes_nothing() {
    let rig = Rig::start().await;
    rig.nights().await;
    let before = rig.duty.rota();
    for (part, name, data, field, why) in [
        (Part::Schedule, "late", nights("zoe"), "/fallback", "`zoe` is not in `people`"),
        (Part::Schedule, "late", json!({ "zone": "UTC" }), "body", "nobody is on call"),
        (Part::Schedule, "late", json!({ "zone": "Berlin", "fallback": "ada" }), "/zone", "`Europe/Berlin`"),
        (Part::Schedule, "Late", nights("ada"), "schedule", "is not a name"),
        (Part::Policy, "more", tickets("SEV-1"), "/severities", "another policy is for SEV-1"),
        (Part::Policy, "more", tickets("SEV-4"), "/severities", "another policy is for SEV-4"),
        (Part::Policy, "more", tickets("worst"), "/severities/0", "expected SEV-1 to SEV-5"),
        (
            Part::Policy,
            "more",
            json!({ "steps": [{ "wait": "5m" }, { "notify_person": "zoe" }] }),
            "/steps/1/notify_person",
            "`zoe` is not in `people`",
        ),
    ] {
        let wrong = fields(rig.put(part, name, data).await.unwrap_err());
        assert!(wrong.len() == 1 && wrong[0].0 == field && wrong[0].1.contains(why), "{field}: {wrong:?}");
    }
    let needed = rig.delete(Part::Schedule, "nights").await.unwrap_err().to_string();
    let expected = "the policy tickets of the API: steps[0].notify_schedule: `nights` is not in `schedules`";
    assert!(needed.starts_with(expected), "{needed}");
    assert_eq!(rig.duty.rota().rota, before.rota);
    assert_eq!(rig.again().await.rota().rota, before.rota);
    assert_eq!(journal_of(&rig.store, Kind::Rota, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_file_that_collides_waits_until_the_name_is_free() {
    let rig = Rig::start().await;
    rig.nights().await;
    let file = FILE.replace("policies:", "  - name: nights\n    zone: UTC\n    fallback: ada\npolicies:");
    let said = rig.rewrite(&file);
    assert!(said.contains("the last good version stays in force"), "{said}");
    assert!(said.contains("the schedule nights of the API: name: `nights` is already taken"), "{said}");
    assert_eq!(on_call(&rig.duty, "nights").as_deref(), Some("ben"));
    let refused = rig.put(Part::Schedule, "nights", nights("ada")).await.unwrap_err().to_string();
    assert!(refused.contains("owns it"), "{refused}");
    // By the version that is in force, the policy would lose its schedule.
    assert!(rig.delete(Part::Schedule, "nights").await.is_err());
    rig.delete(Part::Policy, "tickets").await.unwrap();
    assert_eq!(rig.duty.reread(Utc::now()), None, "it waits");
    let read_at = rig.duty.rota().read_at;
    rig.delete(Part::Schedule, "nights").await.unwrap();
    assert_eq!(on_call(&rig.duty, "nights").as_deref(), Some("ada"), "the file is in force now");
    assert!(rig.duty.rota().read_at > read_at);
    let said = rig.duty.reread(Utc::now()).unwrap();
    assert!(said.ends_with("oncall.yaml fits with what is declared now, and is in force"), "{said}");
    assert_eq!(rig.duty.reread(Utc::now()), None, "said once");
    assert_eq!(rig.duty.rota().problems, Vec::<String>::new());
    assert_eq!(rig.duty.written(Part::Schedule, "nights").unwrap().owner, Owner::File);
}

#[tokio::test]
async fn a_start_finds_a_collision_and_leaves_out_what_does_not_fit() {
    let rig = Rig::start().await;
    rig.nights().await;
    assert!(rig.put(Part::Schedule, "days", nights("ada")).await.unwrap());
    let without_ben = FILE.replace("  - {name: ben, zone: Europe/Berlin}\n", "");
    let said = rig.rewrite(&without_ben);
    assert!(said.contains("the schedule nights of the API: fallback: `ben`"), "{said}");
    assert_eq!(on_call(&rig.duty, "nights").as_deref(), Some("ben"), "the last good file is in force");

    let again = rig.again().await;
    let on = ["first-line", "days", "nights"].map(|name| on_call(&again, name));
    assert_eq!(on, [Some("ada".to_owned()), Some("ada".to_owned()), None]);
    assert_eq!(again.rota().problems.len(), 1, "{:?}", again.rota().problems);
    assert!(!again.written(Part::Schedule, "nights").unwrap().in_force);
    assert!(!again.written(Part::Policy, "tickets").unwrap().in_force, "it needs what is left out");
    // What does not fit can be corrected, and what is new is not refused for it.
    let data = |value| serde_json::from_value(value).unwrap();
    let ada = data(nights("ada"));
    assert!(again.declare(&rig.changes, "ada", Part::Schedule, "more", data(nights("ada"))).await.unwrap());
    assert!(!again.declare(&rig.changes, "ada", Part::Schedule, "nights", ada).await.unwrap());
    assert_eq!(again.rota().problems, Vec::<String>::new());
    assert!(again.written(Part::Policy, "tickets").unwrap().in_force);
}

#[tokio::test]
async fn without_a_file_there_is_nobody_to_put_on_call() {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let changes = Changes::open(&store, &bus).await.unwrap();
    let duty = Duty::open(&store, &bus, None, 60).await.unwrap();
    let data = serde_json::from_value(nights("ada")).unwrap();
    let refused = duty.declare(&changes, "ada", Part::Schedule, "nights", data).await.unwrap_err();
    assert!(refused.to_string().contains("ONCALL_FILE"), "{refused}");
    assert!(duty.written(Part::Schedule, "nights").is_err());
}
