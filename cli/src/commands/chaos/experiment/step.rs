//! One step of an experiment: what is done, and for how long.

use serde_saphyr::Spanned;

use super::{
    file::{LONGEST, MINUTE, SECOND, Step},
    shape::{RawFault, RawPush, RawStep},
};
use crate::commands::{
    chaos::blow::Blow,
    written::{Reader, Text, all},
};

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
    if blows.len() > 1 {
        reader.wrong(raw, field, "expected one of `fault`, `kill` and `push`, or none of them to wait");
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
