//! The inbox: an event has its effect exactly once.

use std::time::Duration;

use chassis_outbox::inbox;
use testkit::needs;
use uuid::Uuid;

use crate::world::World;

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
        tokio::time::sleep(Duration::from_millis(50)).await;
        tx.commit().await.unwrap();
        new
    };
    let (one, two) = tokio::join!(handle(), handle());
    assert!(one != two);
}
