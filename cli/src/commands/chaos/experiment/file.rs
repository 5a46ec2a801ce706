//! An experiment as it is written: what is believed, what is done, how far it may go, and when it must be
//! stopped.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::{Problems, Reader, all};

use super::{
    automation::{Automation, Restored, automation, restored},
    crowd::{Crowd, crowd},
    pair::{Pair, consistent, pair, weakened},
    shape::{Document, RawCheck, RawMeasure, RawScope},
    step::{LONGEST, MINUTE, SECOND, Step, step},
};
use crate::commands::{
    chaos::blow::Blow,
    written::{Text, Values as _},
};

/// An experiment.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::commands::chaos) struct Experiment {
    pub(super) title: String,
    /// What is believed.
    pub(super) hypothesis: String,
    pub(super) scope: Scope,
    /// What holds before, should hold meanwhile, and holds again afterwards.
    pub(super) steady: Vec<Check>,
    /// How long it has to hold before.
    pub(super) holds: Duration,
    pub(super) steps: Vec<Step>,
    /// What stops it.
    pub(super) abort: Vec<Check>,
    /// How long the recovery may take.
    pub(super) recover: Duration,
    /// Protections that are off in every pass.
    pub(super) weakened: Vec<Blow>,
    /// More visitors than usual, in every pass and between them.
    pub(super) crowd: Option<Crowd>,
    /// What is taken away in a second pass.
    pub(super) pair: Option<Pair>,
    /// What automation has to do, and not to do; absent if it is not about automation.
    pub(super) automation: Option<Automation>,
    /// When everything has to be well again. Then it may be bad before that.
    pub(super) restored: Option<Restored>,
    pub(super) measures: Vec<Measure>,
}

impl Experiment {
    /// What it is about, in a line.
    pub(in crate::commands::chaos) fn title(&self) -> &str {
        &self.title
    }

    /// Whether a lab on this machine can be struck like this, and whether it needs the proxies of `lab up --chaos`.
    pub(in crate::commands::chaos) fn here(&self) -> (bool, bool) {
        let outside = |blow: &Blow| matches!(blow, Blow::Network { .. } | Blow::Pressure { .. });
        (!self.blows().any(|blow| matches!(blow, Blow::Only { .. })), self.blows().any(outside))
    }

    /// Whether a cluster needs an engine for it: only faults, rules of the firewall and dead letters have a switch there.
    pub(super) fn needs_engine(&self) -> bool {
        self.blows()
            .any(|blow| !matches!(blow, Blow::Fault { .. } | Blow::Push { .. } | Blow::Redrive { .. }))
    }

    /// How long all steps take.
    pub(super) fn length(&self) -> Duration {
        self.steps.iter().map(|step| step.lasts).sum()
    }

    /// Everything that is done.
    pub(super) fn blows(&self) -> impl Iterator<Item = &Blow> {
        self.steps.iter().flat_map(|step| &step.blows)
    }
}

/// How far it may go.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scope {
    /// Nothing else is touched.
    pub(super) services: Vec<String>,
    /// Share of any error budget that may be burned.
    pub(super) budget: f64,
}

/// A condition: it holds if the query returns at least one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) query: String,
}

/// A number that is drawn as a curve, and compared if there are two passes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measure {
    pub(super) name: String,
    /// PromQL with one sample.
    pub(super) query: String,
    /// How many times as large it has to be in the second pass, on average while something is broken.
    pub(super) least: Option<f64>,
}

/// Reads an experiment.
///
/// # Errors
/// All problems, each with file, line and field.
pub(super) fn read(file: &str, text: &str) -> Result<Experiment, Problems> {
    let document = yaml::parse::<Document>(file, text)?;
    let mut reader = Reader::of(file);
    let experiment = experiment(&mut reader, &document);
    reader.finish(experiment)
}

fn experiment(reader: &mut Reader<'_>, document: &Document) -> Option<Experiment> {
    let title = reader.line(&document.title, "title");
    let hypothesis = document.hypothesis.value.trim().to_owned();
    if hypothesis.is_empty() {
        reader.wrong(&document.hypothesis, "hypothesis", "empty: expected what you believe will happen");
    }
    let scope = scope(reader, &document.scope.value);
    let steady = checks(reader, &document.steady_state.value, "steady_state");
    if document.steady_state.value.is_empty() {
        reader.wrong(&document.steady_state, "steady_state", "empty: expected what users need, as a query");
    }
    let holds = reader.time_or(document.holds.as_ref(), "holds", (SECOND, 15 * SECOND, LONGEST));
    let steps = document.method.value.iter().enumerate();
    let services: Vec<&str> =
        document.scope.value.services.iter().map(|service| service.value.as_str()).collect();
    let steps = all(steps.map(|(index, raw)| step(reader, raw, &format!("method[{index}]"), &services)));
    if document.method.value.is_empty() {
        reader.wrong(&document.method, "method", "empty: expected at least one step");
    }
    let abort = checks(reader, &document.abort, "abort");
    let recover =
        reader.time_or(document.recover_within.as_ref(), "recover_within", (SECOND, MINUTE, LONGEST));
    let pair = match &document.pair {
        None => Some(None),
        Some(raw) => pair(reader, raw, &services).map(Some),
    };
    let weakened = weakened(reader, document, &services);
    let crowd = document.crowd.as_ref().map(|raw| crowd(reader, &raw.value));
    let measures = document.measures.iter().enumerate();
    let paired = document.pair.is_some();
    let measures =
        all(measures.map(|(index, raw)| measure(reader, &raw.value, &format!("measures[{index}]"), paired)));
    let automated = document.automation.as_ref().map(|raw| automation(reader, raw));
    let restored = document.restored.as_ref().map(|raw| restored(reader, &raw.value, paired));
    consistent(reader, document);
    Some(Experiment {
        title: title?,
        hypothesis,
        scope: scope?,
        steady: steady?,
        holds: holds?,
        steps: steps?,
        abort: abort?,
        recover: recover?,
        weakened: weakened?,
        crowd: crowd.map_or(Some(None), |read| read.map(Some))?,
        pair: pair?,
        automation: automated.map_or(Some(None), |read| read.map(Some))?,
        restored: restored.map_or(Some(None), |read| read.map(Some))?,
        measures: measures?,
    })
}

fn scope(reader: &mut Reader<'_>, raw: &RawScope) -> Option<Scope> {
    let services = raw.services.iter().enumerate();
    let services = all(services.map(|(index, text)| reader.line(text, &format!("scope.services[{index}]"))));
    let budget = reader.share(&raw.budget, "scope.budget");
    Some(Scope { services: services?, budget: budget? })
}

fn checks(reader: &mut Reader<'_>, list: &[Spanned<RawCheck>], field: &str) -> Option<Vec<Check>> {
    all(list.iter().enumerate().map(|(index, raw)| {
        let name = reader.line(&raw.value.name, &format!("{field}[{index}].name"));
        let query = query(reader, &raw.value.query, &format!("{field}[{index}].query"));
        Some(Check { name: name?, query: query? })
    }))
}

/// Prometheus checks the query itself; this refuses only an empty one.
fn query(reader: &mut Reader<'_>, at: &Text, field: &str) -> Option<String> {
    let query = at.value.trim();
    if query.is_empty() {
        reader.wrong(at, field, "empty: expected PromQL");
        return None;
    }
    Some(query.to_owned())
}

fn measure(reader: &mut Reader<'_>, raw: &RawMeasure, field: &str, paired: bool) -> Option<Measure> {
    let name = reader.line(&raw.name, &format!("{field}.name"));
    let query = query(reader, &raw.query, &format!("{field}.query"));
    if let Some(least) = raw.least.as_ref().filter(|least| !paired || least.value <= 1.0) {
        let message = "expected above 1, and only with `pair`: how many times as much in the second pass";
        reader.wrong(least, &format!("{field}.least"), message);
    }
    Some(Measure { name: name?, query: query?, least: raw.least.as_ref().map(|least| least.value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "\
title: The cache is gone
hypothesis: Slower, and nothing fails.
scope: {services: [user-service, order-api], budget: 10%}
steady_state:
  - {name: orders are answered, query: 'up == 1'}
method:
  - {fault: {service: user-service, fault: cache-down, with: {rate: 0.5, route: /users}}, lasts: 40s}
  - {kill: order-api-2, lasts: 10s}
  - {lasts: 5s}
abort:
  - {name: nothing is answered, query: 'up == 0'}
pair: {service: order-api, protection: circuit-breaker}
measures:
  - {name: failed, query: 'sum(rate(x[15s]))', least: 3}
";

    #[test]
    fn an_experiment_is_read_with_its_steps_and_its_pair() {
        let experiment = read("x.yaml", EXAMPLE).unwrap();
        let words: Vec<String> = experiment
            .steps
            .iter()
            .map(|step| step.blows.first().map_or_else(|| "wait".to_owned(), ToString::to_string))
            .collect();
        assert_eq!(
            words,
            ["cache-down in user-service rate=0.5 route=/users", "SIGKILL for order-api-2", "wait"]
        );
        assert_eq!((experiment.recover, experiment.holds), (MINUTE, 15 * SECOND));
        assert_eq!(experiment.measures[0].least, Some(3.0));
    }

    #[test]
    fn a_mistake_has_its_file_line_and_field() {
        for (from, to, said) in [
            (
                "service: user-service, fault",
                "service: redis, fault",
                "x.yaml:7: method[0].fault.service: expected one of",
            ),
            (
                "kill: order-api-2",
                "kill: postgres",
                "x.yaml:8: method[1].kill: expected an instance of one of",
            ),
            ("budget: 10%", "budget: 0", "x.yaml:3: scope.budget: expected above 0"),
            ("query: 'up == 1'", "query: ' '", "x.yaml:5: steady_state[0].query: empty: expected PromQL"),
            ("rate: 0.5", "ttl: 5m", "x.yaml:7: method[0].fault.with.ttl: expected no such parameter"),
            ("least: 3", "least: 0.5", "x.yaml:14: measures[0].least: expected above 1"),
            ("lasts: 5s", "last: 5s", "x.yaml:9: "),
        ] {
            let problems = read("x.yaml", &EXAMPLE.replace(from, to)).unwrap_err().to_string();
            assert!(problems.contains(said), "{to}: {problems}");
        }
        let alone = EXAMPLE.replace("pair: {service: order-api, protection: circuit-breaker}\n", "");
        assert!(read("x.yaml", &alone).unwrap_err().to_string().contains("only with `pair`"));
    }
}
