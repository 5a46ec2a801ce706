//! A well-formed outcome that cannot be applied goes to the dead-letter topic, whatever its contents, and the partition
//! continues.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Utc};
use contracts::{
    orders::{EVENT_VERSION, OrderSettled, OrderStatus},
    topics,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use testkit::Kafka;
use uuid::Uuid;

use crate::lab::{Lab, Parts, SOON, order, run};

pub(crate) fn outcome(order: &str) -> OrderSettled {
    OrderSettled {
        version: EVENT_VERSION,
        event_id: Uuid::now_v7(),
        order_id: Uuid::parse_str(order).unwrap(),
        status: OrderStatus::Completed,
        reason: None,
        settled_at: Utc::now(),
    }
}

/// All with the same key, so that each is behind the ones before it.
pub(crate) async fn publish(kafka: &Kafka, event: &OrderSettled) {
    kafka.publish(topics::ORDER_OUTCOMES, "k", &serde_json::to_vec(event).unwrap(), &[]).await;
}

/// Reason and SQLSTATE of the dead letters, in order.
pub(crate) async fn letters(kafka: &Kafka, count: usize) -> Vec<(String, String)> {
    let mut letters = kafka.read(topics::ORDER_OUTCOMES_DLQ, count, SOON).await;
    letters.sort_by_key(|letter| letter.headers["original.offset"].parse::<i64>().unwrap());
    let header = |letter: &testkit::Record, name| letter.headers.get(name).cloned().unwrap_or_default();
    letters.iter().map(|letter| (header(letter, "error.reason"), header(letter, "error.sqlstate"))).collect()
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

#[test]
fn an_outcome_that_the_database_refuses_is_dead_lettered_with_its_sqlstate_and_the_next_is_applied() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        let (poisoned, good) = (lab.place(&order(1)).await, lab.place(&order(2)).await);
        let zero = OrderSettled {
            status: OrderStatus::Rejected,
            reason: Some("a\0b".to_owned()),
            ..outcome(&poisoned)
        };
        let before_any_calendar = midnight(NaiveDate::from_ymd_opt(-200_000, 1, 1).unwrap());
        let early = OrderSettled { settled_at: before_any_calendar, ..outcome(&poisoned) };
        for event in [&zero, &early, &outcome(&good)] {
            publish(&lab.kafka, event).await;
        }
        assert_eq!(lab.settled(&good).await["status"], "completed");

        let refused = |state: &str| ("refused-by-database".to_owned(), state.to_owned());
        assert_eq!(letters(&lab.kafka, 2).await, [refused("22021"), refused("22008")]);
        let letter = &lab.kafka.read(topics::ORDER_OUTCOMES_DLQ, 1, SOON).await[0];
        assert_eq!(letter.headers["original.topic"], topics::ORDER_OUTCOMES);
        assert_eq!(lab.http.get(&format!("/orders/{poisoned}")).await.json()["status"], "pending");
        let labels = [("topic", topics::ORDER_OUTCOMES), ("reason", "refused-by-database")];
        assert_eq!(lab.scrape().await.value("dead_letters_total", &labels), 2.0);
    });
}

/// Any time that the contract allows, and often one at a boundary.
fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    let years = NaiveDate::MIN.year()..=NaiveDate::MAX.year();
    let any = (years, 1..=366_u32, 0..86_400_u32, 0..2_000_000_000_u32).prop_filter_map(
        "a day and a time of the calendar",
        |(year, day, second, nanos)| {
            let time = NaiveTime::from_num_seconds_from_midnight_opt(second, nanos)?;
            Some(NaiveDate::from_yo_opt(year, day)?.and_time(time).and_utc())
        },
    );
    prop_oneof![
        3 => any,
        2 => (-120_i64..120).prop_map(|seconds| Utc::now() + TimeDelta::seconds(seconds)),
        1 => Just(DateTime::<Utc>::MIN_UTC),
        1 => Just(DateTime::<Utc>::MAX_UTC),
    ]
}

/// Any text, often with a U+0000.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        any::<String>().prop_map(|text| format!("{text}\0")),
        Just("x".repeat(100_000))
    ]
}

fn any_outcome(known: Vec<Uuid>) -> impl Strategy<Value = OrderSettled> {
    let status =
        prop_oneof![Just(OrderStatus::Completed), Just(OrderStatus::Rejected), Just(OrderStatus::Pending)];
    let id = || any::<u128>().prop_map(Uuid::from_u128);
    let order = prop_oneof![4 => prop::sample::select(known), 1 => id()];
    let version = prop_oneof![9 => Just(EVENT_VERSION), 1 => any::<u32>()];
    let fields = (version, id(), order, status, prop::option::of(any_text()), any_time());
    fields.prop_map(|(version, event_id, order_id, status, reason, settled_at)| OrderSettled {
        version,
        event_id,
        order_id,
        status,
        reason,
        settled_at,
    })
}

#[test]
fn no_outcome_that_the_contract_allows_stops_the_next_one() {
    testkit::needs!(Postgres, Redis, Kafka);
    let lab = run(Lab::start(Parts { no_worker: true, ..Parts::default() }));
    let known: Vec<Uuid> = run(async {
        let mut known = Vec::new();
        for user in 0..4 {
            known.push(Uuid::parse_str(&lab.place(&order(user)).await).unwrap());
        }
        known
    });
    let mut runner = TestRunner::new(Config { cases: 40, max_shrink_iters: 20, ..Config::default() });
    let events = prop::collection::vec(any_outcome(known), 1..6);
    let held = runner.run(&events, |events| {
        run(async {
            for event in &events {
                publish(&lab.kafka, event).await;
            }
            let good = lab.place(&order(9)).await;
            publish(&lab.kafka, &outcome(&good)).await;
            assert_eq!(lab.settled(&good).await["status"], "completed");
        });
        Ok(())
    });
    held.unwrap();
}
