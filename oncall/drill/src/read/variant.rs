//! What is measured in a proof, and the action items that are switched on one by one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_saphyr::Spanned;

use super::{LONGEST, MINUTE, Reader, SECOND, Values as _, act, all, raw};
use crate::{
    Drill,
    model::{Measure, Step, Variant, Way, Weakened},
};

/// Most times as much that a drill may ask for.
const MOST: u32 = 1000;

pub(super) fn measures(reader: &mut Reader, document: &raw::Document) -> Option<Vec<Measure>> {
    let mut before = BTreeSet::new();
    let list = document.measures.iter().flatten().enumerate();
    all(list.map(|(index, raw)| {
        let (field, raw) = (format!("measures[{index}]"), &raw.value);
        let name = reader.unique(&raw.name, &format!("{field}.name"), &mut before);
        let query = reader.text(&raw.query, &format!("{field}.query"));
        Some(Measure { name: name?, query: query? })
    }))
}

pub(super) fn variants(reader: &mut Reader, document: &raw::Document) -> Option<Vec<Variant>> {
    let mut before = BTreeSet::new();
    let list = document.variants.iter().flatten().enumerate();
    all(list.map(|(index, raw)| variant(reader, document, raw, &format!("variants[{index}]"), &mut before)))
}

fn variant(
    reader: &mut Reader,
    document: &raw::Document,
    at: &Spanned<raw::Variant>,
    field: &str,
    before: &mut BTreeSet<String>,
) -> Option<Variant> {
    let raw = &at.value;
    let name = reader.unique(&raw.name, &format!("{field}.name"), before);
    let item = reader.line(&raw.item, &format!("{field}.item"));
    let kept = kept(reader, document, raw, field);
    let way = way(reader, document, at, field);
    let observe = match &raw.observe {
        None => Some(None),
        Some(observe) => reader.time(observe, &format!("{field}.observe"), SECOND, LONGEST).map(Some),
    };
    let solve = match &raw.solve {
        None => Some(None),
        Some(steps) => {
            let steps = steps.iter().enumerate();
            all(steps.map(|(index, raw)| act::step(reader, raw, &format!("{field}.solve[{index}]"))))
                .map(Some)
        }
    };
    let less = less(reader, document, at, field);
    if raw.kept.is_none() && raw.canary.is_none() && raw.staged.is_none() && raw.solve.is_none() {
        reader.wrong(
            at,
            field,
            "expected one of `kept`, `canary`, `staged` and `solve`: what the item changes",
        );
    }
    Some(Variant { name: name?, item: item?, kept: kept?, way: way?, observe: observe?, solve: solve?, less })
}

/// Protections that the drill switches off, and this does not.
fn kept(
    reader: &mut Reader,
    document: &raw::Document,
    raw: &raw::Variant,
    field: &str,
) -> Option<Vec<Weakened>> {
    let list = raw.kept.iter().flatten().enumerate();
    all(list.map(|(index, raw)| {
        let named = |weak: &raw::Weakened| Weakened {
            service: weak.service.value.clone(),
            replica: weak.replica.as_ref().map(|replica| replica.value),
            protection: weak.protection.value.clone(),
        };
        let kept = named(&raw.value);
        let mut weakened = document.weakened.iter().flatten().map(|weak| named(&weak.value));
        if !weakened.any(|weak| kept.covers(&weak)) {
            let message = "expected one of `weakened`: only what is switched off can be kept";
            reader.wrong(raw, &format!("{field}.kept[{index}]"), message);
            return None;
        }
        Some(kept)
    }))
}

fn way(
    reader: &mut Reader,
    document: &raw::Document,
    at: &Spanned<raw::Variant>,
    field: &str,
) -> Option<Way> {
    let way = match (&at.value.canary, &at.value.staged) {
        (None, None) => return Some(Way::AtOnce),
        (Some(first), None) => {
            reader.time(first, &format!("{field}.canary"), SECOND, MINUTE).map(Way::OneFirst)
        }
        (None, Some(staged)) if staged.value => Some(Way::Staged),
        _ => {
            reader.wrong(at, field, "expected at most one of `canary` and `staged: true`");
            None
        }
    };
    if !document.faults.iter().flatten().any(|fault| fault.value.rule.is_some()) {
        reader.wrong(at, field, "expected a fault with `rule`: only rules are pushed step by step");
    }
    way
}

/// What has to be less; mistakes are recorded.
fn less(
    reader: &mut Reader,
    document: &raw::Document,
    at: &Spanned<raw::Variant>,
    field: &str,
) -> BTreeMap<String, u32> {
    let known: Vec<&str> =
        document.measures.iter().flatten().map(|measure| measure.value.name.value.as_str()).collect();
    let mut less = BTreeMap::new();
    for (name, times) in &at.value.less {
        let field = format!("{field}.less.{name}");
        if !known.contains(&name.as_str()) {
            let message = format!("`{name}` is not in `measures`: expected one of {}", known.join(", "));
            reader.wrong(times, &field, message);
        }
        let times = reader.take(times, &field, yaml::within(times.value, 2, MOST));
        less.extend(times.map(|times| (name.clone(), times)));
    }
    if less.is_empty() {
        let message = "expected at least one of `measures`: an action item is worth what it changes";
        reader.wrong(at, &format!("{field}.less"), message);
    }
    less
}

/// What no field can say alone: where the rule gets through, somebody has to end it, and no run lasts longer than a
/// fault may.
pub(super) fn together(reader: &mut Reader, document: &raw::Document, drill: &Drill) {
    let accepted = &drill.mitigations.accepted;
    let solves = |step: &Step| matches!(step, Step::Act(act) if accepted.iter().any(|one| one.act == *act));
    for ((index, raw), variant) in document.variants.iter().flatten().enumerate().zip(&drill.variants) {
        let Some(steps) = &variant.solve else { continue };
        if variant.way == Way::AtOnce && !steps.iter().any(solves) {
            let message = "expected at least one action of `mitigations.accepted` among the steps";
            reader.wrong(raw, &format!("variants[{index}].solve"), message);
        }
        let waits = |step: &Step| match step {
            Step::Act(_) => Duration::ZERO,
            Step::Wait(time) | Step::Until { within: time, .. } => *time,
        };
        if steps.iter().map(waits).sum::<Duration>() > LONGEST {
            let message = "expected steps that take less than an hour together";
            reader.wrong(raw, &format!("variants[{index}].solve"), message);
        }
    }
}
