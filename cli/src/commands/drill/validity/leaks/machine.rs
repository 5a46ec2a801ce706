//! What a trainee can read on this machine: logs, `/proc`, names of files, and what the stores say of their
//! clients.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use secrecy::ExposeSecret as _;
use supervisor::state::LabState;

use super::Text;
use crate::{
    home::Home,
    parts::{postgres, programs, stores},
    secrets::Secrets,
};

/// Most bytes that are read of one log.
const MOST: u64 = 64 << 20;
/// What PostgreSQL tells about its sessions.
const SESSIONS: [&str; 3] = [
    "select row_to_json(a) from pg_stat_activity a",
    "select row_to_json(l) from pg_locks l",
    "select row_to_json(p) from pg_prepared_xacts p",
];

/// How far the logs have been read: bytes and lines, by file.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(BTreeMap<PathBuf, (u64, usize)>);

impl Marks {
    /// The ends of all logs.
    pub(super) fn of(home: &Home) -> Self {
        let mut marks = Self::default();
        marks.read(home);
        marks
    }

    /// What was written since the last look.
    pub(super) fn read(&mut self, home: &Home) -> Vec<Text> {
        let files = fs::read_dir(home.dir.logs()).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut texts = Vec::new();
        for path in files.filter(|path| path.is_file()) {
            let (from, line) = self.0.get(&path).copied().unwrap_or_default();
            // A log that was begun again is read from its start.
            let length = fs::metadata(&path).map_or(0, |meta| meta.len());
            let (from, line) = if length < from { (0, 0) } else { (from, line) };
            let Ok(body) = part(&path, from) else { continue };
            let lines = body.iter().filter(|byte| **byte == b'\n').count();
            let end = from + u64::try_from(body.len()).unwrap_or(u64::MAX);
            self.0.insert(path.clone(), (end, line + lines));
            texts.push(Text {
                from: path.display().to_string(),
                first_line: line + 1,
                body: String::from_utf8_lossy(&body).into_owned(),
            });
        }
        texts
    }
}

fn part(path: &Path, from: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut body = Vec::new();
    file.take(MOST).read_to_end(&mut body)?;
    Ok(body)
}

/// Command line, environment, folder, program, thread names and open files of every process of the lab.
pub(super) fn processes(state: &LabState) -> Vec<Text> {
    let roots = state.parts.iter().filter_map(|part| Some((part.name.clone(), part.process?.pid)));
    let children = children();
    let mut texts = Vec::new();
    for (part, root) in roots {
        let mut open = vec![root];
        let mut seen = BTreeSet::new();
        while let Some(pid) = open.pop() {
            if seen.insert(pid) {
                open.extend(children.get(&pid).into_iter().flatten());
                texts.extend(process(&part, pid));
            }
        }
    }
    texts
}

/// The children of every process.
fn children() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name before it is in parentheses, and may have spaces.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}

fn process(part: &str, pid: u32) -> Vec<Text> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let mut texts = Vec::new();
    let mut add = |path: PathBuf, body: String| {
        texts.push(Text { from: format!("{} ({part})", path.display()), first_line: 1, body });
    };
    for name in ["cmdline", "environ"] {
        let path = folder.join(name);
        if let Ok(body) = fs::read(&path) {
            add(path, String::from_utf8_lossy(&body).into_owned());
        }
    }
    for name in ["cwd", "exe"] {
        let path = folder.join(name);
        if let Ok(target) = fs::read_link(&path) {
            add(path, target.display().to_string());
        }
    }
    for task in fs::read_dir(folder.join("task")).into_iter().flatten().flatten() {
        let path = task.path().join("comm");
        if let Ok(body) = fs::read_to_string(&path) {
            add(path, body);
        }
    }
    for file in fs::read_dir(folder.join("fd")).into_iter().flatten().flatten() {
        if let Ok(target) = fs::read_link(file.path()) {
            add(file.path(), target.display().to_string());
        }
    }
    texts
}

/// Names of the files in the data folders of the services.
pub(super) fn files(home: &Home) -> Vec<Text> {
    let mut open = vec![home.dir.join("data")];
    let mut names = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            names.push(entry.path().display().to_string());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    vec![Text { from: home.dir.join("data").display().to_string(), first_line: 1, body: names.join("\n") }]
}

/// Sessions, locks and prepared transactions of PostgreSQL; keys and clients of Redis. What could not be
/// asked is in `silent`.
pub(super) fn of_stores(home: &Home, state: &LabState, silent: &mut BTreeSet<String>) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut add = |from: &str, answer: Option<String>| match answer {
        Some(body) => texts.push(Text { from: from.to_owned(), first_line: 1, body }),
        None => {
            silent.insert(from.to_owned());
        }
    };
    add("PostgreSQL: sessions and locks", sessions(home, state));
    for (from, words) in [
        ("Redis: keys", &["--scan"][..]),
        ("Redis: clients", &["client", "list"]),
        ("Redis: info", &["info"]),
    ] {
        add(from, redis(home, state, words));
    }
    texts
}

fn sessions(home: &Home, state: &LabState) -> Option<String> {
    let packaged = || programs::postgres_folder().ok().map(|folder| folder.join("psql"));
    let psql = programs::find(&["psql"]).or_else(packaged)?;
    let mut command = Command::new(psql);
    command
        .args(["--no-psqlrc", "--no-align", "--tuples-only"])
        .args(SESSIONS.iter().flat_map(|query| ["--command", query]))
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", state.port("postgres")?.to_string())
        .env("PGUSER", postgres::OWNER)
        .env("PGDATABASE", "orders")
        .env("PGPASSFILE", Secrets::of(home).path(postgres::PASS_FILE));
    answer(&mut command)
}

fn redis(home: &Home, state: &LabState, words: &[&str]) -> Option<String> {
    let program = programs::find(&["redis-cli", "valkey-cli"])?;
    let password = Secrets::of(home).read(stores::REDIS_OWNER).ok()?;
    let mut command = Command::new(program);
    command
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &state.port("redis")?.to_string(),
            "--user",
            "lab",
            "--no-auth-warning",
        ])
        .args(words)
        .env("REDISCLI_AUTH", password.expose_secret());
    answer(&mut command)
}

fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use supervisor::Folder;

    use super::*;

    #[test]
    fn a_log_is_read_from_where_the_last_look_ended() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home { root: folder.path().to_path_buf(), dir: Folder::at(folder.path()), token: None };
        fs::create_dir_all(home.dir.logs()).unwrap();
        let log = home.dir.log("order-api");
        fs::write(&log, "one\ntwo\n").unwrap();
        let mut marks = Marks::of(&home);
        fs::write(&log, "one\ntwo\nthree\n").unwrap();
        let texts = marks.read(&home);
        assert_eq!((texts[0].first_line, texts[0].body.as_str()), (3, "three\n"));
        fs::write(&log, "anew\n").unwrap();
        assert_eq!(marks.read(&home)[0].first_line, 1, "begun again");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_shows_its_command_its_environment_and_its_threads() {
        let me = std::process::id();
        let texts = process("test", me);
        for name in ["cmdline", "environ", "cwd", "exe", "comm"] {
            assert!(texts.iter().any(|text| text.from.contains(name) && !text.body.is_empty()), "{name}");
        }
        let parents = children().into_values().flatten().filter(|pid| *pid == me).count();
        assert_eq!(parents, 1, "one parent");
    }
}
