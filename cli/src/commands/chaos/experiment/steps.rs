//! The steps of an experiment as they are written, and what a second pass does without.

use serde_saphyr::Spanned;

use super::{
    file::{LONGEST, MINUTE, Pair, SECOND, Step},
    shape::{Document, RawFault, RawPair, RawPush, RawStep},
};
use crate::commands::{
    chaos::blow::Blow,
    written::{Reader, Text, all},
};

/// What is done in a step, and how long it lasts.
pub(super) fn step(
    reader: &mut Reader<'_>,
    raw: &Spanned<RawStep>,
    field: &str,
    scope: &[&str],
) -> Option<Step> {
    let RawStep { fault, kill, push, lasts } = &raw.value;
    let lasts = reader.time(lasts, &format!("{field}.lasts"), SECOND, LONGEST);
    let blow = match (fault, kill, push) {
        (None, None, None) => Some(None),
        (Some(fault), None, None) => {
            self::fault(reader, &fault.value, &format!("{field}.fault"), scope).map(Some)
        }
        (None, Some(part), None) => self::kill(reader, part, &format!("{field}.kill"), scope).map(Some),
        (None, None, Some(push)) => {
            self::push(reader, &push.value, &format!("{field}.push"), scope).map(Some)
        }
        _ => {
            reader.wrong(raw, field, "expected one of `fault`, `kill` and `push`, or none to wait");
            None
        }
    };
    Some(Step { blow: blow?, lasts: lasts? })
}

fn fault(reader: &mut Reader<'_>, raw: &RawFault, field: &str, scope: &[&str]) -> Option<Blow> {
    let service = reader.word(&raw.service, &format!("{field}.service"), scope);
    let name = reader.line(&raw.fault, &format!("{field}.fault"));
    if let Some((_, ttl)) = raw.with.iter().find(|(name, _)| *name == "ttl") {
        let message = "expected no such parameter: `lasts` says how long";
        reader.wrong(ttl, &format!("{field}.with.ttl"), message);
    }
    let with = raw.with.iter().map(|(name, value)| (name.clone(), value.value.to_string()));
    let parameters = with.collect();
    service.zip(name).map(|(service, fault)| Blow::Fault { service, fault, parameters })
}

fn kill(reader: &mut Reader<'_>, part: &Text, field: &str, scope: &[&str]) -> Option<Blow> {
    // `order-api-2` is an instance of order-api.
    let known = |service: &&str| {
        let rest = part.value.strip_prefix(*service);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if scope.iter().any(known) {
        return Some(Blow::Kill { part: part.value.clone() });
    }
    reader.wrong(part, field, format!("expected an instance of one of {}", scope.join(", ")));
    None
}

fn push(reader: &mut Reader<'_>, raw: &RawPush, field: &str, scope: &[&str]) -> Option<Blow> {
    let service = reader.word(&raw.service, &format!("{field}.service"), scope);
    let rule = reader.line(&raw.rule, &format!("{field}.rule"));
    let canary = match &raw.canary {
        None => Some(None),
        Some(time) => {
            let read = reader.time(time, &format!("{field}.canary"), SECOND, MINUTE);
            read.map(|_| Some(time.value.trim().to_owned()))
        }
    };
    Some(Blow::Push { service: service?, rule: rule?, canary: canary? })
}

fn has_canary(step: &RawStep) -> bool {
    step.push.as_ref().is_some_and(|push| push.value.canary.is_some())
}

/// The protections that are off in every pass.
pub(super) fn off(reader: &mut Reader<'_>, document: &Document, scope: &[&str]) -> Option<Vec<Blow>> {
    all(document.weakened.iter().enumerate().map(|(index, raw)| {
        let service = &raw.value.service;
        let service = reader.word(service, &format!("weakened[{index}].service"), scope);
        let protection = reader.line(&raw.value.protection, &format!("weakened[{index}].protection"));
        Some(Blow::Unprotect { service: service?, protection: protection? })
    }))
}

/// What is taken away in the second pass, if there is one.
pub(super) fn pair(reader: &mut Reader<'_>, document: &Document, scope: &[&str]) -> Option<Option<Pair>> {
    let Some(raw) = &document.pair else { return Some(None) };
    match &raw.value {
        RawPair { service: Some(service), protection: Some(protection), canary: None } => {
            let service = reader.word(service, "pair.service", scope);
            let protection = reader.line(protection, "pair.protection");
            Some(Some(Pair::Protection { service: service?, protection: protection? }))
        }
        RawPair { service: None, protection: None, canary: Some(canary) } if canary.value => {
            if !document.method.value.iter().any(|step| has_canary(&step.value)) {
                let message = "expected a step with `push` and its `canary`: there is none to take away";
                reader.wrong(raw, "pair.canary", message);
            }
            Some(Some(Pair::Canary))
        }
        _ => {
            reader.wrong(raw, "pair", "expected `service` and `protection`, or `canary: true`");
            None
        }
    }
}
