//! The inbox: an event has its effect exactly once.

use chassis_outbox::inbox;
use sqlx::{Connection as _, PgConnection};
use testkit::{eventually, needs};
use uuid::Uuid;

use crate::world::{DEADLINE, World};

/// Waits until a session of this database waits for another one.
async fn somebody_waits(url: &str) {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually(DEADLINE, || async {
        let mut observer = PgConnection::connect(url).await.map_err(|error| error.to_string())?;
        let waiting: i64 =
            sqlx::query_scalar(WAITING).fetch_one(&mut observer).await.map_err(|error| error.to_string())?;
        if waiting > 0 { Ok(()) } else { Err("nobody waits".to_owned()) }
    })
    .await;
}

#[tokio::test]
async fn an_event_is_recorded_once_for_each_consumer() {
    needs!(Postgres);
    let world = World::new(&[]).await;
    let event = Uuid::now_v7();
    let record = async |consumer: &str, commit: bool| {
        let mut tx = world.database.transaction("record").await.unwrap();
        let new = !inbox::record(&mut tx, consumer, &[event]).await.unwrap().is_empty();
        if commit {
            tx.commit().await.unwrap();
        }
        new
    };
    assert!(record("a", false).await);
    assert!(record("a", true).await, "the first was rolled back");
    assert!(!record("a", true).await);
    assert!(record("b", true).await);
}

#[tokio::test]
async fn two_transactions_with_one_event_agree_on_who_was_first() {
    needs!(Postgres);
    let world = World::new(&[]).await;
    let event = Uuid::now_v7();
    let handle = async || {
        let mut tx = world.database.transaction("record").await.unwrap();
        let new = !inbox::record(&mut tx, "a", &[event]).await.unwrap().is_empty();
        if new {
            somebody_waits(&world.url).await;
        }
        tx.commit().await.unwrap();
        new
    };
    let (one, two) = tokio::join!(handle(), handle());
    assert!(one != two);
}
