//! Acts: verbs with their fields, how far they reach, and what takes them back.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;
use yaml::shape::Word;

use super::{Reader, Values as _, raw};
use crate::{
    Verb,
    model::{Act, Undo},
    parameter::Kind,
    reach::BlastRadius,
    template::Template,
};

pub(super) fn act(reader: &mut Reader<'_>, raw: &raw::Act, field: &str) -> Option<Act> {
    let at = |name: &str| format!("{field}.{name}");
    let verb = change(reader, &raw.verb, &raw.with, field);
    let key = reader.filled(&raw.idempotency_key, &at("idempotency_key"), &Kind::Word);
    let undo = undo(reader, &raw.undo, &at("undo"));
    let (verb, with) = verb?;
    let reach = radius(verb, &raw.blast_radius.value);
    let blast_radius = reader.take(&raw.blast_radius, &at("blast_radius"), reach)?;
    let undo = undo?;
    if let Undo::Act { verb: other, .. } = &undo
        && other.unit() != verb.unit()
    {
        let message =
            format!("expected a verb that reaches {}, as {verb} does, found `{other}`", verb.unit());
        reader.wrong(&raw.undo, &at("undo.verb"), message);
        return None;
    }
    Some(Act { verb, with, blast_radius, idempotency_key: key?, undo })
}

/// A verb and its fields.
fn change(
    reader: &mut Reader<'_>,
    name: &Spanned<Word<Verb>>,
    raw: &BTreeMap<String, raw::Value>,
    field: &str,
) -> Option<(Verb, BTreeMap<String, Template>)> {
    let verb = reader.take(name, &format!("{field}.verb"), Verb::named(name.value.text()))?;
    let (fields, mut with) = (verb.fields(), BTreeMap::new());
    for (name, text) in raw {
        let at = format!("{field}.with.{name}");
        let Some(known) = fields.iter().find(|known| known.name == name) else {
            let names: Vec<&str> = fields.iter().map(|known| known.name).collect();
            reader.wrong(text, &at, format!("{verb} takes no `{name}`: expected {}", names.join(", ")));
            continue;
        };
        with.extend(reader.filled(text, &at, &known.kind).map(|filled| (name.clone(), filled)));
    }
    for missing in fields.iter().filter(|known| !known.optional && !raw.contains_key(known.name)) {
        let message = format!("missing: expected {}", missing.kind.expects());
        reader.wrong(name, &format!("{field}.with.{}", missing.name), message);
    }
    Some((verb, with))
}

fn undo(reader: &mut Reader<'_>, raw: &Spanned<raw::Undo>, field: &str) -> Option<Undo> {
    match &raw.value {
        raw::Undo { nothing: Some(why), verb: None, with } if with.is_empty() => {
            let why = reader.sentence(why, &format!("{field}.nothing"))?;
            Some(Undo::Nothing { why })
        }
        raw::Undo { nothing: None, verb: Some(verb), with } => {
            let (verb, with) = change(reader, verb, with, field)?;
            Some(Undo::Act { verb, with })
        }
        _ => {
            let message = "expected either `verb` and `with`, or `nothing` with the reason";
            reader.wrong(raw, field, message);
            None
        }
    }
}

/// Reads `1 replica`, `20 sessions` or `all replicas`.
fn radius(verb: Verb, text: &str) -> Result<BlastRadius, String> {
    let unit = verb.unit();
    let wrong = || {
        let most = BlastRadius { most: verb.farthest(), unit };
        match most.most {
            None | Some(1) => format!("expected `{most}`, found `{text}`"),
            Some(_) => format!("expected at most `{most}`, found `{text}`"),
        }
    };
    let (count, word) = text.split_once(' ').ok_or_else(wrong)?;
    let plural = unit.to_string();
    let expected = if count == "1" { plural.trim_end_matches('s') } else { plural.as_str() };
    if word != expected {
        return Err(wrong());
    }
    let most = match (count, verb.farthest()) {
        ("all", None) => None,
        ("all", Some(_)) => return Err(wrong()),
        (count, farthest) => {
            let count = count.parse::<u32>().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
            // What reaches all replicas cannot be done to some of them.
            if farthest.is_none_or(|farthest| count > farthest) {
                return Err(wrong());
            }
            Some(count)
        }
    };
    Ok(BlastRadius { most, unit })
}
