//! What happens in a drill: its tags, load, noise, changes, weakened protections, faults and baseline.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_saphyr::Spanned;

use super::{LONGEST, MINUTE, Reader, SECOND, Values as _, all, load, raw};
use crate::{
    model::{Baseline, Change, Fault, FaultKind, Load, Noise, Tags, Way, Weakened},
    names::Need,
};

/// What the run sets itself, so that every fault ends with it and a replay decides the same.
const OWN: [&str; 2] = ["ttl", "seed"];
/// What is wrong with a part.
const STOPPED: &str = "stopped";
/// Most replicas of a service that a drill may need.
const MOST_REPLICAS: u32 = 9;

/// The parts of the story.
pub(super) struct Story {
    pub(super) tags: Tags,
    pub(super) needs: Vec<Need>,
    pub(super) replicas: BTreeMap<String, u32>,
    pub(super) load: Load,
    pub(super) noise: Vec<Noise>,
    pub(super) changes: Vec<Change>,
    pub(super) weakened: Vec<Weakened>,
    pub(super) faults: Vec<Fault>,
    pub(super) baseline: Baseline,
}

pub(super) fn story(reader: &mut Reader, document: &raw::Document) -> Option<Story> {
    let tags = tags(reader, &document.tags.value);
    let needs = document.needs.iter().flatten().enumerate();
    let needs =
        all(needs.map(|(index, need)| reader.take(need, &format!("needs[{index}]"), need.value.read())));
    let replicas = replicas(reader, document);
    let load = load::load(reader, &document.load.value);
    // Trainees answer with a name, and take back by it.
    let mut names = BTreeSet::from(["none".to_owned()]);
    let noise = document.noise.iter().flatten().enumerate();
    let noise = all(
        noise.map(|(index, raw)| self::noise(reader, &raw.value, &format!("noise[{index}]"), &mut names))
    );
    let changes = changes(reader, document, &mut names);
    let weakened = document.weakened.iter().flatten().enumerate();
    let weakened = all(weakened.map(|(index, raw)| {
        let (field, raw) = (format!("weakened[{index}]"), &raw.value);
        let service = reader.name(&raw.service, &format!("{field}.service"));
        let replica = replica(reader, document, (&raw.service.value, raw.replica.as_ref()), &field);
        let protection = reader.name(&raw.protection, &format!("{field}.protection"));
        Some(Weakened { service: service?, replica: replica?, protection: protection? })
    }));
    let faults = faults(reader, document);
    let baseline = baseline(reader, document.baseline.as_ref());
    Some(Story {
        tags: tags?,
        needs: needs?,
        replicas: replicas?,
        load: load?,
        noise: noise?,
        changes: changes?,
        weakened: weakened?,
        faults: faults?,
        baseline: baseline?,
    })
}

fn replicas(reader: &mut Reader, document: &raw::Document) -> Option<BTreeMap<String, u32>> {
    let list = document.replicas.iter().flatten();
    let read = all(list.map(|(service, count)| {
        let field = format!("replicas.{service}");
        let count = reader.take(count, &field, yaml::within(count.value, 2, MOST_REPLICAS));
        Some((service.clone(), count?))
    }));
    Some(read?.into_iter().collect())
}

fn tags(reader: &mut Reader, raw: &raw::Tags) -> Option<Tags> {
    let layers = raw.layers.iter().enumerate();
    let layers =
        all(layers
            .map(|(index, layer)| reader.take(layer, &format!("tags.layers[{index}]"), layer.value.read())));
    if raw.layers.is_empty() {
        reader.wrong(&raw.mechanism, "tags.layers", "empty: expected at least one layer");
    }
    let mechanism = reader.name(&raw.mechanism, "tags.mechanism");
    let traits = raw.traits.iter().flatten().enumerate();
    let traits =
        all(traits
            .map(|(index, text)| reader.take(text, &format!("tags.traits[{index}]"), text.value.read())));
    Some(Tags { layers: layers?, mechanism: mechanism?, traits: traits? })
}

fn noise(reader: &mut Reader, raw: &raw::Noise, field: &str, names: &mut BTreeSet<String>) -> Option<Noise> {
    let after = reader.time(&raw.after, &format!("{field}.after"), Duration::ZERO, LONGEST);
    let change = match &raw.change {
        None => Some(None),
        Some(kind) => reader.take(kind, &format!("{field}.change"), kind.value.read()).map(Some),
    };
    let service = match &raw.service {
        None => Some(None),
        Some(service) => reader.name(service, &format!("{field}.service")).map(Some),
    };
    if raw.change.is_some() && raw.service.is_none() {
        reader.wrong(&raw.text, &format!("{field}.service"), "missing: expected the service that changes");
    }
    let name = match (&raw.change, &raw.name) {
        (Some(_), Some(name)) => reader.unique(name, &format!("{field}.name"), names).map(Some),
        (Some(change), None) => {
            let message = "missing: expected a name, as changes that do harm have one";
            reader.wrong(change, &format!("{field}.name"), message);
            None
        }
        (None, Some(name)) => {
            reader.wrong(name, &format!("{field}.name"), "expected no name: a message is no change");
            None
        }
        (None, None) => Some(None),
    };
    let text = reader.line(&raw.text, &format!("{field}.text"));
    Some(Noise { after: after?, change: change?, name: name?, service: service?, text: text? })
}

fn changes(
    reader: &mut Reader,
    document: &raw::Document,
    names: &mut BTreeSet<String>,
) -> Option<Vec<Change>> {
    let list = document.changes.iter().flatten().enumerate();
    all(list.map(|(index, raw)| {
        let (field, raw) = (format!("changes[{index}]"), &raw.value);
        let name = reader.unique(&raw.name, &format!("{field}.name"), names);
        let after = reader.time(&raw.after, &format!("{field}.after"), Duration::ZERO, LONGEST);
        let kind = reader.take(&raw.kind, &format!("{field}.kind"), raw.kind.value.read());
        let service = reader.name(&raw.service, &format!("{field}.service"));
        let text = reader.line(&raw.text, &format!("{field}.text"));
        Some(Change { name: name?, after: after?, kind: kind?, service: service?, text: text? })
    }))
}

fn faults(reader: &mut Reader, document: &raw::Document) -> Option<Vec<Fault>> {
    let changes: Vec<String> =
        document.changes.iter().flatten().map(|change| change.value.name.value.clone()).collect();
    // What ends a surge names it beside faults.
    let surges = document.load.value.surges.iter().flatten();
    let mut before: BTreeSet<String> =
        surges.filter_map(|surge| surge.value.name.as_ref()).map(|name| name.value.clone()).collect();
    let list = document.faults.iter().flatten().enumerate();
    all(list.map(|(index, raw)| {
        let (field, raw) = (format!("faults[{index}]"), &raw.value);
        let what = what(reader, raw, &field);
        let name = raw.called().map(|name| reader.unique(name, &format!("{field}.name"), &mut before));
        let service = reader.name(&raw.service, &format!("{field}.service"));
        let replica = replica(reader, document, (&raw.service.value, raw.replica.as_ref()), &field);
        let after = match &raw.after {
            None => Some(Duration::ZERO),
            Some(after) => reader.time(after, &format!("{field}.after"), Duration::ZERO, LONGEST),
        };
        let lasts = match &raw.lasts {
            None => Some(None),
            Some(lasts) => reader.time(lasts, &format!("{field}.lasts"), SECOND, LONGEST).map(Some),
        };
        let change = match &raw.change {
            None => Some(None),
            Some(change) => reader.known(change, &format!("{field}.change"), "`changes`", &changes).map(Some),
        };
        let parameters = parameters(reader, raw, &field);
        let (kind, fault) = what?;
        Some(Fault {
            name: name??,
            service: service?,
            replica: replica?,
            kind,
            fault,
            way: Way::AtOnce,
            parameters,
            after: after?,
            lasts: lasts?,
            change: change?,
            survives_restart: raw.survives_restart.unwrap_or(false),
        })
    }))
}

/// A fault point, a rule, a part, or a script.
fn what(reader: &mut Reader, raw: &raw::Fault, field: &str) -> Option<(FaultKind, String)> {
    match (&raw.fault, &raw.rule, &raw.sql, raw.is_stopped()) {
        (Some(fault), None, None, false) => {
            Some((FaultKind::Point, reader.name(fault, &format!("{field}.fault"))?))
        }
        (None, Some(rule), None, false) => {
            bare(reader, raw, field, "the file of the rule says everything");
            Some((FaultKind::Rule, reader.name(rule, &format!("{field}.rule"))?))
        }
        (None, None, Some(script), false) => {
            bare(reader, raw, field, "the script says everything");
            Some((FaultKind::Script, reader.name(script, &format!("{field}.sql"))?))
        }
        (None, None, None, true) => {
            bare(reader, raw, field, "the part is stopped, or it is not");
            Some((FaultKind::Part, STOPPED.to_owned()))
        }
        _ => {
            reader.wrong(&raw.service, field, "expected one of `fault`, `rule`, `sql` and `stopped`");
            None
        }
    }
}

/// Refuses parameters.
fn bare(reader: &mut Reader, raw: &raw::Fault, field: &str, why: &str) {
    if let Some(given) = raw.with.iter().flat_map(BTreeMap::values).next() {
        reader.wrong(given, &format!("{field}.with"), format!("expected no parameters: {why}"));
    }
}

/// The replica of a service that something is about: the drill has to say that it needs this number.
fn replica(
    reader: &mut Reader,
    document: &raw::Document,
    (service, replica): (&str, Option<&Spanned<u32>>),
    field: &str,
) -> Option<Option<u32>> {
    let Some(replica) = replica else { return Some(None) };
    let field = format!("{field}.replica");
    let number = reader.take(replica, &field, yaml::within(replica.value, 1, MOST_REPLICAS))?;
    let needed = document.replicas.iter().flatten().find(|(name, _)| *name == service);
    if needed.is_none_or(|(_, count)| count.value < number) {
        let message =
            format!("expected `replicas: {{{service}: {number}}}` or more, or nobody has this replica");
        reader.wrong(replica, &field, message);
        return None;
    }
    Some(Some(number))
}

fn parameters(reader: &mut Reader, raw: &raw::Fault, field: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in raw.with.iter().flatten() {
        if OWN.contains(&name.as_str()) {
            let message = "expected no such parameter: the run sets it, so that the fault ends with the run";
            reader.wrong(value, &format!("{field}.with.{name}"), message);
        }
        parameters.insert(name.clone(), value.value.0.clone());
    }
    parameters
}

fn baseline(reader: &mut Reader, raw: Option<&Spanned<raw::Baseline>>) -> Option<Baseline> {
    let default = Baseline { holds: 15 * SECOND, within: 3 * MINUTE, checks: Vec::new() };
    let Some(raw) = raw else { return Some(default) };
    let holds = reader.time_or(raw.value.holds.as_ref(), "baseline.holds", default.holds);
    let within = reader.time_or(raw.value.within.as_ref(), "baseline.within", default.within);
    let checks = reader.checks(raw.value.checks.as_ref(), "baseline.checks");
    let (holds, within) = (holds?, within?);
    if within <= holds {
        reader.wrong(raw, "baseline.within", "expected more than `holds`: there would be no time to wait");
    }
    Some(Baseline { holds, within, checks: checks? })
}
