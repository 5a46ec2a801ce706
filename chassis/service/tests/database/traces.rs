//! Spans of the database, and one trace from the change through the outbox to the message.

use std::time::Duration;

use chassis_outbox::{Outbox, OutboxEntry, Retire};
use chassis_postgres::{DbError, QueryType};
use testkit::{Kafka, TraceSink, assert_child, needs};
use tracing::Instrument;
use uuid::Uuid;

use crate::world::{DEADLINE, World};

const TOPIC: &str = "things";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_and_its_message_are_one_trace() {
    needs!(Postgres);
    let (sink, kafka) = (TraceSink::start().await, Kafka::with_topics(&[TOPIC]));
    let endpoint = sink.endpoint();
    let world = World::new(&["--otlp-endpoint", &endpoint, "--kafka-brokers", kafka.brokers()]).await;
    let guard = testkit::panics_shown(|| chassis_otlp::init(&world.chassis)).unwrap();
    let producer =
        chassis_kafka::Kafka::connect(&world.config.kafka, &world.chassis).unwrap().producer(TOPIC);
    let outbox = Outbox::start(world.database.clone(), producer, Retire::OnDelivery, &world.chassis);

    let request = async {
        let mut tx = world.database.transaction("store_thing").await.unwrap();
        outbox
            .stage(&mut tx, &[&OutboxEntry::new(Uuid::now_v7(), TOPIC, "k".into(), b"0".into())])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        outbox.wake();
        let mut query = world.database.query(QueryType::Select, "break_thing").await.unwrap();
        let broken = sqlx::query("SELECT nothing").execute(&mut query).await.map_err(DbError::from);
        assert!(matches!(broken, Err(DbError::Other(_))), "{broken:?}");
        chassis_telemetry::traces::current_trace_id().unwrap()
    };
    let trace_id = request.instrument(tracing::info_span!("request")).await;
    assert_eq!(kafka.read(TOPIC, 1, DEADLINE).await.len(), 1);
    world.counts("outbox_published_total", &[("outcome", "ok")], 1.0).await;
    guard.shutdown();

    let names = ["request", "store_thing", "break_thing", "publish things"];
    let spans = sink.wait_for(&trace_id, &names, Duration::from_secs(5)).await;
    let [request, store, broken, publish] =
        names.map(|name| spans.iter().find(|span| span.name == name).expect("was waited for"));
    assert_child(store, request);
    assert_child(broken, request);
    // The current span when the event was staged: the request, not the transaction's span next to it.
    assert_child(publish, request);
    assert_eq!((store.kind, store.error, broken.error), ("client", false, true));
    assert_eq!(store.attributes["db.system.name"], "postgresql");
    assert_eq!(store.attributes["db.operation.name"], "TRANSACTION");
    assert!(store.attributes["db.namespace"].starts_with("world_"), "{store:?}");
    assert_eq!(broken.attributes["db.response.status_code"], "42703");
    assert_eq!(broken.attributes["error.type"], "42703");
    // The relay's own statements and polls belong to no request.
    assert!(sink.all().iter().all(|span| span.trace_id == trace_id || span.name != "database"));
}
