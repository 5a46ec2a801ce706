//! Backups of a real server: what comes back, and what is refused, each before anything was overwritten.

use std::{cell::RefCell, fs, path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use recovery::{Key, Manifest, Plan, Target, plan};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use testkit::{Need, Postgres, available, eventually};

use super::{
    Engine, Source,
    check::Checked,
    key_of,
    listing::list,
    room,
    scratch::Purpose,
    ship::Shipper,
    stage::Stage,
    store::{Folder, Store as _},
    vault::Vault,
};
use crate::parts::postgres::Local;

/// Size of a segment of testkit's servers.
const SEGMENT: u64 = 16 << 20;
/// Time for WAL to arrive, or for a replay.
const SOON: Duration = Duration::from_secs(60);

const ORDERS: &str =
    "CREATE TABLE orders (id uuid PRIMARY KEY, status text, total_cents bigint, idempotency_key text);
    CREATE TABLE outbox (id uuid);";
const PAYMENTS: &str = "CREATE TABLE payments (order_id uuid PRIMARY KEY, status text, amount_cents bigint);
    CREATE TABLE outbox (id uuid);";

struct Rig {
    folder: TempDir,
    server: Postgres,
    engine: Engine,
}

impl Rig {
    /// A server with the three databases and one settled order.
    async fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("lab-backup-").tempdir().unwrap();
        // The user who runs servers passes through it.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        let server = Postgres::start().await;
        let engine = engine(&folder, Some(server.addr().port()), Key::new([5; 32]));
        let rig = Self { folder, server, engine };
        for name in ["users", "orders", "fulfillment"] {
            rig.sql("postgres", &format!("CREATE DATABASE {name}")).await;
        }
        rig.sql("users", "CREATE TABLE users (id uuid PRIMARY KEY)").await;
        rig.sql("orders", ORDERS).await;
        rig.sql("fulfillment", PAYMENTS).await;
        rig.order(1).await;
        rig
    }

    async fn sql(&self, database: &str, sql: &str) {
        let mut connection = PgConnection::connect(&self.server.url(database)).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    }

    /// Settles an order, in both databases.
    async fn order(&self, number: u32) {
        let id = format!("00000000-0000-7000-8000-{number:012}");
        self.sql("orders", &format!("INSERT INTO orders VALUES ('{id}', 'completed', 100, 'k{number}')"))
            .await;
        self.sql("fulfillment", &format!("INSERT INTO payments VALUES ('{id}', 'completed', 100)")).await;
    }

    /// The server's own time: that of its commits.
    async fn now(&self) -> DateTime<Utc> {
        let mut connection = PgConnection::connect(&self.server.url("postgres")).await.unwrap();
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut connection).await.unwrap()
    }

    /// Streams, and waits until it does, as the lab does before its first backup.
    async fn stream(&self) -> Stream {
        let stream = Stream(self.engine.receive(self.server.addr().port()).unwrap());
        let shipper = Shipper::new(&self.engine.spool, SEGMENT);
        eventually(SOON, || async {
            shipper.begun().then_some(()).ok_or_else(|| "no segment is being written".to_owned())
        })
        .await;
        stream
    }

    /// Archives until this moment can be restored.
    async fn archived_until(&self, moment: DateTime<Utc>) {
        let shipper = RefCell::new(Shipper::new(&self.engine.spool, SEGMENT));
        eventually(SOON, || async {
            shipper
                .borrow_mut()
                .ship(&self.engine.vault, Utc::now(), true)
                .map_err(|error| format!("{error:#}"))?;
            self.plan(Target::Time(moment)).map(drop)
        })
        .await;
    }

    fn plan(&self, target: Target) -> Result<Plan, String> {
        let listing = list(&self.engine.vault, SEGMENT).map_err(|error| format!("{error:#}"))?;
        plan(&listing.catalogue, target).map_err(|error| error.to_string())
    }

    /// Restores beside the server; the error as the user reads it.
    async fn restored(&self, engine: &Engine, target: Target) -> Result<Checked, String> {
        let plan = self.plan(target)?;
        let stage = Stage { name: "scratch", purpose: Purpose::Look, home: None, statements: Vec::new() };
        let staged = engine.stage(&plan, &[], &stage).await;
        staged.map(|(_, checked)| checked).map_err(|error| format!("{error:#}"))
    }

    fn stored(&self, ending: &str) -> PathBuf {
        let store = Folder::at(&self.folder.path().join("repository")).unwrap();
        let name =
            store.list("").unwrap().into_iter().map(|object| object.name).find(|name| name.ends_with(ending));
        self.folder.path().join("repository").join(name.expect("a stored file"))
    }

    fn nothing_is_left(&self) -> bool {
        ["scratch", "scratch.wal"].iter().all(|name| !self.engine.local.beside(name).exists())
    }
}

fn engine(folder: &TempDir, port: Option<u16>, key: Key) -> Engine {
    let path = |name: &str| folder.path().join(name);
    let store = Folder::at(&path("repository")).unwrap();
    Engine {
        vault: Vault::new(Box::new(store), key, path("on-its-way")).unwrap(),
        local: Local::at(&path("postgres")).unwrap(),
        key_file: path("backup-key"),
        source: Source { port, user: "postgres".to_owned(), pass_file: None, segment_bytes: SEGMENT },
        instance: "test/lab".to_owned(),
        room: path("room.db"),
        spool: path("spool"),
    }
}

/// Ends the stream when dropped.
struct Stream(std::process::Child);

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn orders(checked: &Checked) -> u64 {
    assert_eq!(checked.complaints, Vec::<String>::new());
    checked.rows["orders.orders"]
}

#[tokio::test]
async fn a_moment_comes_back_with_what_was_committed_before_it_and_nothing_after() {
    if !available(&[Need::Postgres]) {
        return;
    }
    let rig = Rig::new().await;
    let _stream = rig.stream().await;
    let manifest = rig.engine.back_up().await.unwrap();
    assert_eq!((manifest.timeline, manifest.instance.as_str()), (1, "test/lab"));
    rig.order(2).await;
    let moment = rig.now().await;
    rig.order(3).await;
    rig.sql("orders", "DROP TABLE outbox").await;
    rig.archived_until(rig.now().await).await;

    let then = rig.restored(&rig.engine, Target::Time(moment)).await.unwrap();
    assert_eq!(orders(&then), 2, "{then:?}");
    assert!(then.rows.contains_key("orders.outbox"), "the table was dropped after the moment");
    fs::remove_dir_all(rig.engine.local.beside("scratch")).unwrap();
    let latest = rig.restored(&rig.engine, Target::Latest).await.unwrap();
    assert_eq!((orders(&latest), latest.rows.contains_key("orders.outbox")), (3, false), "{latest:?}");
    fs::remove_dir_all(rig.engine.local.beside("scratch")).unwrap();

    // Idle since: a later moment than the last commit is the state of that commit.
    let idle = rig.now().await;
    rig.archived_until(idle).await;
    assert_eq!(orders(&rig.restored(&rig.engine, Target::Time(idle)).await.unwrap()), 3);
}

#[tokio::test]
async fn a_backup_before_the_stream_has_begun_has_no_gap_behind_it() {
    if !available(&[Need::Postgres]) {
        return;
    }
    let rig = Rig::new().await;
    // Older ones do not begin at the slot; the lab waits for their stream.
    let version = rig.engine.local.version().unwrap();
    if version.split('.').next().and_then(|major| major.parse().ok()).is_some_and(|major: u32| major < 15) {
        return;
    }
    rig.engine.slot(rig.server.addr().port()).unwrap();
    rig.engine.slot(rig.server.addr().port()).unwrap();
    assert!(!Shipper::new(&rig.engine.spool, SEGMENT).begun());
    rig.engine.back_up().await.unwrap();
    for number in [2, 3] {
        rig.order(number).await;
        rig.sql("postgres", "SELECT pg_switch_wal()").await;
    }
    // Without the slot, the server would recycle what it has.
    rig.sql("postgres", "CHECKPOINT").await;
    let _stream = rig.stream().await;
    rig.archived_until(rig.now().await).await;
    assert_eq!(orders(&rig.restored(&rig.engine, Target::Latest).await.unwrap()), 3);
}

#[tokio::test]
async fn what_is_damaged_missing_or_of_another_key_is_refused_and_nothing_is_left() {
    if !available(&[Need::Postgres]) {
        return;
    }
    let rig = Rig::new().await;
    let _stream = rig.stream().await;
    rig.engine.back_up().await.unwrap();
    rig.order(2).await;
    rig.sql("postgres", "SELECT pg_switch_wal()").await;
    rig.order(3).await;
    rig.archived_until(rig.now().await).await;

    let other = engine(&rig.folder, None, Key::new([6; 32]));
    let error = rig.restored(&other, Target::Latest).await.unwrap_err();
    assert!(error.contains("needs the key") && error.contains("name the right one with --key"), "{error}");

    let damage = async |ending: &str, change: fn(&mut Vec<u8>), words: &str| {
        let path = rig.stored(ending);
        let whole = fs::read(&path).unwrap();
        let meta = fs::metadata(&path).unwrap().modified().unwrap();
        let mut changed = whole.clone();
        change(&mut changed);
        fs::write(&path, changed).unwrap();
        let error = rig.restored(&rig.engine, Target::Latest).await.unwrap_err();
        assert!(error.contains(words), "{ending}: {error}");
        assert!(rig.nothing_is_left(), "{ending}");
        fs::write(&path, whole).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(meta).unwrap();
    };
    damage("base.tar.zst.sealed", |bytes| bytes.truncate(bytes.len() / 2), "is damaged: it has").await;
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    damage("base.tar.zst.sealed", flip, "its SHA-256 is not that of its manifest").await;
    damage(".partial.zst.sealed", flip, "cannot be used: it was changed").await;
    damage(".partial.zst.sealed", |bytes| bytes.truncate(100), "cannot be used").await;
    damage("manifest.json", |bytes| bytes.truncate(10), "there is no backup").await;

    assert!(rig.restored(&rig.engine, Target::Latest).await.is_ok(), "undamaged again");
    fs::remove_dir_all(rig.engine.local.beside("scratch")).unwrap();
    let listing = list(&rig.engine.vault, SEGMENT).unwrap();
    let manifest: &Manifest = &listing.catalogue.backups[0].manifest;
    let first = manifest.last_segment().next().name(SEGMENT);
    fs::remove_file(rig.stored(&format!("{first}.zst.sealed"))).unwrap();
    let error = rig.restored(&rig.engine, Target::Latest).await.unwrap_err();
    assert!(error.starts_with(&format!("WAL is missing from {first} to {first}")), "{error}");
    assert!(rig.nothing_is_left());
}

#[tokio::test]
async fn the_control_rooms_file_is_copied_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.db");
    assert!(room::copy(&file).await.unwrap().is_none(), "no room has been started yet");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let options = options.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    let mut writer = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let sql =
        "CREATE TABLE journal (at INTEGER); PRAGMA user_version = 3; INSERT INTO journal VALUES (1), (2)";
    sqlx::raw_sql(sql).execute(&mut writer).await.unwrap();
    sqlx::raw_sql("BEGIN; INSERT INTO journal VALUES (3)").execute(&mut writer).await.unwrap();
    let copy = room::copy(&file).await.unwrap().expect("a copy");
    assert_eq!(room::check(copy.path()).await.unwrap(), 2, "what was committed");
    sqlx::raw_sql("COMMIT").execute(&mut writer).await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(room::check(&file).await.unwrap(), 3);

    room::put(copy.path(), &file).unwrap();
    assert_eq!(room::check(&file).await.unwrap(), 2);
    assert!(folder.path().join("room.db.before").exists(), "the old one is kept");
    fs::write(&file, b"SQLite format 3\0 and then nothing").unwrap();
    assert!(room::check(&file).await.is_err());
}

#[test]
fn a_lost_key_is_not_replaced_while_there_are_backups_that_need_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup-key");
    let lost = |path: &std::path::Path| key_of(path, false).unwrap_err().to_string();
    let said = lost(&path);
    assert!(said.contains("does not exist, and there are backups") && !path.exists(), "{said}");
    let made = key_of(&path, true).unwrap();
    assert_eq!(key_of(&path, false).unwrap().id(), made.id(), "the first one stays");
    fs::remove_file(&path).unwrap();
    assert!(lost(&path).contains("without their key they cannot be read") && !path.exists());
}
