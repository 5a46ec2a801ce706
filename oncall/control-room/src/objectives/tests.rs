use serde_json::{Value, json};

use super::*;

fn fields(change: Value) -> ObjectiveFields {
    let mut all = json!({
        "service": "order-api", "owner": "shop", "promise": "Orders are answered.", "reason": "It is a test.",
        "indicator": "order-availability", "objective": 0.99, "window": "7d",
    });
    let (Value::Object(all), Value::Object(change)) = (&mut all, change) else { panic!("an object") };
    all.extend(change);
    all.retain(|_, value| !value.is_null());
    serde_json::from_value(Value::Object(all.clone())).unwrap()
}

struct Rig {
    store: Store,
    bus: Bus,
    content: Content,
    changes: Changes,
}

impl Rig {
    async fn new() -> Self {
        let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
        let changes = Changes::open(&store, &bus).await.unwrap();
        Self { store, bus, content: Content::open(None).unwrap(), changes }
    }

    async fn open(&self) -> Objectives {
        Objectives::open(&self.store, &self.bus, &self.content).await.unwrap()
    }
}

#[tokio::test]
async fn what_was_declared_is_in_force_after_a_restart_unless_the_files_have_changed() {
    let rig = Rig::new().await;
    let objectives = rig.open().await;
    assert!(objectives.declare(&rig.changes, "ada", "checkout", fields(json!({}))).await.unwrap());
    let again = objectives.declare(&rig.changes, "ben", "checkout", fields(json!({}))).await.unwrap();
    assert!(!again && objectives.declared("checkout").unwrap().by == "ada", "nothing has changed");
    // As if a file had its indicator then, and another had no such name.
    for (name, change) in [("gone", json!({ "indicator": "gone" })), ("order-latency", json!({}))] {
        let data = serde_json::to_string(&fields(change)).unwrap();
        let mut writing = rig.store.begin().await.unwrap();
        sqlx::query("INSERT INTO declared (kind, name, data, changed_by, changed_at) VALUES ('objective', ?, ?, 'ada', 1)")
            .bind(name)
            .bind(data)
            .execute(&mut *writing)
            .await
            .unwrap();
        writing.commit(&rig.bus).await.unwrap();
    }
    let after = rig.open().await;
    let found: Vec<_> = after.all().iter().map(|one| (one.name.clone(), one.slo.is_ok())).collect();
    let expected = [("checkout", true), ("gone", false), ("order-latency", false)];
    assert_eq!(found, expected.map(|(name, fits)| (name.to_owned(), fits)));
    let why = |name: &str| after.declared(name).unwrap().slo.as_ref().unwrap_err().clone();
    assert!(why("gone").contains("`gone` is no objective of a file"), "{}", why("gone"));
    assert!(why("order-latency").contains("and owns it"), "{}", why("order-latency"));
    for name in ["gone", "order-latency"] {
        after.withdraw(&rig.changes, "ada", name).await.unwrap();
    }
    assert_eq!(after.all().len(), 1);
}

#[tokio::test]
async fn an_indicator_of_any_kind_is_that_of_its_file() {
    let rig = Rig::new().await;
    let objectives = rig.open().await;
    for slo in rig.content.slos() {
        let change = json!({ "indicator": slo.name, "service": slo.service });
        let name = format!("stricter-{}", slo.name);
        objectives.declare(&rig.changes, "ada", &name, fields(change)).await.unwrap();
        let declared = objectives.declared(&name).unwrap();
        let own = declared.slo.as_ref().unwrap();
        assert_eq!((own.sli.kind(), own.minimum_errors), (slo.sli.kind(), slo.minimum_errors), "{name}");
        assert!(declared.live(&rig.content, Clock::Lab).is_some());
    }
}

#[tokio::test]
async fn what_was_measured_of_an_older_declaration_is_not_kept() {
    let rig = Rig::new().await;
    let objectives = rig.open().await;
    let declare = async |objective: f64| {
        let fields = fields(json!({ "objective": objective }));
        objectives.declare(&rig.changes, "ada", "checkout", fields).await.unwrap();
        objectives.declared("checkout").unwrap()
    };
    let measured = Measured { known: Some(1.0), ..Measured::default() };
    let before = declare(0.99).await;
    objectives.keep(&before, |known| known.clone_from(&measured));
    assert_eq!(objectives.measured("checkout"), measured);
    let after = declare(0.98).await;
    assert_eq!(objectives.measured("checkout"), Measured::default());
    objectives.keep(&before, |known| known.clone_from(&measured));
    assert_eq!(objectives.measured("checkout"), Measured::default());
    objectives.keep(&after, |known| known.clone_from(&measured));
    assert_eq!(objectives.measured("checkout"), measured);
}
