//! The outbox: nothing is lost, the normal case publishes once, and the table always ends up empty.

use std::{collections::BTreeSet, time::Duration};

use chassis_faults::scope::Scope;
use chassis_outbox::{Outbox, OutboxEntry, Retire};
use testkit::{Kafka, Record, eventually, needs};
use uuid::Uuid;

use crate::world::{DEADLINE, World};

pub(crate) const TOPIC: &str = "things";
const ENTRIES: &str = "SELECT count(*) FROM outbox";

pub(crate) fn relay(world: &World, retire: Retire) -> Outbox {
    let kafka = chassis_kafka::Kafka::connect(&world.config.kafka, &world.chassis).unwrap();
    Outbox::start(world.database.clone(), kafka.producer(TOPIC), retire, &world.chassis)
}

pub(crate) async fn world(kafka: &Kafka, args: &[&str]) -> World {
    let with_kafka = ["--kafka-brokers", kafka.brokers(), "--kafka-delivery-timeout", "2s"];
    World::new(&[&with_kafka, args].concat()).await
}

/// Stages payloads `from..to` under one key each, or all under `key`, in one transaction.
async fn stage(world: &World, outbox: &Outbox, range: std::ops::Range<u32>, key: Option<&str>) -> Vec<Uuid> {
    let mut tx = world.database.transaction("stage").await.unwrap();
    let mut ids = Vec::new();
    for n in range {
        let (id, payload) = (Uuid::now_v7(), n.to_string());
        let key = key.unwrap_or(&payload);
        outbox.stage(&mut tx, &[&OutboxEntry::new(id, TOPIC, key.into(), payload.into())]).await.unwrap();
        ids.push(id);
    }
    tx.commit().await.unwrap();
    outbox.wake();
    ids
}

fn numbers(records: &[Record]) -> Vec<u32> {
    records.iter().map(|record| String::from_utf8_lossy(&record.payload).parse().unwrap()).collect()
}

/// Each of the payloads `0..count` is on the topic, some perhaps more than once.
async fn all_arrived(kafka: &Kafka, count: u32) {
    eventually(DEADLINE, || async {
        let seen: BTreeSet<_> =
            numbers(&kafka.read(TOPIC, 10_000, Duration::from_secs(1)).await).into_iter().collect();
        let missing: Vec<_> = (0..count).filter(|n| !seen.contains(n)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("missing: {missing:?}")) }
    })
    .await;
}

/// What a service does in the transaction of the effect.
async fn settle(world: &World, outbox: &Outbox, id: Uuid) {
    let mut tx = world.database.transaction("settle").await.unwrap();
    outbox.retire(&mut tx, &[id]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_delivered_entry_carries_its_scope_and_retires() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &[]).await;
    let outbox = relay(&world, Retire::OnDelivery);

    let scope = Scope { subject: [("user.id", "u-7".to_owned())].into(), ..Scope::default() };
    scope.enter(stage(&world, &outbox, 0..1, Some("k"))).await;

    let records = kafka.read(TOPIC, 1, DEADLINE).await;
    assert_eq!(records[0].key.as_deref(), Some("k"));
    assert_eq!(records[0].payload, b"0");
    assert!(records[0].headers.get("baggage").is_some_and(|b| b.contains("user.id=u-7")), "{records:?}");
    world.sees(ENTRIES, 0).await;
    world.counts("outbox_published_total", &[("outcome", "ok")], 1.0).await;
    assert_eq!(world.scrape().value("outbox_republished_total", &[]), 0.0);
}

#[tokio::test]
async fn an_entry_of_a_rolled_back_transaction_is_never_published() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &[]).await;
    let outbox = relay(&world, Retire::OnDelivery);
    let mut tx = world.database.transaction("stage").await.unwrap();
    outbox
        .stage(&mut tx, &[&OutboxEntry::new(Uuid::now_v7(), TOPIC, "k".into(), b"999".into())])
        .await
        .unwrap();
    drop(tx);
    stage(&world, &outbox, 0..1, None).await;

    world.sees(ENTRIES, 0).await;
    let records = kafka.read(TOPIC, 1, DEADLINE).await;
    assert_eq!(numbers(&records), [0]);
    assert_eq!(world.scrape().value("outbox_published_total", &[]), 1.0);
}

#[tokio::test]
async fn two_relays_at_once_publish_each_entry_once() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &[]).await;
    let other = World::at(&world.url, &["--kafka-brokers", kafka.brokers()]).await;
    let outbox = relay(&world, Retire::OnDelivery);
    let twin = relay(&other, Retire::OnDelivery);

    for n in 0..20 {
        stage(&world, &outbox, n * 100..(n + 1) * 100, None).await;
        twin.wake();
    }
    world.sees(ENTRIES, 0).await;

    let records = kafka.read(TOPIC, 2_001, Duration::from_secs(2)).await;
    assert_eq!(records.len(), 2_000);
    assert_eq!(numbers(&records).into_iter().collect::<BTreeSet<_>>().len(), 2_000);
    let shares = [&world, &other].map(|w| w.scrape().value("outbox_published_total", &[("outcome", "ok")]));
    assert_eq!(shares.iter().sum::<f64>(), 2_000.0, "{shares:?}");
}

#[tokio::test]
async fn an_overdue_entry_is_published_again_until_it_is_settled() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &[]).await;
    let outbox = relay(&world, Retire::OnSettlement { overdue: Duration::from_millis(300) });
    let ids = stage(&world, &outbox, 0..2, None).await;
    settle(&world, &outbox, ids[0]).await;

    let records = kafka.read(TOPIC, 4, DEADLINE).await;

    let ones = numbers(&records).iter().filter(|n| **n == 1).count();
    assert!(ones >= 3, "the unsettled one came {ones} times");
    world.counts("outbox_republished_total", &[], 2.0).await;
    world.counts("outbox_entries", &[], 1.0).await;
    settle(&world, &outbox, ids[1]).await;
    settle(&world, &outbox, ids[1]).await;
    world.sees(ENTRIES, 0).await;
    let published = world.scrape().value("outbox_published_total", &[("outcome", "ok")]);
    // Twice the pause after which an entry is published again: none is left that could be.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(world.scrape().value("outbox_published_total", &[("outcome", "ok")]), published);
}

#[tokio::test]
async fn an_unsettled_entry_is_published_less_and_less_often_but_never_given_up() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let world = world(&kafka, &[]).await;
    let overdue = Duration::from_millis(100);
    let outbox = relay(&world, Retire::OnSettlement { overdue });
    stage(&world, &outbox, 0..1, None).await;

    let pauses = std::cell::RefCell::new(Vec::new());
    eventually(DEADLINE, || async {
        let mut query = world.database.background_query().await.map_err(|error| error.to_string())?;
        let pause: Option<f64> = sqlx::query_scalar(
            "SELECT extract(epoch FROM publish_at - published_at)::float8 / 0.1 FROM outbox",
        )
        .fetch_one(&mut query)
        .await
        .map_err(|error| error.to_string())?;
        pauses.borrow_mut().extend(pause);
        if pause >= Some(7.99) { Ok(()) } else { Err(format!("{pause:?} times the first pause")) }
    })
    .await;
    // At most eight times: a broker that lost its log gets the oldest order back within that time.
    world.counts("outbox_republished_total", &[], 6.0).await;
    assert!(pauses.borrow().iter().all(|pause| (0.99..=8.01).contains(pause)), "{pauses:?}");
}

#[tokio::test]
async fn a_settled_entry_in_time_is_published_once() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &[]).await;
    let outbox = relay(&world, Retire::OnSettlement { overdue: Duration::from_secs(30) });
    let ids = stage(&world, &outbox, 0..1, None).await;
    assert_eq!(kafka.read(TOPIC, 1, DEADLINE).await.len(), 1);
    world.sees("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL", 1).await;
    settle(&world, &outbox, ids[0]).await;
    assert_eq!(world.number(ENTRIES).await, 0);
    assert_eq!(world.scrape().value("outbox_published_total", &[]), 1.0);
    assert_eq!(world.scrape().value("outbox_republished_total", &[]), 0.0);
}

#[tokio::test]
async fn staging_an_id_again_makes_it_due_again() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let world = world(&kafka, &[]).await;
    let outbox = relay(&world, Retire::OnSettlement { overdue: Duration::from_secs(60) });
    let id = stage(&world, &outbox, 0..1, None).await[0];
    assert_eq!(kafka.read(TOPIC, 1, DEADLINE).await.len(), 1);

    let mut tx = world.database.transaction("stage").await.unwrap();
    outbox.stage(&mut tx, &[&OutboxEntry::new(id, TOPIC, "0".into(), b"0".into())]).await.unwrap();
    tx.commit().await.unwrap();
    outbox.wake();

    assert_eq!(kafka.read(TOPIC, 2, DEADLINE).await.len(), 2);
}

#[tokio::test]
async fn entries_wait_while_the_broker_is_down_and_are_published_when_it_is_back() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &["--kafka-delivery-timeout", "500ms"]).await;
    let outbox = relay(&world, Retire::OnDelivery);
    stage(&world, &outbox, 0..1, None).await;
    world.sees(ENTRIES, 0).await;
    kafka.down();

    stage(&world, &outbox, 1..11, None).await;

    world.counts("outbox_published_total", &[("outcome", "error")], 10.0).await;
    world.counts("outbox_entries", &[], 10.0).await;
    world.counts("outbox_oldest_age_seconds", &[], 1.0).await;
    kafka.up();
    world.sees(ENTRIES, 0).await;
    all_arrived(&kafka, 11).await;
}

#[tokio::test]
async fn a_crash_between_publish_and_mark_publishes_again_and_loses_nothing() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &["--kafka-delivery-timeout", "10s"]).await;
    let outbox = relay(&world, Retire::OnDelivery);
    stage(&world, &outbox, 0..1, None).await;
    world.sees(ENTRIES, 0).await;

    // The broker has stored the message long before its response arrives; in between, the relay loses its session.
    kafka.round_trip(Duration::from_millis(800));
    stage(&world, &outbox, 1..2, None).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND state = 'idle in transaction' AND query LIKE '%outbox AS due%'";
    world.sees(waiting, 1).await;
    world
        .number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
        .await;
    eventually(DEADLINE, || async {
        let ok = world.scrape().value("kafka_published_total", &[("outcome", "ok")]);
        if ok >= 2.0 { Ok(()) } else { Err(format!("{ok} acknowledged")) }
    })
    .await;
    kafka.round_trip(Duration::ZERO);

    world.sees(ENTRIES, 0).await;
    let ones = numbers(&kafka.read(TOPIC, 3, DEADLINE).await).into_iter().filter(|n| *n == 1).count();
    assert_eq!(ones, 2, "once before the crash, once after");
}

#[tokio::test]
async fn entries_of_one_key_keep_their_order_through_failures() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &[]).await;
    let outbox = relay(&world, Retire::OnDelivery);
    world.chassis.faults.set("publish-error", "rate=0.4&ttl=60s&seed=7").unwrap();

    for n in 0..10 {
        stage(&world, &outbox, n * 3..(n + 1) * 3, Some("same")).await;
    }
    world.counts("outbox_published_total", &[("outcome", "error")], 3.0).await;
    world.chassis.faults.clear("publish-error").unwrap();
    world.sees(ENTRIES, 0).await;

    let mut seen = numbers(&kafka.read(TOPIC, 30, DEADLINE).await);
    let mut firsts = BTreeSet::new();
    seen.retain(|n| firsts.insert(*n));
    assert_eq!(seen, (0..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_database_that_drops_its_sessions_loses_no_entry() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    let mut world = world(&kafka, &[]).await;
    let outbox = relay(&world, Retire::OnDelivery);
    for n in 0..10 {
        stage(&world, &outbox, n * 50..(n + 1) * 50, None).await;
        world
            .number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'unit'")
            .await;
        eventually(DEADLINE, || async {
            let mut query = world
                .database
                .query(chassis_postgres::QueryType::Select, "probe")
                .await
                .map_err(|error| error.to_string())?;
            sqlx::query("SELECT 1").execute(&mut query).await.map(drop).map_err(|error| error.to_string())
        })
        .await;
    }
    world.sees(ENTRIES, 0).await;
    all_arrived(&kafka, 500).await;
}
