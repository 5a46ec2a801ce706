//! A measurement of the relay, run by hand.

use std::time::{Duration, Instant};

use chassis_outbox::Retire;
use testkit::{Kafka, eventually, needs};

use crate::outbox::{TOPIC, relay, world};

/// How fast a backlog is published: `cargo test -p chassis-service --test database throughput -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn throughput_of_the_relay() {
    needs!(Postgres);
    let kafka = Kafka::with_topics(&[TOPIC]);
    for (name, retire) in [
        ("OnDelivery", Retire::OnDelivery),
        ("OnSettlement", Retire::OnSettlement { overdue: Duration::from_secs(600) }),
    ] {
        let mut world = world(&kafka, &["--kafka-delivery-timeout", "30s"]).await;
        sqlx::query(
            "INSERT INTO outbox (id, topic, key, payload)
             SELECT gen_random_uuid(), 'things', i::text, repeat('x', 300)::bytea FROM generate_series(1, 30000) AS i",
        )
        .execute(&mut world.observer)
        .await
        .unwrap();
        let started = Instant::now();
        let _outbox = relay(&world, retire);
        eventually(Duration::from_secs(60), || async {
            let done = world.scrape().value("outbox_published_total", &[("outcome", "ok")]);
            if done >= 30_000.0 { Ok(()) } else { Err(format!("{done}")) }
        })
        .await;
        let seconds = started.elapsed().as_secs_f64();
        println!("{name}: {:.0} entries/s", 30_000.0 / seconds);
    }
}
