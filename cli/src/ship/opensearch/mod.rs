//! Ships the logs of the parts to OpenSearch, one index per day.
//!
//! Invariant: at least once on the way, exactly once in the index. A line is read again until OpenSearch has confirmed it,
//! and has the same id each time. While OpenSearch does not answer, nothing is read: the log files are the buffer, and
//! memory holds one batch.

mod document;
#[cfg(test)]
mod tests;

use std::{fs, path::PathBuf, time::Duration};

use chrono::Utc;
use observe::{
    Peer,
    logs::{Answer, Backlog, Batch, Marks, OpenSearch, Retention},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use supervisor::write_private;
use tokio::time::{Instant, sleep};

use self::document::{PREFIX, documents, expired};
use crate::{home::Home, parts::opensearch::OPENSEARCH, terminal::say};

/// How often the logs are read.
const EVERY: Duration = Duration::from_secs(1);
/// Bytes of log lines per request; their documents are two to three times as large.
const BATCH: usize = 512 << 10;
/// Pauses between two attempts: they double from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));
/// A node needs some time to start. Only a longer silence is reported.
const START: Duration = Duration::from_secs(60);
/// How often old indices are deleted, if no policy of OpenSearch does.
const SWEEP: Duration = Duration::from_secs(3600);

/// Name of the index template, and of the policy.
const NAME: &str = "sre-lab-logs";
const TEMPLATE: &str = include_str!("../../../../dashboards/opensearch/index-template.json");
const POLICY: &str = include_str!("../../../../dashboards/opensearch/ism-policy.json");

/// Where to ship to, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Base URL of an OpenSearch.
    pub(crate) url: String,
    /// Days after which an index is deleted.
    pub(crate) days: u16,
}

/// Ships until it is dropped.
pub(crate) async fn ship(home: Home, target: Target) {
    let mut shipper = Shipper::new(&home, target);
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        shipper.step().await;
    }
}

/// What is kept between two runs, in `<lab>/opensearch/shipped.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Shipped {
    /// The OpenSearch that has it.
    to: String,
    counts: Counts,
    marks: Marks,
}

/// What happened since the first line was shipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    /// Lines that are stored.
    stored: u64,
    /// Lines that were sent again although they had arrived.
    known: u64,
    /// Lines that OpenSearch refused for good.
    refused: u64,
    /// Requests that were repeated: it did not answer, or had no room.
    retries: u64,
    /// Milliseconds waited before they were.
    waited_ms: u64,
    /// How often a log was replaced before all of its lines were sent.
    lost_logs: u64,
}

struct Shipper {
    client: OpenSearch,
    target: Target,
    backlog: Backlog,
    path: PathBuf,
    counts: Counts,
    /// Of earlier runs: the backlog counts its own.
    lost_before: u64,
    /// Who deletes old indices; `None` until the template and the policy are there.
    retention: Option<Retention>,
    swept: Option<Instant>,
    outage: Outage,
}

/// A time without success, so that its beginning and end are each reported once.
#[derive(Debug, Default)]
struct Outage {
    since: Option<Instant>,
    told: bool,
    /// Whether anything ever succeeded.
    worked: bool,
}

impl Shipper {
    fn new(home: &Home, target: Target) -> Self {
        let path = home.dir.join(OPENSEARCH).join("shipped.json");
        let shipped = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Shipped>(&text).ok());
        // Another OpenSearch has none of it.
        let shipped = shipped.filter(|shipped| shipped.to == target.url).unwrap_or_default();
        Self {
            client: OpenSearch::at(Peer::at(&target.url)),
            target,
            // Its own lines would make it log even more.
            backlog: Backlog::open(&home.dir.logs(), shipped.marks, &[OPENSEARCH]),
            path,
            lost_before: shipped.counts.lost_logs,
            counts: shipped.counts,
            retention: None,
            swept: None,
            outage: Outage::default(),
        }
    }

    /// Sends everything that was written since the last step.
    async fn step(&mut self) {
        self.prepare().await;
        loop {
            let batch = self.backlog.next(BATCH);
            if batch.is_empty() {
                return;
            }
            self.save();
            self.send(&batch).await;
            self.backlog.confirm(batch);
            self.save();
        }
    }

    /// Stores the template and the policy, at first and after each outage: a node that has come back may be a new one.
    async fn prepare(&mut self) {
        let mut pause = PAUSES.0;
        while self.retention.is_none() {
            match self.settle().await {
                Ok(retention) => {
                    self.works();
                    self.retention = Some(retention);
                }
                Err(error) => self.wait(&error.to_string(), &mut pause).await,
            }
        }
        if self.retention == Some(Retention::Nobody) && self.swept.is_none_or(|last| last.elapsed() > SWEEP) {
            self.sweep().await;
        }
    }

    async fn settle(&self) -> observe::Result<Retention> {
        self.client.put_template(NAME, &json(TEMPLATE)).await?;
        let mut policy = json(POLICY);
        let age = format!("{}d", self.target.days);
        policy["policy"]["states"][0]["transitions"][0]["conditions"]["min_index_age"] = Value::from(age);
        self.client.put_policy(NAME, &policy).await
    }

    /// Deletes old indices, and says so at the first time. What fails is tried again an hour later.
    async fn sweep(&mut self) {
        if self.swept.replace(Instant::now()).is_none() {
            say(format_args!(
                "lab: this OpenSearch has no lifecycle policies (Index State Management): while the lab is up, it deletes \
                 indices that are older than {} days itself",
                self.target.days
            ));
        }
        let indices = self.client.indices(&format!("{PREFIX}*")).await.unwrap_or_default();
        for index in expired(indices, self.target.days, Utc::now()) {
            match self.client.delete_index(&index).await {
                Ok(()) => say(format_args!("lab: deleted the index {index}")),
                Err(error) => say(format_args!("lab: the index {index} is not deleted: {error}")),
            }
        }
    }

    /// Sends lines until OpenSearch has stored each of them or refused it for good.
    async fn send(&mut self, batch: &Batch) {
        let mut waiting: Vec<String> = batch.sections.iter().flat_map(documents).collect();
        let mut pause = PAUSES.0;
        while !waiting.is_empty() {
            self.prepare().await;
            let later = match self.client.bulk(waiting.concat()).await {
                Ok(answers) if answers.len() == waiting.len() => self.sort(&mut waiting, answers),
                Ok(answers) => Some(format!("it answered for {} of {} lines", answers.len(), waiting.len())),
                Err(error) => {
                    self.retention = None;
                    Some(error.to_string())
                }
            };
            match later {
                None => self.works(),
                Some(why) => self.wait(&why, &mut pause).await,
            }
        }
    }

    /// Leaves those that have to be sent again, and says why the first of them has to.
    fn sort(&mut self, waiting: &mut Vec<String>, answers: Vec<Answer>) -> Option<String> {
        let (mut later, mut refusal) = (None, None);
        let mut answers = answers.into_iter();
        waiting.retain(|_| {
            match answers.next() {
                Some(Answer::Stored) => self.counts.stored += 1,
                Some(Answer::Known) => self.counts.known += 1,
                Some(Answer::Refused(why)) => {
                    self.counts.refused += 1;
                    refusal.get_or_insert(why);
                }
                Some(Answer::Later(why)) => {
                    later.get_or_insert(why);
                    return true;
                }
                // There are as many answers as lines.
                None => return true,
            }
            false
        });
        if let Some(why) = refusal {
            say(format_args!("lab: OpenSearch refused log lines, {} so far: {why}", self.counts.refused));
        }
        later
    }

    async fn wait(&mut self, why: &str, pause: &mut Duration) {
        let outage = &mut self.outage;
        let since = *outage.since.get_or_insert_with(Instant::now);
        if !outage.told && (outage.worked || since.elapsed() > START) {
            outage.told = true;
            say(format_args!("lab: logs are waiting for OpenSearch, in their files: {why}"));
        }
        self.counts.retries += 1;
        self.counts.waited_ms += u64::try_from(pause.as_millis()).unwrap_or_default();
        sleep(*pause).await;
        *pause = (*pause * 2).min(PAUSES.1);
    }

    fn works(&mut self) {
        let outage = std::mem::replace(&mut self.outage, Outage { worked: true, ..Outage::default() });
        if let Some(since) = outage.since.filter(|_| outage.told) {
            let time = humantime::format_duration(Duration::from_secs(since.elapsed().as_secs()));
            say(format_args!("lab: OpenSearch takes logs again, after {time}"));
        }
    }

    /// Notes how far it is. If that fails, the lines are sent once more at the next start, and stored once.
    fn save(&mut self) {
        let lost = self.lost_before + self.backlog.lost();
        if lost > self.counts.lost_logs {
            say("lab: a log was replaced before all of its lines were shipped to OpenSearch");
        }
        self.counts.lost_logs = lost;
        let shipped =
            Shipped { to: self.target.url.clone(), counts: self.counts, marks: self.backlog.marks().clone() };
        let text = serde_json::to_string_pretty(&shipped).unwrap_or_default();
        if let Err(error) = write_private(&self.path, &text) {
            say(format_args!("lab: {error}"));
        }
    }
}

/// A file of this repository; a test reads it.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
