//! A failover of real servers: from a primary that hangs, to a replica that has what was committed; and fences that hold.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use recovery::failover::{Facts, Primary, Replica, Step};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use testkit::{Need, available, eventually, free_addr};

use super::{ASIDE, Failover, REPLICA_FOLDER, build, facts::is_promoted};
use crate::parts::postgres::Local;

/// Time for a server to come up, or for a row to be replicated.
const SOON: Duration = Duration::from_secs(30);

/// A folder for servers, and the servers of one pair.
struct Rig {
    folder: TempDir,
    local: Local,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("lab-failover-").tempdir().unwrap();
        // The user who runs servers passes through it.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        fs::set_permissions(folder.path(), mode).unwrap();
        let local = Local::at(&folder.path().join("postgres")).unwrap();
        Self { folder, local }
    }

    fn failover(&self) -> Failover<'_> {
        Failover::new(&self.local, None)
    }

    /// Files as a fenced primary and its replica have them, without servers.
    fn files(&self, replica: &[&str]) {
        fs::create_dir_all(self.local.cluster().join("global")).unwrap();
        fs::write(self.local.cluster().join("global/pg_control"), "control").unwrap();
        fs::create_dir_all(self.local.beside(REPLICA_FOLDER)).unwrap();
        replica.iter().for_each(|name| fs::write(self.local.beside(REPLICA_FOLDER).join(name), "").unwrap());
    }

    fn initialize(&self) {
        let mut initdb = self.local.command("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        initdb.arg(format!("--pgdata={}", Local::text(&self.local.cluster())));
        let output = initdb.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn start(&self, data: PathBuf, port: u16) -> Server {
        let mut command = self.local.command("postgres");
        command.arg("-D").arg(data).args(["-p", &port.to_string()]);
        for setting in
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=8MB", "fsync=off"]
        {
            command.args(["-c", setting]);
        }
        Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

/// Ends with the test.
struct Server(Child);

impl Server {
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).unwrap();
        let _ = kill_process(pid, signal);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal(Signal::CONT);
            self.signal(Signal::QUIT);
        }
        let _ = self.0.wait();
    }
}

async fn sql(port: u16, sql: &str) -> Result<(), String> {
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let mut connection = PgConnection::connect(&url).await.map_err(|error| error.to_string())?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    done.map(drop).map_err(|error| error.to_string())
}

async fn rows(port: u16) -> Result<i64, String> {
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let mut connection = PgConnection::connect(&url).await.map_err(|error| error.to_string())?;
    let rows = sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(&mut connection).await;
    rows.map_err(|error| error.to_string())
}

async fn until_rows(port: u16, wanted: i64) {
    eventually(SOON, || async {
        let rows = rows(port).await?;
        if rows == wanted { Ok(()) } else { Err(format!("{rows} rows")) }
    })
    .await;
}

#[tokio::test]
async fn a_primary_that_hangs_is_ended_and_fenced_before_its_replica_takes_its_place() {
    if !available(&[Need::Postgres]) {
        return;
    }
    let rig = Rig::new();
    let (port, second) = (free_addr().port(), free_addr().port());
    rig.initialize();
    let primary = rig.start(rig.local.cluster(), port);
    eventually(SOON, || sql(port, "CREATE ROLE replica LOGIN REPLICATION")).await;
    sql(port, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)").await.unwrap();
    // No password is asked for here; the file need not exist.
    let pass_file = rig.folder.path().join("pgpass");
    build::from_primary(&rig.local, port, &pass_file, Instant::now() + SOON).unwrap();
    let replica = rig.start(rig.local.beside(REPLICA_FOLDER), second);
    sql(port, "INSERT INTO orders VALUES (2)").await.unwrap();
    until_rows(second, 2).await;
    assert!(sql(second, "INSERT INTO orders VALUES (0)").await.is_err(), "a standby takes no writes");
    let facts = rig.failover().facts().unwrap();
    let wanted = Facts {
        primary: Primary::Usable,
        primary_runs: true,
        replica: Replica::Standby,
        replica_runs: true,
        aside: false,
    };
    assert_eq!(facts, wanted);

    primary.signal(Signal::STOP);
    let steps = rig.failover().finish().unwrap();
    assert_eq!(
        steps,
        [Step::Stop, Step::Fence, Step::Promote, Step::StopReplica, Step::PutAside, Step::Move]
    );
    drop((primary, replica));
    // Anyone may try to start the old data: PostgreSQL itself refuses.
    let mut old = rig.local.command("postgres");
    let old = old.arg("-D").arg(rig.local.beside(ASIDE)).args(["-p", &second.to_string()]).output().unwrap();
    assert!(!old.status.success());
    let said = String::from_utf8_lossy(&old.stderr).into_owned();
    assert!(said.contains("pg_control"), "{said}");

    let _promoted = rig.start(rig.local.cluster(), port);
    until_rows(port, 2).await;
    sql(port, "INSERT INTO orders VALUES (3)").await.expect("the promoted server takes writes");
    // It can have a replica of its own.
    build::from_primary(&rig.local, port, &pass_file, Instant::now() + SOON).unwrap();
    assert_eq!(rig.failover().facts().unwrap().replica, Replica::Standby);
}

#[test]
fn a_fence_can_be_taken_back_only_while_the_replica_is_a_standby() {
    if !available(&[Need::Postgres]) {
        return;
    }
    let rig = Rig::new();
    rig.files(&["standby.signal"]);
    let failover = rig.failover();
    assert_eq!(failover.abort().unwrap_err().to_string(), "nothing is fenced");
    failover.carry_out(Step::Fence).unwrap();
    assert_eq!(failover.facts().unwrap().primary, Primary::Fenced);
    assert!(failover.mark().starts_with("fenced at "), "{}", failover.mark());
    let stuck = failover.finish().unwrap_err().to_string();
    assert!(stuck.starts_with("the replica does not run"), "{stuck}");
    failover.abort().unwrap();
    assert_eq!(failover.facts().unwrap().primary, Primary::Usable);

    failover.carry_out(Step::Fence).unwrap();
    fs::remove_file(rig.local.beside(REPLICA_FOLDER).join("standby.signal")).unwrap();
    let stuck = failover.abort().unwrap_err().to_string();
    assert!(stuck.contains("must stay fenced"), "{stuck}");
    // What a start of the lab does: nothing runs, so the rest is two renames.
    assert_eq!(failover.finish().unwrap(), [Step::PutAside, Step::Move]);
    assert!(rig.local.beside(ASIDE).join("FENCED").exists());
}

#[test]
fn a_failover_that_was_left_after_the_promotion_can_only_go_on() {
    if !available(&[Need::Postgres]) {
        return;
    }
    let rig = Rig::new();
    rig.files(&["standby.signal"]);
    assert!(!is_promoted(&rig.local), "there are no data of a server yet");
    fs::write(rig.local.beside(REPLICA_FOLDER).join("PG_VERSION"), "16").unwrap();
    assert!(!is_promoted(&rig.local), "it is a standby");
    let failover = rig.failover();
    failover.carry_out(Step::Fence).unwrap();
    // What the promotion does to the files.
    fs::remove_file(rig.local.beside(REPLICA_FOLDER).join("standby.signal")).unwrap();
    assert!(is_promoted(&rig.local));
    assert!(failover.abort().unwrap_err().to_string().contains("so the old primary must stay fenced"));
    assert_eq!(failover.through(Step::PutAside).unwrap(), [Step::PutAside], "and no further");
    assert_eq!(failover.facts().unwrap().primary, Primary::Missing);
    assert_eq!(failover.finish().unwrap(), [Step::Move]);
    assert!(!is_promoted(&rig.local), "its data have the address of the primary");
}

#[test]
fn a_failover_from_data_that_were_wiped_has_an_end() {
    if !available(&[Need::Postgres]) {
        return;
    }
    let rig = Rig::new();
    rig.files(&[]);
    fs::remove_dir_all(rig.local.cluster()).unwrap();
    assert_eq!(rig.failover().finish().unwrap(), [Step::Move]);
    assert!(rig.failover().finish().unwrap().is_empty(), "nothing is left to do");
    assert_eq!(rig.failover().facts().unwrap().primary, Primary::Usable);
}
