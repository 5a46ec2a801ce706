//! Reads journeys: their steps, and whether each variable has a value where it is used.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use http::{HeaderName, Method};
use serde_saphyr::Spanned;
use yaml::Reader;

use super::{
    Journey, Step, Template, Until,
    bounds::Bounded as _,
    raw::{RawJourney, RawStep, RawUntil, Text},
    template,
};

/// What a step may refer to.
struct Known<'a> {
    targets: &'a BTreeMap<String, Text>,
    /// Variables that have a value here.
    variables: BTreeSet<String>,
}

pub(super) fn journeys(
    reader: &mut Reader<'_>,
    raw: &Spanned<Vec<Spanned<RawJourney>>>,
    targets: &BTreeMap<String, Text>,
    data: &BTreeSet<String>,
) -> Option<Vec<Journey>> {
    if raw.value.is_empty() {
        reader.wrong(raw, "journeys", "expected at least one journey");
    }
    let (mut names, mut read) = (BTreeSet::new(), Vec::new());
    for (n, raw) in raw.value.iter().enumerate() {
        let mut known = Known { targets, variables: data.clone() };
        // A user has a tier: `Data::draw` adds both.
        known.variables.extend(data.iter().map(|name| format!("{name}.tier")));
        read.push(journey(reader, &raw.value, &format!("journeys[{n}]"), &mut known, &mut names));
    }
    if raw.value.iter().all(|journey| journey.value.weight.as_ref().is_some_and(|weight| weight.value == 0)) {
        reader.wrong(raw, "journeys", "at least one weight must be above 0");
    }
    read.into_iter().collect()
}

fn journey(
    reader: &mut Reader<'_>,
    raw: &RawJourney,
    field: &str,
    known: &mut Known<'_>,
    names: &mut BTreeSet<String>,
) -> Option<Journey> {
    let name = reader.name(&raw.name, &format!("{field}.name"));
    let weight = match &raw.weight {
        Some(weight) => reader.count(weight, &format!("{field}.weight"), 0, 1_000_000),
        None => Some(1),
    };
    if raw.steps.value.is_empty() {
        reader.wrong(&raw.steps, &format!("{field}.steps"), "expected at least one step");
    }
    let mut steps = Vec::new();
    for (n, raw) in raw.steps.value.iter().enumerate() {
        let field = format!("{field}.steps[{n}]");
        if !names.insert(raw.value.name.value.clone()) {
            let name = &raw.value.name.value;
            reader.wrong(&raw.value.name, &format!("{field}.name"), format!("`{name}` is already a step"));
        }
        steps.push(step(reader, &raw.value, &field, known));
    }
    Some(Journey {
        name: name?,
        weight: u32::try_from(weight?).ok()?,
        steps: steps.into_iter().collect::<Option<_>>()?,
    })
}

fn step(reader: &mut Reader<'_>, raw: &RawStep, field: &str, known: &mut Known<'_>) -> Option<Step> {
    let name = reader.name(&raw.name, &format!("{field}.name"));
    let target = target(reader, raw, field, known);
    let method = match &raw.method {
        Some(text) => {
            let method = Method::from_bytes(text.value.as_bytes());
            let method = method.map_err(|_| format!("`{}` is not a method such as POST", text.value));
            reader.take(text, &format!("{field}.method"), method)
        }
        None => Some(Method::GET),
    };
    let path = text(reader, &raw.path, &format!("{field}.path"), known);
    if !raw.path.value.starts_with('/') {
        reader.wrong(&raw.path, &format!("{field}.path"), "a path begins with /");
    }
    let headers = headers(reader, raw, field, known);
    if let Some(body) = &raw.body {
        let field = format!("{field}.body");
        let strings = reader.take(body, &field, template::strings(&body.value)).unwrap_or_default();
        strings.iter().for_each(|text| variables(reader, body, &field, text, known));
    }
    let think = reader.time_or(raw.think.as_ref(), &format!("{field}.think"), Duration::ZERO);
    let check = raw.check.as_ref().map(|check| &check.value);
    for (name, pointer) in &raw.save {
        self::pointer(reader, pointer, &format!("{field}.save.{name}"));
    }
    for at in check.iter().flat_map(|check| &check.json).filter(|(at, _)| !at.starts_with('/')) {
        reader.wrong(
            at.1,
            &format!("{field}.check.json"),
            format!("`{}` is not a JSON pointer such as /id", at.0),
        );
    }
    let until = match &raw.until {
        Some(raw) => Some(until(reader, &raw.value, &format!("{field}.until"))?),
        None => None,
    };
    known.variables.extend(raw.save.keys().cloned());
    Some(Step {
        name: name?,
        target: target?,
        method: method?,
        path: path?,
        headers: headers?,
        body: raw.body.as_ref().map(|body| body.value.clone()),
        think: think?,
        status: check.map(|check| check.status.iter().map(|s| s.value).collect()).unwrap_or_default(),
        json: check
            .map(|check| check.json.iter().map(|(at, value)| (at.clone(), value.value.clone())).collect())
            .unwrap_or_default(),
        save: raw.save.iter().map(|(name, at)| (name.clone(), at.value.clone())).collect(),
        until,
    })
}

fn target(reader: &mut Reader<'_>, raw: &RawStep, field: &str, known: &Known<'_>) -> Option<String> {
    let Some(target) = &raw.target else { return known.targets.keys().next().cloned() };
    if known.targets.contains_key(&target.value) {
        return Some(target.value.clone());
    }
    let targets = known.targets.keys().cloned().collect::<Vec<_>>().join(", ");
    let message = format!("`{}` is not a target: expected one of {targets}", target.value);
    reader.wrong(target, &format!("{field}.target"), message);
    None
}

fn headers(
    reader: &mut Reader<'_>,
    raw: &RawStep,
    field: &str,
    known: &Known<'_>,
) -> Option<Vec<(String, Template)>> {
    let mut read = Vec::new();
    for (name, value) in &raw.headers {
        let field = format!("{field}.headers.{name}");
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            reader.wrong(value, &field, format!("`{name}` is not the name of a header"));
        }
        read.push(text(reader, value, &field, known).map(|value| (name.clone(), value)));
    }
    read.into_iter().collect()
}

fn text(reader: &mut Reader<'_>, raw: &Text, field: &str, known: &Known<'_>) -> Option<Template> {
    let template = reader.take(raw, field, Template::parse(&raw.value))?;
    variables(reader, raw, field, &template, known);
    Some(template)
}

fn variables<T>(
    reader: &mut Reader<'_>,
    at: &Spanned<T>,
    field: &str,
    template: &Template,
    known: &Known<'_>,
) {
    for name in template.variables().filter(|name| !known.variables.contains(*name)) {
        let known = known.variables.iter().filter(|name| !name.contains('.')).cloned();
        let known = known.collect::<Vec<_>>().join(", ");
        let message = format!("`{name}` has no value here: `data` and the steps before it have {known}");
        reader.wrong(at, field, message);
    }
}

fn pointer(reader: &mut Reader<'_>, at: &Text, field: &str) {
    if !at.value.starts_with('/') {
        reader.wrong(at, field, format!("`{}` is not a JSON pointer such as /id", at.value));
    }
}

fn until(reader: &mut Reader<'_>, raw: &RawUntil, field: &str) -> Option<Until> {
    pointer(reader, &raw.pointer, &format!("{field}.pointer"));
    let every = reader.time_or(raw.every.as_ref(), &format!("{field}.every"), Duration::from_millis(100));
    let within = reader.time(&raw.within, &format!("{field}.within"));
    if raw.values.value.is_empty() {
        reader.wrong(&raw.values, &format!("{field}.values"), "expected at least one value");
    }
    Some(Until {
        pointer: raw.pointer.value.clone(),
        values: raw.values.value.clone(),
        // A pause of nothing would be a busy loop.
        every: every?.max(Duration::from_millis(1)),
        within: within?,
    })
}
