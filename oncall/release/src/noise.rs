//! Recorded noise: what two instances of one version did beside each other, second by second, on a machine where a judge has to work.
//!
//! A release between the two is an A/A release: whatever differs is noise. The simulations of the suite draw stretches of it at
//! random, so that a judge meets stalls that a lab really had.
//!
//! The text is lines of JSON: a [`Header`], then `[seconds,[ARM],[ARM]]` for each look. An `ARM` is
//! `requests,failures,[counts by bucket],over,cpu,memory`: CPU seconds per request, and bytes; `null` if they were not measured.
//! Zeros at the end of the counts are left out.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::judge::{Arm, Block, Count, Latency};

/// The version of the format.
const SCHEMA: u32 = 1;
/// What the judge compares beside requests.
const CPU: &str = "cpu";
const MEMORY: &str = "memory";

/// What a text is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format: 1.
    pub schema: u32,
    /// The service.
    pub service: String,
    /// When it began.
    pub at: DateTime<Utc>,
    /// On which machine, in a few words.
    pub machine: String,
    /// Upper bounds of the latency histogram in seconds, ascending.
    pub bounds: Vec<f64>,
}

/// What both did between two looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Second {
    /// Its end, in seconds since the beginning.
    pub until: f64,
    /// The two instances, which nobody can tell apart.
    pub pair: [Arm; 2],
}

/// A record.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// What it is about.
    pub header: Header,
    /// In order; at least one.
    pub seconds: Vec<Second>,
}

/// Why a text is no noise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Malformed {
    line: usize,
    why: String,
}

/// An arm as it is written.
type Row = (u64, u64, Vec<u64>, u64, Option<f64>, Option<f64>);

impl Header {
    /// Of a record that begins now; the bounds are those of the first block.
    #[must_use]
    pub fn new(service: &str, at: DateTime<Utc>, machine: &str, first: &Block) -> Self {
        let bounds = first.baseline.latency.buckets.iter().map(|(bound, _)| *bound).collect();
        let (service, machine) = (service.to_owned(), machine.to_owned());
        Self { schema: SCHEMA, service, at, machine, bounds }
    }
}

impl Noise {
    /// A record of these blocks, oldest first. Those whose histogram has other bounds are left out.
    #[must_use]
    pub fn of(header: Header, blocks: &[Block]) -> Self {
        let same = |arm: &Arm| {
            let bounds = arm.latency.buckets.iter().map(|(bound, _)| bound);
            bounds.eq(header.bounds.iter())
        };
        let kept = blocks.iter().filter(|block| same(&block.canary) && same(&block.baseline));
        let second = |block: &Block| Second {
            until: (block.until - header.at).as_seconds_f64(),
            pair: [block.canary.clone(), block.baseline.clone()],
        };
        let seconds = kept.map(second).collect();
        Self { header, seconds }
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![serde_json::to_string(&self.header).unwrap_or_default()];
        lines.extend(self.seconds.iter().map(|second| {
            let [one, other] = second.pair.each_ref().map(row);
            // Milliseconds: more digits would only make it longer.
            let until = (second.until * 1000.0).round() / 1000.0;
            serde_json::to_string(&(until, one, other)).unwrap_or_default()
        }));
        lines.join("\n") + "\n"
    }

    /// Reads a text.
    ///
    /// # Errors
    /// The first line that is none of this format, that counts more bad requests than requests, or that comes before the one above it.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let wrong = |line: usize, why: String| Malformed { line, why };
        let (line, first) = lines.next().ok_or_else(|| wrong(1, "it is empty".to_owned()))?;
        let header: Header = serde_json::from_str(first).map_err(|error| wrong(line, error.to_string()))?;
        if header.schema != SCHEMA {
            return Err(wrong(line, format!("schema {} is not known: expected {SCHEMA}", header.schema)));
        }
        let mut seconds: Vec<Second> = Vec::new();
        for (line, text) in lines {
            let (until, one, other): (f64, Row, Row) =
                serde_json::from_str(text).map_err(|error| wrong(line, error.to_string()))?;
            let arm = |row: Row| arm(row, &header.bounds).map_err(|why| wrong(line, why.to_owned()));
            if seconds.last().is_some_and(|last| until <= last.until) {
                return Err(wrong(line, format!("{until} s is not after the line above")));
            }
            seconds.push(Second { until, pair: [arm(one)?, arm(other)?] });
        }
        if seconds.is_empty() {
            return Err(wrong(line, "nothing was recorded".to_owned()));
        }
        Ok(Self { header, seconds })
    }

    /// Requests per second to each of the two, on average.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let arms = self.seconds.iter().flat_map(|second| &second.pair);
        let requests: u64 = arms.map(|arm| arm.requests.all).sum();
        requests as f64 / 2.0 / self.seconds.len().max(1) as f64
    }
}

fn row(arm: &Arm) -> Row {
    let mut counts: Vec<u64> = arm.latency.buckets.iter().map(|(_, count)| *count).collect();
    while counts.last() == Some(&0) {
        counts.pop();
    }
    let full = |name: &str| arm.saturation.get(name).copied();
    // Microseconds, and whole bytes.
    let cpu = full(CPU).map(|cpu| (cpu * 1e6).round() / 1e6);
    (arm.requests.all, arm.requests.bad, counts, arm.latency.over, cpu, full(MEMORY).map(f64::round))
}

fn arm((all, bad, counts, over, cpu, memory): Row, bounds: &[f64]) -> Result<Arm, &'static str> {
    if bad > all {
        return Err("more requests failed than there were");
    }
    if counts.len() > bounds.len() {
        return Err("there are more counts than bounds");
    }
    let counts = counts.into_iter().chain(std::iter::repeat(0));
    let buckets = bounds.iter().copied().zip(counts).collect();
    let full = [(CPU, cpu), (MEMORY, memory)].into_iter();
    let saturation = full.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let latency = Latency { buckets, over };
    Ok(Arm { requests: Count { bad, all }, latency, shares: BTreeMap::new(), saturation })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm_of(all: u64, bad: u64) -> Arm {
        let saturation = [(CPU, 0.001_234_6), (MEMORY, 25e6)].map(|(name, value)| (name.to_owned(), value));
        Arm {
            requests: Count { bad, all },
            latency: Latency { buckets: vec![(0.1, all - 1), (0.25, 0), (1.0, 0)], over: 1 },
            saturation: saturation.into(),
            ..Arm::default()
        }
    }

    fn blocks() -> Vec<Block> {
        let at = |seconds: i64| DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap();
        let block = |seconds, bad| Block {
            until: at(seconds),
            canary: arm_of(100, bad),
            baseline: arm_of(98, 0),
            everyone: 198,
        };
        vec![block(1, 0), block(2, 7)]
    }

    fn noise() -> Noise {
        let all = blocks();
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        Noise::of(Header::new("order-api", at, "2 cores", &all[0]), &all)
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let noise = noise();
        let text = noise.text();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.lines().nth(2).unwrap().starts_with("[2.0,[100,7,[99],1,0.001235,25000000.0],"),
            "{text}"
        );
        let read = Noise::read(&text).unwrap();
        assert_eq!((&read.header, read.seconds.len()), (&noise.header, 2));
        assert_eq!(read.seconds[1].pair[0].latency, noise.seconds[1].pair[0].latency);
        assert_eq!(read.seconds[1].pair[0].requests, Count { bad: 7, all: 100 });
        assert_eq!(read.text(), text);
        assert!((read.rate() - 99.0).abs() < 1e-9, "{}", read.rate());
    }

    #[test]
    fn blocks_with_another_histogram_are_no_part_of_a_record() {
        let mut all = blocks();
        all[1].canary.latency.buckets.pop();
        let at = all[0].until;
        assert_eq!(Noise::of(Header::new("order-api", at, "", &all[0]), &all).seconds.len(), 1);
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_line() {
        let text = noise().text();
        for (from, to, said) in [
            ("\"schema\":1", "\"schema\":2", "line 1: schema 2 is not known"),
            ("[2.0,", "[1.0,", "line 3: 1 s is not after the line above"),
            ("[100,7,", "[100,700,", "line 3: more requests failed than there were"),
            ("[100,7,[99]", "[100,7,[99,0,0,1]", "line 3: there are more counts than bounds"),
            ("[100,7,", "[100,", "line 3: "),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let wrong = Noise::read(&changed).unwrap_err().to_string();
            assert!(wrong.starts_with(said), "{said}: {wrong}");
        }
        let header = text.lines().next().unwrap();
        assert_eq!(Noise::read(header).unwrap_err().to_string(), "line 1: nothing was recorded");
        assert_eq!(Noise::read("\n").unwrap_err().to_string(), "line 1: it is empty");
    }
}
