//! A lab as a user starts it, in its own folder and on its own ports.

use std::{
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use testkit::{Claim, Need, available};
use tokio::sync::{Mutex, MutexGuard};

use crate::offsets::offset;

/// Longest time for a killed part to be back and ready.
pub(crate) const BACK: Duration = Duration::from_secs(90);

/// One lab at a time in this process: several labs on two cores are slow, and some tests measure. The suite runs two
/// processes at a time, of which one has the labs that mostly wait (`tools/xtask/src/lanes.rs`).
pub(crate) static TURN: Mutex<()> = Mutex::const_new(());

/// Between two looks at a lab: most of them start a program.
const PAUSE: Duration = Duration::from_millis(200);

/// As [`testkit::eventually`], without keeping a core busy with looking.
pub(crate) async fn eventually<T, F, Fut>(deadline: Duration, check: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, String>>,
{
    testkit::eventually_every(PAUSE, deadline, check).await
}

/// A running lab; stopped and removed when dropped, even by a failing test, and when the test process dies.
pub(crate) struct Lab {
    folder: TempDir,
    offset: u16,
    leash: Child,
    _claim: Claim,
    environment: Vec<(&'static str, String)>,
    down: bool,
    _turn: MutexGuard<'static, ()>,
}

impl Lab {
    /// Starts a lab; `None` if a prerequisite is missing (fails instead if `CI` is set).
    pub(crate) async fn up(args: &[&str]) -> Option<Self> {
        Self::up_with(args, Vec::new()).await
    }

    /// Like [`Lab::up`], with these variables in the environment of `lab up`.
    pub(crate) async fn up_with(args: &[&str], environment: Vec<(&'static str, String)>) -> Option<Self> {
        // An unprivileged PostgreSQL may not reach a temporary folder of mode 0700, and a lab must cope with that.
        Self::up_in(env!("CARGO_TARGET_TMPDIR").as_ref(), 0o700, args, environment).await
    }

    /// Like [`Lab::up_with`], in a new folder of this mode below `place`.
    pub(crate) async fn up_in(
        place: &Path,
        mode: u32,
        args: &[&str],
        environment: Vec<(&'static str, String)>,
    ) -> Option<Self> {
        if !available(&[Need::Postgres, Need::Redis, Need::Prometheus, Need::Alertmanager]) {
            return None;
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        let folder = tempfile::Builder::new().prefix("lab-").permissions(mode).tempdir_in(place);
        let folder = folder.expect("a folder");
        let turn = TURN.lock().await;
        let (offset, claim) = offset();
        let leash = leash(&folder.path().canonicalize().expect("the test's folder").join("lab"));
        let lab = Self { folder, offset, leash, _claim: claim, environment, down: false, _turn: turn };
        let output = lab.start(args);
        assert!(output.status.success(), "lab up: {}", text(&output.stderr));
        Some(lab)
    }

    /// `lab up --detach`, again on the same folder and ports.
    pub(crate) fn start(&self, args: &[&str]) -> Output {
        let offset = self.offset.to_string();
        let mut command = self.command(&[&["up", "--detach", "--port-offset", &offset], args].concat());
        command.envs(self.environment.iter().cloned()).output().expect("lab runs")
    }

    /// The lab's folder.
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("the test's folder").join("lab")
    }

    /// Runs a command of this lab.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("lab runs")
    }

    /// A command of this lab, for a test that needs more than its output.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.arg("--dir").arg(self.dir()).args(args);
        command
    }

    /// Runs a command that must succeed; returns its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "lab {} failed\n{out}\n{err}", args.join(" "));
        out
    }

    /// Runs a command and parses the JSON that it prints, whatever its exit code.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("lab {}: {error}\n{}", args.join(" "), text(&output.stderr)))
    }

    /// `lab status --json`; works even while parts are not ready.
    pub(crate) fn status(&self) -> Value {
        self.json(&["status", "--json"])
    }

    /// One part of the status.
    pub(crate) fn part(&self, name: &str) -> Value {
        let status = self.status();
        let parts = status["parts"].as_array().cloned().unwrap_or_default();
        let found = parts.into_iter().find(|part| part["name"] == name);
        found.unwrap_or_else(|| panic!("no part {name} in {status}"))
    }

    /// The parts in the lab's own file. `lab status` would start a program, which asks every part how it is.
    fn kept(&self) -> Vec<Value> {
        let file = std::fs::read(self.dir().join("state.json")).expect("the state of a lab");
        let state: Value = serde_json::from_slice(&file).expect("JSON");
        state["parts"].as_array().expect("parts").clone()
    }

    /// The number of a named port of a part.
    pub(crate) fn port(&self, part: &str, name: &str) -> u16 {
        let found = self.kept().into_iter().find(|one| one["name"] == part);
        let port = found.and_then(|part| number(&part["ports"][name]));
        port.unwrap_or_else(|| panic!("{part} has no port {name}: {}", self.status()))
    }

    /// The number of a port by its own name, whichever part has it.
    pub(crate) fn named_port(&self, name: &str) -> u16 {
        self.port_if_any(name).unwrap_or_else(|| panic!("no part has the port {name}"))
    }

    /// The number of a port by its own name; `None` if its part does not run here.
    pub(crate) fn port_if_any(&self, name: &str) -> Option<u16> {
        self.kept().iter().find_map(|part| number(&part["ports"][name]))
    }

    /// Numbers of all ports.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let parts = self.kept();
        let ports =
            parts.iter().filter_map(|part| part["ports"].as_object()).flat_map(|ports| ports.values());
        ports.filter_map(number).collect()
    }

    /// The result of a Prometheus query.
    pub(crate) async fn query(&self, query: &str) -> Vec<Value> {
        let url = format!("http://127.0.0.1:{}/api/v1/query", self.port("prometheus", "prometheus"));
        let answer = reqwest::Client::new().get(url).query(&[("query", query)]).send().await;
        let answer: Value = answer.expect("Prometheus answers").json().await.expect("JSON");
        answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{query}: {answer}")).clone()
    }

    /// Names and states of the alerts that are pending or firing.
    pub(crate) fn alerts(&self) -> Vec<(String, String)> {
        let alerts = self.json(&["alerts", "--json"]);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = alerts["prometheus"].as_array().into_iter().flatten();
        all.map(|alert| (word(&alert["labels"]["alertname"]), word(&alert["state"]))).collect()
    }

    /// URL of a database for the lab's owner, with the password that psql would use.
    pub(crate) fn database(&self, name: &str) -> String {
        let entries =
            std::fs::read_to_string(self.dir().join("secrets/pgpass")).expect("the owner's password");
        let password = entries.lines().next().and_then(|entry| entry.rsplit(':').next()).expect("an entry");
        format!("postgres://lab:{password}@127.0.0.1:{}/{name}", self.port("postgres", "postgres"))
    }

    /// A variable in the environment of a part's process.
    pub(crate) fn variable(&self, part: &str, name: &str) -> Option<String> {
        let pid = self.part(part)["pid"].as_u64().expect("it runs");
        let environ = std::fs::read(format!("/proc/{pid}/environ")).expect("its environment");
        let wanted = format!("{name}=");
        environ.split(|byte| *byte == 0).find_map(|line| Some(text(line).strip_prefix(&wanted)?.to_owned()))
    }

    /// Command lines of the processes that carry this lab's mark, including those started by others.
    pub(crate) fn processes(&self) -> Vec<String> {
        marked(&self.dir())
    }

    /// Stops the lab and deletes it; asserts that no process is left and every port is free.
    pub(crate) fn down(mut self) {
        let ports = self.ports();
        self.ok(&["down", "--purge"]);
        self.down = true;
        self.assert_gone(&ports);
        assert!(!self.dir().exists(), "the folder is left");
    }

    /// Asserts that no process is left, and that `ports` are free.
    pub(crate) fn assert_gone(&self, ports: &[u16]) {
        assert_eq!(self.processes(), Vec::<String>::new(), "processes are left");
        let taken = |port: &&u16| std::net::TcpListener::bind(("127.0.0.1", **port)).is_err();
        assert_eq!(ports.iter().find(taken), None, "a port is left");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.down {
            if std::thread::panicking() {
                // The logs are the only clue to why a test failed.
                let logs = text(&self.run(&["logs", "--level", "warn"]).stdout);
                let last: Vec<_> = logs.lines().rev().take(60).collect();
                last.iter().rev().for_each(|line| eprintln!("{line}"));
            }
            self.run(&["down", "--purge"]);
        }
        let _ = self.leash.stdin.take().map(|mut leash| leash.write_all(b"done\n"));
        let _ = self.leash.wait();
    }
}

/// Stops the lab in `dir` when this process ends without having said that it did so itself.
fn leash(dir: &Path) -> Child {
    const SCRIPT: &str = r#"read -r word; [ "$word" = done ] || exec "$0" --dir "$1" down --purge"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT, env!("CARGO_BIN_EXE_lab")]).arg(dir);
    // A group of its own: what ends the test, such as Ctrl-C, must not end it too.
    shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.spawn().expect("sh runs")
}

/// Commands of the processes that carry the mark of the lab in `dir`.
pub(crate) fn marked(dir: &Path) -> Vec<String> {
    let mark = format!("SRE_LAB_DIR={}", dir.display());
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let read = |path: PathBuf| std::fs::read(path).unwrap_or_default();
    let marked = processes.filter(|process| {
        let environ = read(process.path().join("environ"));
        environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    });
    marked.map(|process| text(&read(process.path().join("cmdline"))).replace('\0', " ")).collect()
}

fn number(port: &Value) -> Option<u16> {
    port.as_u64().and_then(|port| u16::try_from(port).ok())
}

/// The output of a program.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Sends SIGKILL to a process.
pub(crate) fn kill(pid: &Value) {
    signal(pid, rustix::process::Signal::KILL);
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: &Value, signal: rustix::process::Signal) {
    let pid = pid.as_i64().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    let pid = pid.expect("a pid above 0");
    rustix::process::kill_process(pid, signal).expect("the process takes signals");
}
