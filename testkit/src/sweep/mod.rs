//! The sweep: switches every fault of a service on and off in its own binary, and looks at it from outside.
//!
//! Two questions for each fault. Is anything visible only while it is on that its real cause would not leave? And is
//! everything as before after fifty quick rounds of setting and clearing it? `cases` lists what real causes leave.

mod cases;
mod look;
mod text;
mod weight;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::{BoxFuture, join_all};
use tempfile::TempDir;

use self::{cases::Case, look::Seen, weight::Weight};
use crate::{Http, Postgres, Process, Redis, TraceSink};

/// Whole bursts of traffic after which keys are looked at.
const BURSTS: u32 = 5;
/// Quick rounds for each fault.
const ROUNDS: u32 = 50;
/// How long the fault is on in a round: enough for a task to start, and for a request to be half finished.
const ROUND: Duration = Duration::from_millis(4);
/// How long the service is watched without faults.
const REST: Duration = Duration::from_secs(4);
/// Longest wait until resources are released: idle threads of the runtime stay for 10 s.
const SETTLED: Duration = Duration::from_secs(25);

/// A running service and its dependencies.
pub struct Subject {
    /// The service's name, which its sessions use as well.
    pub name: &'static str,
    /// Its own binary.
    pub process: Process,
    /// Its admin port.
    pub admin: Http,
    /// Its database, if it has one.
    pub database: Option<Database>,
    /// Its cache, if it has one.
    pub redis: Option<Redis>,
    /// Its data folder, as [`data`] makes one.
    pub data: TempDir,
    /// The receiver of its spans.
    pub traces: TraceSink,
    /// A little of everything that the service does; errors are ignored, and it may be dropped halfway.
    pub traffic: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    /// Anything else that must live as long.
    pub keep: Box<dyn std::any::Any + Send + Sync>,
}

/// A database, on the server that [`server`] started.
pub struct Database {
    /// The server.
    pub server: Arc<Postgres>,
    /// The database's name.
    pub name: String,
}

impl Subject {
    /// The log of its database's server so far.
    fn server_log(&self) -> String {
        self.database.as_ref().map(|database| database.server.log()).unwrap_or_default()
    }
}

/// A data folder for a subject: the value of its flag `--data-dir`.
#[must_use]
pub fn data() -> TempDir {
    tempfile::Builder::new().prefix("sweep-").tempdir().expect("a temp folder")
}

/// Names of the files in a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Starts the service's binary with settings that export its spans soon after they end.
#[must_use]
pub fn process(program: &str, flags: &[&str]) -> Process {
    Process::start("env", &[&["OTEL_BSP_SCHEDULE_DELAY=100", program], flags].concat())
}

/// A PostgreSQL that writes every statement of every session to its log.
pub async fn server() -> Arc<Postgres> {
    let server = Postgres::start_with(&[
        "log_statement=all",
        "log_line_prefix=%m [%p] %d %a: ",
        "log_lock_waits=on",
        "log_min_duration_statement=500ms",
        "log_parameter_max_length=0",
        "deadlock_timeout=1s",
    ]);
    Arc::new(server.await)
}

/// Sweeps all faults that the subjects declare, distributed among them: they are replicas of one service.
///
/// # Panics
/// With all tells and leaks.
pub async fn sweep(subjects: Vec<Subject>) {
    let faults = names(&subjects[0].admin).await;
    let lanes = subjects.len();
    let found = join_all(subjects.into_iter().enumerate().map(async |(lane, subject)| {
        let mine: Vec<_> = faults.iter().skip(lane).step_by(lanes).map(|name| cases::of(name)).collect();
        sweep_some(subject, &mine).await
    }))
    .await
    .concat();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

/// Puts two paths of the admin port in turn, fifty times with traffic between them: something that is switched on and
/// off again and is no fault of a catalogue, such as a broker of a cluster.
///
/// # Panics
/// If the subject holds more afterwards than before: sessions, descriptors, threads, memory, keys or files; or if it
/// died.
pub async fn switch(subject: &mut Subject, on: &str, off: &str) {
    // Not counted: what clients and servers open once, and keep.
    on_and_off(subject, on, off).await;
    burst(subject, Duration::from_secs(2)).await;
    let before = Weight::settled(subject).await;
    for _ in 0..ROUNDS {
        on_and_off(subject, on, off).await;
    }
    burst(subject, Duration::from_secs(2)).await;
    let left = before.is_back(subject, SETTLED).await;
    assert!(subject.process.alive(), "{on}: the process died\n{}", subject.process.output());
    assert_eq!(left, Ok(()), "{on}: left behind");
}

async fn on_and_off(subject: &Subject, on: &str, off: &str) {
    for path in [on, off] {
        subject.admin.put(path).await.expect_status(200);
        burst(subject, ROUND).await;
    }
}

async fn names(admin: &Http) -> Vec<String> {
    let list = admin.get("/faults").await.expect_status(200).json();
    let names = list["faults"].as_array().into_iter().flatten().filter_map(|fault| fault["name"].as_str());
    names.map(str::to_owned).collect()
}

async fn sweep_some(mut subject: Subject, cases: &[&'static Case]) -> Vec<String> {
    subject.admin.delete("/faults").await;
    let sources = text::sources();
    let mut rest = Seen::during(&subject, at_rest(&subject)).await;
    // Its traffic's own keys expire soon: looked at right after a burst, none is missed on a busy machine.
    if let Some(redis) = &subject.redis {
        for _ in 0..BURSTS {
            burst(&subject, Duration::from_secs(2)).await;
            rest.keys.extend(weight::keys(redis).await);
        }
    }
    // Logged before: migrations, new connections.
    rest.statements(&subject.server_log(), &subject);
    let mut found = Vec::new();
    for case in cases {
        let start = Instant::now();
        let before = Weight::settled(&subject).await.with_keys(&rest.keys);
        let seen = Seen::during(&subject, rounds(&subject, case)).await;
        let tells = seen.tells(&rest, case, &sources);
        found.extend(tells.into_iter().map(|tell| format!("{}: tell: {tell}", case.fault)));
        if let Err(left) = before.is_back(&subject, SETTLED).await {
            found.push(format!("{}: left behind: {left}", case.fault));
        }
        println!("{} {}: {:.1?}", subject.name, case.fault, start.elapsed());
        if !subject.process.alive() {
            found.push(format!("{}: the process died\n{}", case.fault, subject.process.output()));
            break;
        }
    }
    found
}

/// Busy for a while, with clients that wait and clients that leave.
async fn at_rest(subject: &Subject) {
    let start = Instant::now();
    while start.elapsed() < REST {
        burst(subject, Duration::from_secs(2)).await;
        burst(subject, ROUND).await;
    }
}

/// On for a while, then off and on and off again.
async fn rounds(subject: &Subject, case: &Case) {
    let plan = format!("/faults/{}?{}", case.fault, case.plan);
    let clear = format!("/faults/{}", case.fault);
    subject.admin.put(&plan).await.expect_status(200);
    let start = Instant::now();
    while start.elapsed() < case.on {
        burst(subject, case.on).await;
    }
    subject.admin.delete(&clear).await.expect_status(200);
    for _ in 0..ROUNDS {
        subject.admin.put(&plan).await.expect_status(200);
        burst(subject, ROUND).await;
        subject.admin.delete(&clear).await.expect_status(200);
    }
    // `DELETE` ends a baseline fault too, so that it does not interfere with later faults.
    burst(subject, Duration::from_secs(1)).await;
}

/// Some traffic; requests that take longer are dropped, as by clients that leave.
async fn burst(subject: &Subject, longest: Duration) {
    let _ = tokio::time::timeout(longest, (subject.traffic)()).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
}
