//! The resources of a process: compared before and after, they show what a fault left behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};

use sqlx::Connection;

use super::{Database, Subject, files};
use crate::{Redis, Scrape};

/// Threads and descriptors change with requests: this many more are not a leak; one leaked in each of fifty rounds
/// is.
const MORE: usize = 12;
/// Memory that allocators keep, in MiB.
const MORE_MIB: usize = 48;
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// The resources that a service holds now.
#[derive(Debug)]
pub(super) struct Weight {
    /// Sessions on the server that are not the pool's, or are busy.
    sessions: Vec<String>,
    descriptors: usize,
    threads: BTreeMap<String, usize>,
    resident_mib: usize,
    keys: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Weight {
    /// The resources that a service holds when idle.
    pub(super) async fn settled(subject: &Subject) -> Self {
        let start = Instant::now();
        loop {
            let now = Self::now(subject).await;
            if now.sessions.is_empty() || start.elapsed() > Duration::from_secs(10) {
                return now;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Adds keys that its own traffic creates, and that may or may not exist.
    pub(super) fn with_keys(mut self, known: &BTreeSet<String>) -> Self {
        self.keys.extend(known.iter().cloned());
        self
    }

    /// Waits until the service holds no more than this.
    pub(super) async fn is_back(&self, subject: &Subject, limit: Duration) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let now = Self::now(subject).await;
            let more = now.beyond(self);
            if more.is_empty() {
                return Ok(());
            }
            if start.elapsed() > limit {
                return Err(more.join("; "));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn beyond(&self, before: &Self) -> Vec<String> {
        let mut more: Vec<String> =
            self.sessions.iter().map(|session| format!("session {session}")).collect();
        if self.descriptors > before.descriptors + MORE {
            more.push(format!("{} descriptors, before {}", self.descriptors, before.descriptors));
        }
        for (name, count) in &self.threads {
            // A client of the broker has its own threads, and a fixed number of them.
            let spare = if name.starts_with("rdk:") { 0 } else { MORE };
            let had = before.threads.get(name).copied().unwrap_or_default();
            if *count > had + spare {
                more.push(format!("{count} threads {name}, before {had}"));
            }
        }
        if self.resident_mib > before.resident_mib + MORE_MIB {
            more.push(format!("{} MiB, before {}", self.resident_mib, before.resident_mib));
        }
        more.extend(self.keys.difference(&before.keys).map(|key| format!("key {key}")));
        more.extend(self.files.difference(&before.files).map(|file| format!("file {file}")));
        more
    }

    async fn now(subject: &Subject) -> Self {
        let pid = subject.process.pid();
        Self {
            sessions: match &subject.database {
                Some(database) => sessions(database, subject).await,
                None => Vec::new(),
            },
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count),
            threads: threads(pid),
            resident_mib: resident_mib(pid),
            keys: match &subject.redis {
                Some(redis) => keys(redis).await.into_iter().collect(),
                None => BTreeSet::new(),
            },
            files: files(subject.data.path()),
        }
    }
}

/// Sessions that are not the pool's, or are not idle.
async fn sessions(database: &Database, subject: &Subject) -> Vec<String> {
    let mut conn = database.server.connect().await.expect("the observer connects");
    let sql =
        "SELECT concat_ws(' ', application_name, state, query), state = 'idle' AND application_name = $2
               FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
    let all: Vec<(String, Option<bool>)> = sqlx::query_as(sql)
        .bind(&database.name)
        .bind(subject.name)
        .fetch_all(&mut conn)
        .await
        .expect("an answer");
    let _ = conn.close().await;
    let mut odd: Vec<String> =
        all.iter().filter(|(_, quiet)| *quiet != Some(true)).map(|(session, _)| session.clone()).collect();
    let scrape = subject.admin.get("/metrics").await;
    if odd.is_empty() && scrape.status == 200 {
        let scrape = Scrape::parse(&scrape.body);
        let own =
            ["database_connections_active", "database_connections_idle"].map(|name| scrape.value(name, &[]));
        let own: f64 = own.iter().sum();
        if all.len() as f64 > own {
            odd.push(format!("{} idle ones, and the pool knows {own}: {all:?}", all.len()));
        }
    }
    odd
}

fn threads(pid: u32) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        if let Ok(name) = fs::read_to_string(task.path().join("comm")) {
            *count.entry(name.trim().to_owned()).or_default() += 1;
        }
    }
    count
}

fn resident_mib(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or_default() / 1024
}

/// All keys, without the numbers that some end in: keys of a minute come and go. A test has only a few.
pub(super) async fn keys(redis: &Redis) -> Vec<String> {
    let reply = redis.command("KEYS *").await;
    let keys = reply.lines().filter(|line| !line.starts_with(['*', '$'])).map(str::trim);
    keys.map(unnumbered).collect()
}

fn unnumbered(key: &str) -> String {
    match key.rsplit_once(':') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => format!("{name}:N"),
        _ => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::unnumbered;

    #[test]
    fn keys_of_a_minute_are_alike_and_those_of_ids_are_not() {
        assert_eq!(unnumbered("{active-users}:29500000"), unnumbered("{active-users}:29500001"));
        let id = "users:01931c2e-7f6a-7000-8000-0000000000ab";
        assert_eq!(unnumbered(id), id);
    }
}
