//! A private PostgreSQL: its own data folder, loopback only, no socket, small memory; one server, a database a service.
//!
//! PostgreSQL refuses to run as root. Then an unprivileged user runs it, and where that user cannot reach the checkout
//! (a home folder of mode 0700) its data lie in a private folder under the system's temporary directory: the one thing
//! that a lab writes outside its own folder. `.lab/postgres.path` names it and `lab down --purge` removes it.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{Line, Part, Preparation, Step, StopSignal, programs};
use crate::{home::Home, supervisor::probe::Probe};

/// Databases, one for each service that has one.
const DATABASES: &[&str] = &["users", "orders", "fulfillment"];

/// Settings of the server. Small: the lab has a few dozen short sessions. `fsync` stays on: what a service was told is
/// committed is.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=16MB",
    "max_connections=60",
    "jit=off",
    // In the data folder, so that a killed server leaves nothing in /dev/shm.
    "dynamic_shared_memory_type=mmap",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m [%p] ",
    // The log tells a trainee what a production log would: slow statements, lock waits, temporary files.
    "log_min_duration_statement=500ms",
    "log_lock_waits=on",
    "deadlock_timeout=1s",
];

/// URL of one database.
pub(crate) fn url(port: u16, database: &str) -> String {
    format!("postgres://lab@127.0.0.1:{port}/{database}")
}

/// The part, with its data folder chosen.
///
/// # Errors
/// When PostgreSQL is not installed, or no user is found to run it.
pub(crate) fn part(home: &Home, port: u16) -> Result<Part> {
    let bin = programs::postgres_folder()?;
    let runner = Runner::choose()?;
    let base = base(home, &runner)?;
    let (data, draft) = (base.join("data"), base.join("data.new"));
    let run = |program: &str| runner.line(&bin.join(program), &base);
    let initdb = run("initdb").args([
        "--username=lab",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--wal-segsize=4",
    ]);
    let single = run("postgres").args(["--single", "-F", "-D", &text(&draft), "postgres"]);
    let create: String = DATABASES.iter().map(|name| format!("CREATE DATABASE {name};\n")).collect();
    let server = run("postgres").args(["-D", &text(&data), "-p", &port.to_string()]);
    let server = server.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    let mut part = Part::new("postgres", server, Probe::Postgres(port)).port("postgres", port);
    part.prepare = Some(Preparation {
        unless: data.clone(),
        steps: vec![
            Step::Remove(draft.clone()),
            Step::Run(initdb.args(["-D", &text(&draft)]), String::new()),
            Step::Run(single, create),
            Step::Rename(draft, data),
        ],
    });
    part.stop = StopSignal::Int;
    Ok(part)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Who runs the server.
enum Runner {
    /// Whoever runs `lab`.
    Me,
    /// `lab` runs as root: this user, by way of setpriv(1).
    Other { setpriv: PathBuf, name: String, uid: u32, gid: u32 },
}

impl Runner {
    fn choose() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Me);
        }
        let setpriv = programs::need(&["setpriv"], "setpriv (util-linux)")?;
        let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let found = ["postgres", "nobody"].iter().find_map(|name| user(&users, name));
        let Some((name, uid, gid)) = found else {
            bail!(
                "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody` to run it"
            );
        };
        Ok(Self::Other { setpriv, name, uid, gid })
    }

    fn line(&self, program: &Path, cwd: &Path) -> Line {
        let mut line = match self {
            Self::Me => Line::new(program),
            Self::Other { setpriv, uid, gid, .. } => Line::new(setpriv).args([
                format!("--reuid={uid}"),
                format!("--regid={gid}"),
                "--clear-groups".to_owned(),
                text(program),
            ]),
        };
        line.cwd = Some(cwd.to_path_buf());
        line.env("LC_ALL", "C")
    }

    /// Whether the runner can enter and change `folder`: asked by trying, so that access lists count as well.
    fn reaches(&self, folder: &Path) -> bool {
        let line = self.line(Path::new("test"), Path::new("/")).args([
            "-w",
            &text(folder),
            "-a",
            "-x",
            &text(folder),
        ]);
        let mut command = Command::new(&line.program);
        command.args(&line.args).current_dir("/").stdin(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

fn user(passwd: &str, name: &str) -> Option<(String, u32, u32)> {
    passwd.lines().find_map(|line| {
        // name:password:uid:gid:…
        let mut fields = line.strip_prefix(name)?.strip_prefix(':')?.split(':').skip(1);
        Some((name.to_owned(), fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

/// The folder that holds the data folder, made and owned for the runner.
fn base(home: &Home, runner: &Runner) -> Result<PathBuf> {
    if let Some(outside) = outside(home)
        && outside.is_dir()
        && runner.reaches(&outside)
    {
        return Ok(outside);
    }
    let inside = home.dir.join("postgres");
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
    if let Runner::Other { name, uid, gid, .. } = runner {
        chown(folder, Some(*uid), Some(*gid))
            .with_context(|| format!("cannot give {} to user {name}", folder.display()))?;
    }
    Ok(())
}

/// The private folder outside the lab's own, where one is in use.
pub(crate) fn outside(home: &Home) -> Option<PathBuf> {
    let path = PathBuf::from(fs::read_to_string(home.outside()).ok()?.trim());
    // Whatever the file says, nothing but a folder that `base` made is ever used or removed.
    let ours = path.file_name()?.to_str()?.starts_with("sre-lab-");
    (ours && path.is_absolute()).then_some(path)
}
