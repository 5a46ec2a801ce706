//! A private PostgreSQL: its own data folder, loopback only, no socket, little memory; one server with one database
//! per service, owned by a role with the same name. `access.rs` says who may log in.
//!
//! PostgreSQL refuses to run as root. In that case an unprivileged user runs it. If that user cannot reach the
//! checkout (a home folder of mode 0700), the data are in a private folder under the system's temporary directory:
//! the only thing that a lab writes outside its own folder. `.lab/postgres.path` points to it, and `lab down
//! --purge` removes it.

mod access;
mod lease;
mod local;
mod replica;
mod runner;
mod unfinished;
mod verifier;

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use supervisor::{
    Part,
    part::{Preparation, Step, StopSignal},
    probe::Probe,
};

use self::runner::Runner;
use super::{environment, programs};
use crate::{backup::request, home::Home, secrets::Secrets, terminal::say};

pub(crate) use self::{
    access::{
        BACKUP, BACKUP_PASS_FILE, DATABASES, EXPORTER, OWNER, PASS_FILE, REPLICA_ROLE, exporter_password,
        file as password_file, fresh_url, rekey, role_statements, room_urls, statistics_url, url,
    },
    local::Local,
    replica::{Confirm, REPLICA, pass_file, replica},
};

/// Size of a segment of the write-ahead log in MiB. Small: a new one is begun at each base backup.
pub(crate) const SEGMENT_MIB: u64 = 4;

/// Settings of the server. Small: the lab has a few dozen short sessions. `fsync` stays on, so that a commit that was
/// confirmed is durable.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=8MB",
    // Three instances of each service with a pool of 10, and a few more.
    "max_connections=100",
    // Memory for each connection, for the locks of serializable transactions, which the shop does not use.
    "max_pred_locks_per_transaction=10",
    // One process less: nothing is replicated by publication.
    "max_logical_replication_workers=0",
    // Each of them is a process with the memory of a session, and the databases are small: one takes them in turn.
    "autovacuum_max_workers=1",
    "jit=off",
    // In the data folder, so that a killed server leaves nothing in /dev/shm.
    "dynamic_shared_memory_type=mmap",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m [%p] ",
    // The log shows what a production log would: slow statements, lock waits, temporary files.
    "log_min_duration_statement=500ms",
    "log_lock_waits=on",
    "deadlock_timeout=1s",
    // What the archive of the write-ahead log has not fetched is kept, but not until the disk is full.
    "max_slot_wal_keep_size=1GB",
];

/// The part, after choosing its data folder. `confirm` says what a commit waits for if there is a replica.
///
/// # Errors
/// When PostgreSQL is not installed, or no user can run it.
pub(crate) fn part(home: &Home, port: u16, confirm: Option<Confirm>) -> Result<Part> {
    let bin = programs::postgres_folder()?;
    let runner = Runner::choose()?;
    let base = base(home, &runner)?;
    let secrets = Secrets::of(home);
    let (data, draft) = (base.join("cluster"), base.join("cluster.new"));
    if !data.exists() && base.join("data").exists() {
        say(format!(
            "lab: PostgreSQL starts empty: the data of an earlier version, which had no passwords, stay in {} until \
             `lab down --purge`",
            base.join("data").display()
        ));
    }
    let run = |program: &str| runner.line(&bin.join(program), &base);
    let hba = access::rules(&base)?;
    runner.own(&hba)?;
    let hba = format!("hba_file={}", hba.display());
    let server = run("postgres").args(["-D", &text(&data), "-p", &port.to_string(), "-c", &hba]);
    let server = server.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    let server = server.args(["-c", &replica::waits_for(confirm)]);
    // A session lasts for minutes, and would keep what its largest statement has freed.
    let server = environment::frugal(server);
    let mut part = Part::new("postgres", server, Probe::Postgres(port)).port("postgres", port);

    // Nobody logs in as the superuser: steps that need one run in single-user mode, before the server listens.
    let alone = |folder: &Path| run("postgres").args(["--single", "-D", &text(folder), "postgres"]);
    let initdb = run("initdb").args([
        "--username=postgres",
        "--auth=reject",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        &format!("--wal-segsize={SEGMENT_MIB}"),
    ]);
    let roles = access::roles(&secrets)?;
    let applied = secrets.path(&access::mark(&roles));
    part.prepare = vec![
        Preparation {
            unless: data.clone(),
            steps: vec![
                Step::Remove(draft.clone()),
                Step::Remove(applied.clone()),
                Step::Run(initdb.args(["-D", &text(&draft)]), String::new()),
                Step::Run(alone(&draft).args(["-F"]), access::databases()),
                Step::Rename(draft, data.clone()),
            ],
        },
        Preparation {
            unless: applied.clone(),
            steps: vec![Step::Run(alone(&data), roles), Step::Mark(applied)],
        },
    ];
    let in_database = |name: &str| run("postgres").args(["--single", "-D", &text(&data), name]);
    part.prepare.extend(unfinished::preparations(home, in_database));
    part.stop = StopSignal::Int;
    part.errand = Some(request::errand(home, "postgres")?);
    Ok(part)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The parent of the data folder, created and owned by the runner.
fn base(home: &Home, runner: &Runner) -> Result<PathBuf> {
    if let Some(outside) = outside(home)
        && outside.is_dir()
        && runner.reaches(&outside)
    {
        return Ok(outside);
    }
    let inside = home.dir.join("postgres");
    runner.pass(&home.dir)?;
    make(&inside, runner)?;
    if runner.reaches(&inside) {
        return Ok(inside);
    }
    fs::remove_dir(&inside).with_context(|| format!("cannot remove {}", inside.display()))?;
    let private = tempfile::Builder::new().prefix("sre-lab-").tempdir().context("no private folder")?.keep();
    fs::write(home.outside(), text(&private)).context("cannot note the private folder")?;
    make(&private, runner)?;
    if !runner.reaches(&private) {
        bail!(
            "the user that runs PostgreSQL reaches neither {} nor {}",
            home.dir.display(),
            private.display()
        );
    }
    Ok(private)
}

fn make(folder: &Path, runner: &Runner) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot create {}", folder.display()))?;
    runner.own(folder)
}

/// The private folder outside the lab's own, if one is in use.
pub(crate) fn outside(home: &Home) -> Option<PathBuf> {
    let path = PathBuf::from(fs::read_to_string(home.outside()).ok()?.trim());
    // Whatever the file says, only a folder that `base` created is ever used or removed.
    let ours = path.file_name()?.to_str()?.starts_with("sre-lab-");
    (ours && path.is_absolute()).then_some(path)
}
