//! One real PostgreSQL server per test process, one fresh database per test.
//!
//! Durability is off (a crash of the machine may lose the test data); everything else is as in production.

use std::{
    net::SocketAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

use crate::{needs::program, ports::free_addr, tether::Tether};

/// A running server. Most tests use [`Postgres::shared`]; [`Postgres::start`] is for tests that stop theirs.
pub struct Postgres {
    addr: SocketAddr,
    folder: PathBuf,
    databases: AtomicU32,
    tether: Tether,
}

impl Postgres {
    /// The server of this test process, started on first use. It stops when the process ends.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// A separate server; stopped when dropped.
    ///
    /// # Panics
    /// When PostgreSQL is missing (call `needs!(Postgres)` first) or does not start.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Like [`Postgres::start`], with more settings, such as `log_statement=all`.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    pub async fn start_with(settings: &[&str]) -> Self {
        let folder = new_cluster();
        let addr = free_addr();
        let tether = Tether::start(&folder, "QUIT", &server_command(&folder, addr, settings));
        let mut server = Self { addr, folder, databases: AtomicU32::new(0), tether };
        assert!(server.comes_up().await, "PostgreSQL did not start: {}", server.tether.last_words());
        server
    }

    /// Its address.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Creates a fresh, empty database and returns its URL.
    pub async fn database(&self, name: &str) -> String {
        let name = format!("{name}_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut admin = self.connect().await.expect("the server takes connections");
        // `name` comes from a test; quoting it keeps odd names working.
        let statement = format!("CREATE DATABASE \"{name}\" TEMPLATE template0");
        admin.execute(sqlx::AssertSqlSafe(statement)).await.expect("a new database");
        self.url(&name)
    }

    /// Creates a fresh, empty database owned by a role of the same name without other rights, as services have it;
    /// returns its name and its URL.
    pub async fn owned_database(&self, name: &str) -> (String, String) {
        let name = format!("{name}_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut admin = self.connect().await.expect("the server takes connections");
        for statement in [
            format!("CREATE ROLE \"{name}\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE"),
            format!("CREATE DATABASE \"{name}\" OWNER \"{name}\" TEMPLATE template0"),
        ] {
            admin.execute(sqlx::AssertSqlSafe(statement)).await.expect("a new role and database");
        }
        let url = format!("postgres://{name}@{}/{name}", self.addr);
        (name, url)
    }

    /// The server's log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(self.folder.join("server.log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// The URL of database `name`; see also [`crate::ChaosProxy::rewrite`].
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("postgres://postgres@{}/{name}", self.addr)
    }

    /// Freezes the server (SIGSTOP to the postmaster): new connections hang.
    pub fn freeze(&self) {
        self.tether.signal("STOP");
    }

    /// Reverts [`Postgres::freeze`].
    pub fn thaw(&self) {
        self.tether.signal("CONT");
    }

    /// Process id of the postmaster.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.tether.pid()
    }

    /// A session of the superuser, in the database `postgres`.
    pub(crate) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect(&self.url("postgres")).await
    }

    async fn comes_up(&mut self) -> bool {
        for _ in 0..600 {
            if self.connect().await.is_ok() {
                return self.tether.alive();
            }
            if !self.tether.alive() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }
}

fn new_cluster() -> PathBuf {
    let folder =
        tempfile::Builder::new().prefix("testkit-postgres-").tempdir().expect("a temp folder").keep();
    let data = folder.join("data");
    let mut command = unprivileged(&folder);
    command.push(program("initdb").expect("`initdb` is installed").display().to_string());
    command.extend(
        ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"]
            .map(str::to_owned),
    );
    command.push(data.display().to_string());
    let output =
        Command::new(&command[0]).args(&command[1..]).current_dir("/").output().expect("`initdb` runs");
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn server_command(folder: &Path, addr: SocketAddr, settings: &[&str]) -> Vec<String> {
    let mut command = unprivileged(folder);
    command.push(program("postgres").expect("`postgres` is installed").display().to_string());
    command.extend(["-D".to_owned(), folder.join("data").display().to_string()]);
    let port = format!("port={}", addr.port());
    for setting in [
        "listen_addresses=127.0.0.1",
        port.as_str(),
        "unix_socket_directories=",
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
        "max_connections=300",
        "shared_buffers=32MB",
        // Inside the folder, so that a killed server leaves nothing in /dev/shm.
        "dynamic_shared_memory_type=mmap",
    ]
    .iter()
    .chain(settings)
    {
        command.extend(["-c".to_owned(), (*setting).to_owned()]);
    }
    command
}

/// PostgreSQL refuses to run as root: in that case the user `postgres` runs it, and owns the folder.
fn unprivileged(folder: &Path) -> Vec<String> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !root {
        return Vec::new();
    }
    let status = Command::new("chown").arg("postgres").arg(folder).status();
    assert!(status.is_ok_and(|status| status.success()), "running as root needs a user `postgres`");
    ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"].map(str::to_owned).to_vec()
}
