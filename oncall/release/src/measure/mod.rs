//! From what an instance exports to what the judge takes: two scrapes of its `/metrics` are the counts between them.
//!
//! Counters of another process are not compared: an instance that was started again in between has no counts for that time,
//! and no data is never a pass.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::{
    invariants::Checks,
    judge::{Arm, Block, Count, Latency},
};

/// The names of all series of an instance that a reading is made of.
pub const SERIES: [&str; 6] = [
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "http_request_duration_seconds_count",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
];

/// What an instance has counted since it was started; of several instances, the sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// When its process was started, in seconds since 1970. A sum is another one as soon as one of its instances is.
    pub started: f64,
    /// Requests, and those that were answered with 5xx.
    pub requests: Count,
    /// By the bits of a bound in seconds, in ascending order: requests that took at most this long.
    pub within: BTreeMap<u64, u64>,
    /// Requests whose time was taken.
    pub timed: u64,
    /// CPU time in seconds.
    pub cpu: Option<f64>,
    /// Resident memory in bytes.
    pub memory: Option<f64>,
    /// What others have found about what it did.
    pub checks: Checks,
}

/// Why a text is no reading.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl Reading {
    /// Reads the text format of Prometheus, version 0.0.4, or OpenMetrics. Requests to the endpoints of `without` do not count:
    /// those that fail by design would drown the others.
    ///
    /// # Errors
    /// When a line is no sample, or it is not said when the process was started.
    pub fn parse(text: &str, at: DateTime<Utc>, without: &BTreeSet<String>) -> Result<Self, Unreadable> {
        let mut reading = Self::empty(at);
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let sample = sample(line).ok_or_else(|| Unreadable(format!("`{line}` is no sample")))?;
            if sample.label("endpoint").is_none_or(|endpoint| !without.contains(endpoint)) {
                reading.take(sample.name, sample.value, |name| sample.label(name));
            }
        }
        reading.of_a_process()
    }

    /// The same from series, as Prometheus answers a query for all of [`SERIES`]: labels with `__name__`, and values. Those of
    /// several instances are added up.
    ///
    /// # Errors
    /// When there is no series that says when the process was started: the instance is not scraped.
    pub fn of<'s>(
        series: impl IntoIterator<Item = (&'s BTreeMap<String, String>, f64)>,
        at: DateTime<Utc>,
        without: &BTreeSet<String>,
    ) -> Result<Self, Unreadable> {
        let mut reading = Self::empty(at);
        for (labels, value) in series {
            if labels.get("endpoint").is_none_or(|endpoint| !without.contains(endpoint)) {
                let name = labels.get("__name__").map_or("", String::as_str);
                reading.take(name, value, |label| labels.get(label).map(String::as_str));
            }
        }
        reading.of_a_process()
    }

    fn empty(at: DateTime<Utc>) -> Self {
        Self {
            at,
            started: f64::NAN,
            requests: Count::default(),
            within: BTreeMap::new(),
            timed: 0,
            cpu: None,
            memory: None,
            checks: Checks::default(),
        }
    }

    fn of_a_process(self) -> Result<Self, Unreadable> {
        if self.started.is_finite() {
            Ok(self)
        } else {
            Err(Unreadable("it has no process_start_time_seconds".to_owned()))
        }
    }

    fn take<'l>(&mut self, name: &str, value: f64, label: impl Fn(&str) -> Option<&'l str>) {
        let number = value.max(0.0) as u64;
        match name {
            "http_requests_total" => {
                let failed = label("status").is_some_and(|status| status.starts_with('5'));
                self.requests.add(Count { bad: if failed { number } else { 0 }, all: number });
            }
            "http_request_duration_seconds_bucket" => {
                let bound = label("le").and_then(|bound| bound.parse::<f64>().ok());
                if let Some(bound) = bound.filter(|bound| bound.is_finite() && *bound >= 0.0) {
                    let within = self.within.entry(bound.to_bits()).or_default();
                    *within = within.saturating_add(number);
                }
            }
            "http_request_duration_seconds_count" => self.timed = self.timed.saturating_add(number),
            // A sum cannot begin with NaN.
            "process_start_time_seconds" if self.started.is_nan() => self.started = value,
            "process_start_time_seconds" => self.started += value,
            "process_cpu_seconds_total" => self.cpu = Some(self.cpu.unwrap_or_default() + value),
            "process_resident_memory_bytes" => self.memory = Some(self.memory.unwrap_or_default() + value),
            _ => self.checks.take(name, number, label),
        }
    }

    /// What happened since an earlier reading; nothing if the process is another one, or the readings are of one instant.
    #[must_use]
    pub fn since(&self, before: &Self) -> Option<Arm> {
        let same = (self.started - before.started).abs() < 0.5 && self.at > before.at;
        let requests = same.then(|| minus(self.requests, before.requests))??;
        let all = self.timed.checked_sub(before.timed)?;
        let (mut buckets, mut below) = (Vec::with_capacity(self.within.len()), 0);
        for (bound, count) in &self.within {
            let within = count.checked_sub(before.within.get(bound).copied().unwrap_or_default())?;
            buckets.push((f64::from_bits(*bound), within.checked_sub(below)?));
            below = within;
        }
        let latency = Latency { buckets, over: all.checked_sub(below)? };
        let mut saturation = BTreeMap::new();
        if let Some(cpu) = self.cpu.zip(before.cpu).map(|(after, before)| after - before)
            && requests.all > 0
        {
            // Canary and baseline need not have the same number of requests in every second.
            saturation.insert("cpu".to_owned(), cpu.max(0.0) / requests.all as f64);
        }
        saturation.extend(self.memory.map(|memory| ("memory".to_owned(), memory)));
        Some(Arm { requests, latency, shares: self.checks.since(&before.checks), saturation })
    }
}

/// What happened to both between two pairs of readings. `others` is how many requests all other instances of the service had.
/// Nothing if one of the two was started again: the judge then waits for the next block.
#[must_use]
pub fn block(canary: (&Reading, &Reading), baseline: (&Reading, &Reading), others: u64) -> Option<Block> {
    let (new, old) = (canary.1.since(canary.0)?, baseline.1.since(baseline.0)?);
    let everyone = others.saturating_add(new.requests.all).saturating_add(old.requests.all);
    Some(Block { until: canary.1.at.max(baseline.1.at), canary: new, baseline: old, everyone })
}

fn minus(after: Count, before: Count) -> Option<Count> {
    Some(Count { bad: after.bad.checked_sub(before.bad)?, all: after.all.checked_sub(before.all)? })
}

/// A line.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

impl Sample<'_> {
    /// The value of a label; those that matter here have no quotes or backslashes in them.
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.split("\",").find_map(|pair| {
            let (key, value) = pair.split_once("=\"")?;
            (key.trim() == name).then(|| value.trim_end_matches('"'))
        })
    }
}

fn sample(line: &str) -> Option<Sample<'_>> {
    // An exemplar follows.
    let line = line.split(" # ").next()?;
    let (series, rest) = match line.split_once('{') {
        Some((name, rest)) => {
            let (labels, rest) = rest.rsplit_once('}')?;
            ((name, labels), rest)
        }
        None => {
            let (name, rest) = line.split_once(' ')?;
            ((name, ""), rest)
        }
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: series.0.trim(), labels: series.1, value })
}

#[cfg(test)]
mod tests;
