//! Everything that a trainee can look at, collected while something happens.

use std::{collections::BTreeSet, fs, time::Duration};

use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::{
    Database, Subject,
    cases::{ANY, Case},
    files,
    text::{plain, whole},
    weight::keys,
};
use crate::Scrape;

/// Time between two looks at short-lived things.
const LOOK: Duration = Duration::from_millis(25);
/// Words that must not appear in any text.
const WORDS: &[&str] = &["fault", "inject", "simulat", "chaos", "deliberate", "sabotage"];
/// The closed port that is used for an absent peer.
const CLOSED: &[&str] = &["127.0.0.1:1/", "127.0.0.1:1 ", "127.0.0.1:1\""];

/// A session of the superuser that looks at the sessions of a subject.
struct Observer<'a> {
    conn: PgConnection,
    database: &'a Database,
}

impl<'a> Observer<'a> {
    async fn of(subject: &'a Subject) -> Option<Self> {
        let database = subject.database.as_ref()?;
        let conn = database.server.connect().await.expect("the observer connects");
        Some(Self { conn, database })
    }
}

/// What was seen, each as one comparable line.
#[derive(Default)]
pub(super) struct Seen {
    name: &'static str,
    /// Sessions, statements, server messages, keys, clients, threads, files, metric families, spans: also seen at
    /// rest, or a tell.
    things: BTreeSet<String>,
    /// The keys themselves.
    pub(super) keys: BTreeSet<String>,
    /// Lines of the service's log: written by code other than the faults, or a tell.
    lines: Vec<String>,
}

impl Seen {
    /// Looks while `work` runs.
    pub(super) async fn during(subject: &Subject, work: impl Future<Output = ()>) -> Self {
        let (server_log, own_log) =
            (whole(&subject.server_log()).len(), whole(&subject.process.output()).len());
        let spans = subject.traces.all().len();
        let mut seen = Self { name: subject.name, ..Self::default() };
        let mut observer = Observer::of(subject).await;
        let looking = async {
            for look in 0_u32.. {
                seen.sessions(observer.as_mut()).await;
                seen.threads_and_files(subject);
                // These change slowly, and cost more to look at.
                if look.is_multiple_of(8) {
                    seen.keys_and_families(subject).await;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = looking => {}
        }
        if let Some(observer) = observer {
            let _ = observer.conn.close().await;
        }
        seen.statements(&whole(&subject.server_log())[server_log..], subject);
        for span in &subject.traces.all()[spans..] {
            seen.things.insert(format!("span {} {}", span.kind, plain(&span.name)));
        }
        seen.lines.extend(whole(&subject.process.output())[own_log..].lines().map(str::to_owned));
        seen
    }

    async fn sessions(&mut self, observer: Option<&mut Observer<'_>>) {
        let Some(Observer { conn, database }) = observer else { return };
        let sessions: Vec<(String, Option<String>)> =
            sqlx::query_as("SELECT application_name, state FROM pg_stat_activity WHERE datname = $1")
                .bind(&database.name)
                .fetch_all(conn)
                .await
                .expect("the observer asks");
        for (application, state) in sessions {
            // A session that has not set its name yet is not a tell.
            if let (false, Some(state)) = (application.is_empty(), state) {
                self.things.insert(format!("session {application} {state}"));
            }
        }
    }

    fn threads_and_files(&mut self, subject: &Subject) {
        for name in threads(subject.process.pid()) {
            self.things.insert(format!("thread {}", plain(&name)));
        }
        for name in files(subject.data.path()) {
            self.things.insert(format!("file {}", plain(&name)));
        }
    }

    async fn keys_and_families(&mut self, subject: &Subject) {
        if let Some(redis) = &subject.redis {
            for key in keys(redis).await {
                self.things.insert(format!("key {}", plain(&key)));
                self.keys.insert(key);
            }
            for client in redis.command("CLIENT LIST").await.lines().filter(|line| line.starts_with("id=")) {
                let named: Vec<_> = client
                    .split(' ')
                    .filter(|field| {
                        ["name=", "db=", "user=", "lib-name="].iter().any(|f| field.starts_with(f))
                    })
                    .collect();
                self.things.insert(format!("client {}", named.join(" ")));
            }
        }
        let scrape = subject.admin.get("/metrics").await;
        if scrape.status == 200 {
            for line in Scrape::parse(&scrape.body).contract().lines() {
                self.things.insert(format!("family {line}"));
            }
        }
    }

    /// The server log about the subject's database: statements by sender, and messages.
    pub(super) fn statements(&mut self, log: &str, subject: &Subject) {
        let Some(Database { name, .. }) = &subject.database else { return };
        let mine = format!(" {name} ");
        let mut entry: Option<String> = None;
        for line in log.lines() {
            // A statement of several lines continues after a tab; the last line may be incomplete, and is left out.
            if let (Some(entry), true) = (&mut entry, line.starts_with('\t')) {
                entry.push_str(line);
                continue;
            }
            if let Some(whole) = entry.take() {
                self.things.insert(plain(&whole));
            }
            let Some((_, rest)) =
                line.split_once("] ").filter(|(_, rest)| format!(" {rest}").starts_with(&mine))
            else {
                continue;
            };
            let rest = rest.trim_start_matches(&mine[1..]);
            let (application, rest) = rest.split_once(": ").unwrap_or(("", rest));
            entry = Some(statement(application, rest));
        }
    }

    /// What is neither known from `rest` nor left by the real cause.
    pub(super) fn tells(&self, rest: &Self, case: &Case, sources: &str) -> Vec<String> {
        let own = format!("session {} ", rest.name);
        let allowed = |thing: &str| {
            // Its own sessions may be in any state; their statements are checked one by one.
            if thing.starts_with(&own) {
                return true;
            }
            let left = |part: &&str| thing.contains(*part);
            case.leaves.iter().any(left) || ANY.iter().any(left)
        };
        let new = self.things.difference(&rest.things).filter(|thing| !allowed(thing)).cloned();
        let told = self.lines.iter().filter_map(|line| tell(line, sources));
        let words = self.things.iter().filter(|thing| says_too_much(thing)).cloned();
        let all: BTreeSet<_> = new.chain(told).chain(words).collect();
        all.into_iter().collect()
    }
}

/// `LOG: execute name: text` and `LOG: statement: text` are statements; everything else is a message.
fn statement(application: &str, rest: &str) -> String {
    let rest = rest.replace(":  ", ": ");
    match rest.strip_prefix("LOG: ").and_then(|rest| rest.split_once(": ")) {
        Some((how, text)) if how == "statement" || how.starts_with("execute ") => {
            format!("statement {application} {}", text.trim_end_matches(';'))
        }
        _ => rest,
    }
}

/// A line that only a fault would write, or that reveals it.
fn tell(line: &str, sources: &str) -> Option<String> {
    let json: Value = serde_json::from_str(line).unwrap_or_default();
    let text = |field: &str| json[field].as_str().unwrap_or_default();
    // The configuration that is logged at start contains the names of its settings.
    let said = says_too_much(line) && text("message") != "started";
    let closed = CLOSED.iter().any(|port| line.contains(port));
    let unknown =
        text("target").starts_with("chassis") && !sources.contains(&format!("\"{}\"", text("message")));
    if said || closed {
        return Some(format!("line {line}"));
    }
    // One finding, however often it was logged.
    unknown.then(|| format!("line {} {}: {}", text("level"), text("target"), text("message")))
}

fn says_too_much(text: &str) -> bool {
    // Rules of the edge's firewall may simulate, at rest too: its metric says so.
    let text = text.to_lowercase().replace("default", "").replace("blocked or simulated", "");
    WORDS.iter().any(|word| text.contains(word))
}

fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}
