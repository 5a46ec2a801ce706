use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::*;
use crate::bus::Kind;

async fn note(store: &Store, bus: &Bus, text: &str) -> Vec<Arc<crate::bus::Notice>> {
    let mut writing = store.begin().await.unwrap();
    writing.journal(chrono::Utc::now(), Kind::Rota, None, false, &json!({ "text": text })).await.unwrap();
    writing.commit(bus).await.unwrap()
}

async fn texts(store: &Store) -> Vec<String> {
    let rows = journal_after(store, 0, 100).await.unwrap();
    rows.iter().map(|row| row.data["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn what_is_committed_is_told_in_order_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a/room.db");
    let bus = Bus::default();
    let mut news = bus.listen();
    let store = Store::open(Some(&file)).await.unwrap();
    for text in ["one", "two"] {
        note(&store, &bus, text).await;
    }
    let told = [news.recv().await.unwrap(), news.recv().await.unwrap()];
    assert_eq!(told.each_ref().map(|notice| notice.seq), [1, 2]);
    let rows = journal_after(&store, 1, 10).await.unwrap();
    assert_eq!(rows, [(*told[1]).clone()], "a reader gets what was told");
    drop(store);
    let again = Store::open(Some(&file)).await.unwrap();
    assert_eq!(texts(&again).await, ["one", "two"]);
    assert_eq!(journal_last(&again).await.unwrap(), 2);
    let newest = journal_of(&again, Kind::Rota, 1).await.unwrap();
    assert_eq!(newest.iter().map(|row| row.seq).collect::<Vec<_>>(), [2]);
    assert!(journal_of(&again, Kind::Page, 9).await.unwrap().is_empty());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "nobody else may read it: {mode:o}");
}

#[tokio::test]
async fn a_transaction_that_is_dropped_has_not_happened() {
    for file in [None, Some("room.db")] {
        let folder = tempfile::tempdir().unwrap();
        let file = file.map(|name| folder.path().join(name));
        let (store, bus) = (Store::open(file.as_deref()).await.unwrap(), Bus::default());
        let mut news = bus.listen();
        let mut writing = store.begin().await.unwrap();
        writing.journal(chrono::Utc::now(), Kind::Rota, None, false, &json!({ "text": "no" })).await.unwrap();
        writing.after(|| panic!("it is not committed"));
        drop(writing);
        note(&store, &bus, "yes").await;
        assert_eq!(texts(&store).await, ["yes"]);
        assert_eq!(news.recv().await.unwrap().data["text"], "yes");
    }
}

#[tokio::test]
async fn a_commit_goes_on_when_nobody_waits_for_it_any_more() {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let mut news = bus.listen();
    let mut writing = store.begin().await.unwrap();
    writing.journal(chrono::Utc::now(), Kind::Rota, None, false, &json!({ "text": "kept" })).await.unwrap();
    let mut commit = Box::pin(writing.commit(&bus));
    assert!(futures::poll!(&mut commit).is_pending());
    drop(commit);
    assert_eq!(news.recv().await.unwrap().data["text"], "kept");
    assert_eq!(texts(&store).await, ["kept"]);
}

#[tokio::test]
async fn memory_follows_before_anybody_else_can_write() {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks = (0..20).map(|_| {
        let (store, bus, count) = (store.clone(), bus.clone(), Arc::clone(&count));
        tokio::spawn(async move {
            let mut writing = store.begin().await.unwrap();
            let before = count.load(std::sync::atomic::Ordering::SeqCst);
            tokio::task::yield_now().await;
            writing.after(move || count.store(before + 1, std::sync::atomic::Ordering::SeqCst));
            writing.commit(&bus).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 20);
}

#[tokio::test]
async fn a_setting_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.db");
    let store = Store::open(Some(&file)).await.unwrap();
    assert_eq!(store.setting("key", || "first".to_owned()).await.unwrap(), "first");
    drop(store);
    let again = Store::open(Some(&file)).await.unwrap();
    assert_eq!(again.setting("key", || "second".to_owned()).await.unwrap(), "first");
}

#[tokio::test]
async fn a_file_of_a_newer_version_or_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.db");
    let store = Store::open(Some(&newer)).await.unwrap();
    let mut writing = store.begin().await.unwrap();
    sqlx::query("PRAGMA user_version = 99").execute(&mut *writing).await.unwrap();
    writing.commit(&Bus::default()).await.unwrap();
    drop(store);
    let said = |error: anyhow::Error| format!("{error:#}");
    let refused = Store::open(Some(&newer)).await.map(drop).map_err(said).unwrap_err();
    for part in ["newer.db", "version 99", "start the newer control room", "move the file away"] {
        assert!(refused.contains(part), "{refused}");
    }
    let other = folder.path().join("other.db");
    fs::write(&other, "this is a text, and not a short one, so that SQLite looks at its header".repeat(20))
        .unwrap();
    let refused = Store::open(Some(&other)).await.map(drop).map_err(said).unwrap_err();
    assert!(refused.contains("other.db"), "{refused}");
    let folder_itself = Store::open(Some(folder.path())).await.map(drop).map_err(said).unwrap_err();
    assert!(folder_itself.contains("cannot write"), "{folder_itself}");
}

#[tokio::test]
async fn readers_cannot_write() {
    let store = Store::open(None).await.unwrap();
    let write = sqlx::query("DELETE FROM settings").execute(store.read()).await;
    assert!(write.unwrap_err().to_string().contains("readonly"));
}
