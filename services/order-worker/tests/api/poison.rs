//! A well-formed message that cannot be handled goes to the dead-letter topic, whatever its contents, and the partition
//! continues; a message waits if the database is in trouble.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use contracts::{
    orders::{EVENT_VERSION, Item, OrderPlaced, Track},
    topics,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sqlx::{Connection as _, PgConnection};
use testkit::eventually;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::worker::{SOON, Worker, order};

/// All with the same key, so that each is behind the ones before it.
async fn publish(worker: &Worker, event: &OrderPlaced) {
    worker.kafka.publish(topics::ORDERS, "k", &serde_json::to_vec(event).unwrap(), &[]).await;
}

async fn paid(worker: &Worker, order_id: Uuid) {
    let mut connection = PgConnection::connect(&worker.url).await.unwrap();
    let connection = tokio::sync::Mutex::new(&mut connection);
    eventually(SOON, || async {
        let sql = "SELECT EXISTS (SELECT 1 FROM payments WHERE order_id = $1)";
        let found: bool =
            sqlx::query_scalar(sql).bind(order_id).fetch_one(&mut **connection.lock().await).await.unwrap();
        if found { Ok(()) } else { Err(format!("order {order_id} is not paid")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_the_event_id_of_another_one_is_dead_lettered_and_the_next_is_paid() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let first = order();
    let reused = OrderPlaced { order_id: Uuid::now_v7(), ..first.clone() };
    let good = order();
    for event in [&first, &reused, &good] {
        publish(&worker, event).await;
    }
    // On different partitions, which are read in any order.
    let paid: BTreeSet<_> = worker.outcomes(2).await.iter().map(|outcome| outcome.order_id).collect();
    assert_eq!(paid, BTreeSet::from([first.order_id, good.order_id]));

    let letters = worker.kafka.read(topics::ORDERS_DLQ, 1, SOON).await;
    assert_eq!(letters[0].payload, serde_json::to_vec(&reused).unwrap());
    assert_eq!(letters[0].headers["error.reason"], "refused-by-database");
    assert_eq!(letters[0].headers["error.sqlstate"], "02000");
    let scrape = worker.processed("dead_letter", 1.0).await;
    let labels = [("topic", topics::ORDERS), ("reason", "refused-by-database")];
    assert_eq!(scrape.value("dead_letters_total", &labels), 1.0);
}

/// Makes the database respond to an order of `1000 + n` cents with the n-th of these SQLSTATEs.
async fn answer_with(worker: &Worker, states: &[&str]) -> PgConnection {
    let mut connection = PgConnection::connect(&worker.url).await.unwrap();
    let sql = "
        CREATE TABLE answers (cents bigint PRIMARY KEY, state text NOT NULL);
        CREATE FUNCTION answer() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE wanted text := (SELECT state FROM answers WHERE cents = NEW.amount_cents);
        BEGIN
            IF wanted IS NOT NULL THEN RAISE EXCEPTION 'as told' USING ERRCODE = wanted; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER answer BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION answer();";
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    for (cents, state) in (1000_i64..).zip(states) {
        let sql = "INSERT INTO answers VALUES ($1, $2)";
        sqlx::query(sql).bind(cents).bind(state).execute(&mut connection).await.unwrap();
    }
    connection
}

/// The order to which [`answer_with`] responds with its n-th SQLSTATE.
fn order_of(n: usize) -> OrderPlaced {
    let total_cents = 1000 + n as i64;
    let items = vec![Item { sku: "tea".to_owned(), quantity: 1, unit_price_cents: total_cents }];
    OrderPlaced { items, total_cents, ..order() }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sqlstate_class_about_the_data_ends_in_a_dead_letter_that_names_it() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let states = ["02000", "21000", "22000", "22003", "22021", "23000", "23502", "23514", "44000", "54000"];
    answer_with(&worker, &states).await;
    for n in 0..states.len() {
        publish(&worker, &order_of(n)).await;
    }
    let good = order();
    publish(&worker, &good).await;
    paid(&worker, good.order_id).await;

    let mut letters = worker.kafka.read(topics::ORDERS_DLQ, states.len(), SOON).await;
    letters.sort_by_key(|letter| letter.headers["original.offset"].parse::<i64>().unwrap());
    let told: Vec<_> = letters.iter().map(|letter| letter.headers["error.sqlstate"].as_str()).collect();
    assert_eq!(told, states);
    assert!(letters.iter().all(|letter| letter.headers["error.reason"] == "refused-by-database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sqlstate_class_about_the_database_is_waited_out_and_the_order_is_paid() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let states = ["08006", "25006", "42P01", "53100", "53300", "57014", "57P03", "58030", "P0001", "XX000"];
    let mut connection = answer_with(&worker, &states).await;
    for n in 0..states.len() {
        let order = order_of(n);
        let before = worker.scrape().await.value("kafka_retries_total", &[]);
        publish(&worker, &order).await;
        eventually(SOON, || async {
            let retries = worker.scrape().await.value("kafka_retries_total", &[]);
            if retries > before { Ok(()) } else { Err("not tried yet".to_owned()) }
        })
        .await;
        sqlx::raw_sql("DELETE FROM answers WHERE cents = (SELECT min(cents) FROM answers)")
            .execute(&mut connection)
            .await
            .unwrap();
        paid(&worker, order.order_id).await;
    }
    assert_eq!(worker.scrape().await.value("dead_letters_total", &[]), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_that_never_ends_is_given_up_with_its_sqlstate() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let states = ["40001", "23505"];
    answer_with(&worker, &states).await;
    for n in 0..states.len() {
        publish(&worker, &order_of(n)).await;
    }
    let good = order();
    publish(&worker, &good).await;
    paid(&worker, good.order_id).await;
    let letters = worker.kafka.read(topics::ORDERS_DLQ, states.len(), SOON).await;
    for (letter, state) in letters.iter().zip(states) {
        assert_eq!(letter.headers["error.reason"], "retries-exhausted");
        assert_eq!(letter.headers["error.sqlstate"], state);
    }
}

/// Any text, often with a U+0000.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        any::<String>().prop_map(|text| format!("{text}\0")),
        Just("x".repeat(100_000))
    ]
}

/// Any time that the contract allows.
fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    let seconds = DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp();
    prop_oneof![
        4 => (seconds, 0..1_000_000_000_u32)
            .prop_filter_map("a time", |(seconds, nanos)| DateTime::from_timestamp(seconds, nanos)),
        1 => Just(DateTime::<Utc>::MIN_UTC),
        1 => Just(NaiveDate::MAX.and_time(chrono::NaiveTime::MIN).and_utc()),
    ]
}

fn any_cents() -> impl Strategy<Value = i64> {
    prop_oneof![2 => 0..1_000_000_i64, 1 => any::<i64>(), 1 => Just(i64::MAX), 1 => Just(0)]
}

fn any_order(known: Vec<Uuid>) -> impl Strategy<Value = OrderPlaced> {
    let id = move || {
        let any = any::<u128>().prop_map(Uuid::from_u128);
        prop_oneof![1 => prop::sample::select(known.clone()), 1 => any]
    };
    let item = (any_text(), any::<u32>(), any_cents()).prop_map(|(sku, quantity, unit_price_cents)| Item {
        sku,
        quantity,
        unit_price_cents,
    });
    let version = prop_oneof![9 => Just(EVENT_VERSION), 1 => any::<u32>()];
    let total = prop_oneof![Just(None), any_cents().prop_map(Some)];
    let track = prop::sample::select(vec![None, Some(Track::Baseline), Some(Track::Canary)]);
    let fields = (version, id(), id(), id(), prop::collection::vec(item, 0..3), total, any_time(), track);
    fields.prop_map(|(version, event_id, order_id, user_id, items, total, placed_at, track)| {
        let sum = || {
            items.iter().fold(0_i64, |sum, item| {
                sum.saturating_add(item.unit_price_cents.saturating_mul(item.quantity.into()))
            })
        };
        let total_cents = total.unwrap_or_else(sum);
        OrderPlaced { version, event_id, order_id, user_id, items, total_cents, placed_at, track }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_order_that_the_contract_allows_stops_the_next_one() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let mut known = Vec::new();
    for _ in 0..3 {
        let order = order();
        publish(&worker, &order).await;
        known.push(order.order_id);
    }
    let runtime = Handle::current();
    let cases = move || {
        let mut runner = TestRunner::new(Config { cases: 40, max_shrink_iters: 20, ..Config::default() });
        runner.run(&prop::collection::vec(any_order(known), 1..6), |events| {
            runtime.block_on(async {
                for event in &events {
                    publish(&worker, event).await;
                }
                let good = order();
                publish(&worker, &good).await;
                paid(&worker, good.order_id).await;
            });
            Ok(())
        })
    };
    let held = tokio::task::spawn_blocking(cases).await.unwrap();
    held.unwrap();
}
