//! One step of an experiment: what is done, and for how long.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::{Reader, all};

use super::{
    network::{network, size},
    release::release,
    shape::{RawFault, RawPressure, RawPush, RawStep},
};
use crate::commands::{
    chaos::blow::Blow,
    written::{Text, Values as _},
};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const LONGEST: Duration = Duration::from_secs(1800);

/// What only an engine in a cluster can do, and how it is called.
const ONLY: [(&str, &str); 3] = [
    ("dns", "names that are not found"),
    ("io", "a disk that is slow and full"),
    ("time", "a clock that is wrong"),
];

/// What is done, all at once, and how long it lasts; nothing is done while it only waits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) blows: Vec<Blow>,
    /// A fault that a restart has ended is set again: its cause is outside of the process.
    pub(super) returns: bool,
    pub(super) lasts: Duration,
}

/// Reads one; `scope` has the services that may be touched.
pub(super) fn step(
    reader: &mut Reader<'_>,
    raw: &Spanned<RawStep>,
    field: &str,
    scope: &[&str],
) -> Option<Step> {
    let lasts = reader.time(&raw.value.lasts, &format!("{field}.lasts"), SECOND, LONGEST);
    let step = &raw.value;
    let mut blows = Vec::new();
    if let Some(one) = &step.fault {
        blows.push(fault(reader, one, &format!("{field}.fault"), scope));
    }
    if let Some(part) = &step.kill {
        let field = format!("{field}.kill");
        blows.push(instance(reader, part, &field, scope).map(|part| Blow::Kill { part }));
    }
    if let Some(one) = &step.push {
        blows.push(push(reader, one, &format!("{field}.push"), scope));
    }
    if let Some(one) = &step.release {
        blows.push(release(reader, one, &format!("{field}.release"), scope));
    }
    if let Some(one) = &step.redrive {
        let service = reader.word(one, &format!("{field}.redrive"), scope);
        blows.push(service.map(|service| Blow::Redrive { service }));
    }
    if let Some(one) = &step.network {
        blows.push(network(reader, one, &format!("{field}.network"), scope));
    }
    if let Some(one) = &step.pressure {
        blows.push(pressure(reader, one, &format!("{field}.pressure"), scope));
    }
    if let Some(one) = &step.cluster {
        let known = ONLY.map(|(name, _)| name);
        let name = reader.word(one, &format!("{field}.cluster"), &known);
        let what = name.and_then(|name| ONLY.into_iter().find(|(known, _)| *known == name));
        blows.push(what.map(|(_, what)| Blow::Only { what: what.to_owned() }));
    }
    if blows.len() > 1 {
        let message = "expected one of `fault`, `kill`, `push`, `release`, `redrive`, `network`, `pressure` and `cluster`, \
                       or none of them to wait";
        reader.wrong(raw, field, message);
        return None;
    }
    for (index, one) in step.also.iter().enumerate() {
        blows.push(fault(reader, one, &format!("{field}.also[{index}]"), scope));
    }
    let blows = all(blows.into_iter());
    Some(Step { blows: blows?, returns: step.returns, lasts: lasts? })
}

fn fault(reader: &mut Reader<'_>, raw: &Spanned<RawFault>, field: &str, scope: &[&str]) -> Option<Blow> {
    let service = reader.word(&raw.value.service, &format!("{field}.service"), scope);
    let fault = reader.line(&raw.value.fault, &format!("{field}.fault"));
    if let Some((_, ttl)) = raw.value.with.iter().find(|(name, _)| *name == "ttl") {
        reader.wrong(ttl, &format!("{field}.with.ttl"), "expected no such parameter: `lasts` says how long");
    }
    let with = raw.value.with.iter().map(|(name, value)| (name.clone(), value.value.to_string()));
    let parameters = with.collect();
    service.zip(fault).map(|(service, fault)| Blow::Fault { service, fault, parameters })
}

/// An instance of a service: `order-api-2` is one of order-api.
fn instance(reader: &mut Reader<'_>, part: &Text, field: &str, scope: &[&str]) -> Option<String> {
    let of = |service: &&str| {
        let rest = part.value.strip_prefix(*service);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if scope.iter().any(of) {
        return Some(part.value.clone());
    }
    reader.wrong(part, field, format!("expected an instance of one of {}", scope.join(", ")));
    None
}

/// A rule for the edges, to one of them first if it has a canary.
fn push(reader: &mut Reader<'_>, raw: &Spanned<RawPush>, field: &str, scope: &[&str]) -> Option<Blow> {
    let service = reader.word(&raw.value.service, &format!("{field}.service"), scope);
    let rule = reader.line(&raw.value.rule, &format!("{field}.rule"));
    let canary = match &raw.value.canary {
        None => Some(None),
        Some(time) => {
            let read = reader.time(time, &format!("{field}.canary"), SECOND, MINUTE);
            read.map(|_| Some(time.value.trim().to_owned()))
        }
    };
    Some(Blow::Push { service: service?, rule: rule?, canary: canary? })
}

fn pressure(
    reader: &mut Reader<'_>,
    raw: &Spanned<RawPressure>,
    field: &str,
    scope: &[&str],
) -> Option<Blow> {
    let part = instance(reader, &raw.value.on, &format!("{field}.on"), scope);
    let mut words = Vec::new();
    let cpu = match &raw.value.cpu {
        None => Some(None),
        Some(at) => {
            words.push(format!("{} of a core", at.value));
            reader.share(at, &format!("{field}.cpu")).map(Some)
        }
    };
    let memory = match &raw.value.memory {
        None => Some(None),
        Some(at) => {
            words.push(format!("{} of memory", at.value));
            size(reader, at, &format!("{field}.memory")).map(Some)
        }
    };
    if words.is_empty() {
        reader.wrong(raw, field, "expected `cpu`, `memory` or both");
        return None;
    }
    Some(Blow::Pressure { part: part?, cpu: cpu?, memory: memory?, words: words.join(", ") })
}

#[cfg(test)]
mod tests {
    use crate::commands::chaos::experiment::file::read;

    const EXAMPLE: &str = "\
title: The network is bad
hypothesis: Slower, and nothing fails.
scope: {services: [user-service, order-api], budget: 10%}
steady_state:
  - {name: orders are answered, query: 'up == 1'}
method:
  - {network: {from: order-api, to: postgres, latency: 200ms, jitter: 50ms}, lasts: 40s}
  - {network: {from: user-service, to: redis, loss: 2%, bandwidth: 64KiB}, lasts: 10s}
  - {network: {from: order-api, to: user-service, gate: partition}, lasts: 5s}
  - {pressure: {on: order-api-2, cpu: 10%, memory: 32MiB}, lasts: 5s}
  - {cluster: dns, lasts: 5s}
";

    #[test]
    fn a_network_and_a_pressure_are_sentences() {
        let experiment = read("x.yaml", EXAMPLE).unwrap();
        let blows = experiment.steps.iter().flat_map(|step| &step.blows);
        let words: Vec<String> = blows.map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "latency of 200ms, jitter of 50ms from order-api to postgres",
                "loss of 2%, bandwidth of 64KiB per second from user-service to redis",
                "a partition from order-api to user-service",
                "10% of a core, 32MiB of memory for order-api-2",
                "names that are not found",
            ]
        );
        assert_eq!(experiment.here(), (false, true));
        assert!(experiment.needs_engine());
    }

    #[test]
    fn a_mistake_has_its_line_and_says_what_would_be_right() {
        for (from, to, said) in [
            ("to: postgres", "to: kafka", "x.yaml:7: method[0].network.to: expected what order-api connects"),
            (
                "from: order-api, to: postgres",
                "from: redis, to: postgres",
                "x.yaml:7: method[0].network.from",
            ),
            ("latency: 200ms", "latency: 2h", "x.yaml:7: method[0].network.latency: expected 1ms to 1m"),
            ("loss: 2%", "loss: 200%", "x.yaml:8: method[1].network.loss: expected above 0"),
            ("64KiB", "64", "x.yaml:8: method[1].network.bandwidth: expected a number with KiB"),
            ("gate: partition", "gate: ajar", "method[2].network.gate: expected one of partition, reset"),
            (", gate: partition", "", "x.yaml:9: method[2].network: expected at least one of latency"),
            ("on: order-api-2", "on: postgres", "x.yaml:10: method[3].pressure.on: expected an instance"),
            (
                "cluster: dns",
                "cluster: gravity",
                "x.yaml:11: method[4].cluster: expected one of dns, io, time",
            ),
            ("{cluster: dns,", "{cluster: dns, kill: order-api,", "x.yaml:11: method[4]: expected one of"),
        ] {
            let problems = read("x.yaml", &EXAMPLE.replace(from, to)).unwrap_err().to_string();
            assert!(problems.contains(said), "{to}: {problems}");
        }
    }
}
