//! A step that changes the way from one part to another: delays, losses, a gate.

use std::time::Duration;

use chassis_text::byte_size;
use serde_saphyr::Spanned;
use wire::{Conditions, Gate};
use yaml::Reader;

use super::shape::RawNetwork;
use crate::{
    commands::{
        chaos::blow::Blow,
        written::{Text, Values as _},
    },
    parts::chaos::WAYS,
};

/// Longest delay of a network: longer than any deadline in the lab.
const SLOWEST: Duration = Duration::from_secs(60);
/// States of a way, and their names.
const GATES: [(&str, Gate, &str); 3] = [
    ("partition", Gate::Hold, "a partition"),
    ("reset", Gate::Cut, "resets"),
    ("no-new", Gate::Shut, "no new connection"),
];

/// Reads what is done to the way from one part to another.
pub(super) fn network(
    reader: &mut Reader<'_>,
    raw: &Spanned<RawNetwork>,
    field: &str,
    scope: &[&str],
) -> Option<Blow> {
    let network = &raw.value;
    let from = reader.word(&network.from, &format!("{field}.from"), scope)?;
    let to = network.to.value.clone();
    if !WAYS.contains(&(from.as_str(), to.as_str())) {
        let known: Vec<&str> = WAYS.iter().filter(|(known, _)| *known == from).map(|(_, to)| *to).collect();
        let message = format!(
            "expected what {from} connects to through a proxy: {}; brokers of Kafka tell clients their own addresses",
            if known.is_empty() { "nothing".to_owned() } else { known.join(", ") }
        );
        reader.wrong(&network.to, &format!("{field}.to"), message);
        return None;
    }
    let (conditions, words) = conditions(reader, raw, field)?;
    Some(Blow::Network { from, to, conditions, words })
}

/// The state of a way, and the same in words.
fn conditions(
    reader: &mut Reader<'_>,
    raw: &Spanned<RawNetwork>,
    field: &str,
) -> Option<(Conditions, String)> {
    let network = &raw.value;
    let times = [
        ("latency", network.latency.as_ref(), "latency of"),
        ("jitter", network.jitter.as_ref(), "jitter of"),
        ("slow_close", network.slow_close.as_ref(), "a close later by"),
    ];
    let mut words: Vec<String> =
        times.iter().filter_map(|(_, at, word)| Some(format!("{word} {}", at.as_ref()?.value))).collect();
    let [latency_ms, jitter_ms, slow_close_ms] =
        times.map(|(name, at, _)| milliseconds(reader, at, &format!("{field}.{name}")));
    let loss = match &network.loss {
        None => Some(0.0),
        Some(at) => {
            words.push(format!("loss of {}", at.value));
            reader.share(at, &format!("{field}.loss"))
        }
    };
    let bandwidth = match &network.bandwidth {
        None => Some(None),
        Some(at) => {
            words.push(format!("bandwidth of {} per second", at.value));
            size(reader, at, &format!("{field}.bandwidth")).map(Some)
        }
    };
    let gate = match &network.gate {
        None => Some(Gate::Open),
        Some(at) => {
            let known = GATES.map(|(name, ..)| name);
            let name = reader.word(at, &format!("{field}.gate"), &known);
            let found = name.and_then(|name| GATES.into_iter().find(|(known, ..)| *known == name));
            words.extend(found.map(|(.., word)| word.to_owned()));
            found.map(|(_, gate, _)| gate)
        }
    };
    if words.is_empty() && gate.is_some() {
        let message = "expected at least one of latency, jitter, loss, bandwidth, slow_close and gate";
        reader.wrong(raw, field, message);
        return None;
    }
    let conditions = Conditions {
        gate: gate?,
        latency_ms: latency_ms?,
        jitter_ms: jitter_ms?,
        loss: loss?,
        bandwidth: bandwidth?,
        slow_close_ms: slow_close_ms?,
    };
    Some((conditions, words.join(", ")))
}

/// A delay; 0 without one.
fn milliseconds(reader: &mut Reader<'_>, at: Option<&Text>, field: &str) -> Option<u64> {
    let Some(at) = at else { return Some(0) };
    let time = reader.time(at, field, Duration::from_millis(1), SLOWEST)?;
    u64::try_from(time.as_millis()).ok()
}

/// A number of bytes such as 64KiB.
pub(super) fn size(reader: &mut Reader<'_>, at: &Text, field: &str) -> Option<u64> {
    let text = at.value.trim();
    // A bare number would read as kilobytes to one person and as bytes to another.
    let size = text.ends_with("iB").then(|| byte_size(text).ok()).flatten();
    let bytes = size.filter(|bytes| *bytes > 0);
    if bytes.is_none() {
        reader.wrong(
            at,
            field,
            format!("expected a number with KiB, MiB or GiB, such as 64KiB, found `{text}`"),
        );
    }
    bytes
}
