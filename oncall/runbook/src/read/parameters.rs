//! Parameters: their types, defaults and labels.

use std::{collections::BTreeMap, time::Duration};

use serde_saphyr::Spanned;

use super::{A_WEEK, Reader, Values as _, raw};
use crate::{
    model::BUILT_IN,
    parameter::{Kind, Parameter},
};

pub(super) fn parameters(
    reader: &mut Reader<'_>,
    map: &BTreeMap<String, Spanned<raw::Parameter>>,
) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for (name, raw) in map {
        let field = format!("parameters.{name}");
        let letters = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if !letters || name.is_empty() || BUILT_IN.contains(&name.as_str()) {
            let reserved = BUILT_IN.join(", ");
            let message = format!("expected a name of a-z and `_`, other than {reserved}, found `{name}`");
            reader.wrong(raw, &field, message);
            continue;
        }
        parameters.extend(parameter(reader, raw, name, &field));
    }
    parameters
}

fn parameter(
    reader: &mut Reader<'_>,
    raw: &Spanned<raw::Parameter>,
    name: &str,
    field: &str,
) -> Option<Parameter> {
    let at = |name: &str| format!("{field}.{name}");
    let what = reader.sentence(&raw.value.what, &at("what"));
    let kind = kind(reader, raw, field)?;
    if let Some(default) = &raw.value.default {
        reader.take(default, &at("default"), kind.check(&default.value.0))?;
    }
    let default = raw.value.default.as_ref().map(|text| text.value.0.clone());
    let label = raw.value.from.as_ref().map(|text| text.value.clone());
    Some(Parameter { name: name.to_owned(), what: what?, kind, default, label })
}

fn kind(reader: &mut Reader<'_>, raw: &Spanned<raw::Parameter>, field: &str) -> Option<Kind> {
    let at = |name: &str| format!("{field}.{name}");
    let raw::Parameter { r#type: kind, of, least, most, .. } = &raw.value;
    let (choice, bounds) = (of.is_some(), least.is_some() || most.is_some());
    match kind.value.as_str() {
        "word" if !choice && !bounds => Some(Kind::Word),
        "choice" if !bounds => {
            let Some(of) = of.as_ref().filter(|of| !of.value.is_empty()) else {
                reader.wrong(raw, &at("of"), "missing: expected the list of values");
                return None;
            };
            for (index, one) in of.value.iter().enumerate() {
                reader.take(one, &at(&format!("of[{index}]")), Kind::Word.check(&one.value.0));
            }
            Some(Kind::Choice { of: of.value.iter().map(|one| one.value.0.clone()).collect() })
        }
        "number" if !choice => {
            let mut bound = |text: &Option<raw::Value>, name: &str| {
                let Some(text) = text else {
                    reader.wrong(raw, &at(name), "missing: expected a whole number");
                    return None;
                };
                let number = text.value.0.parse::<i64>();
                let number = number.map_err(|_| format!("expected a whole number, found `{}`", text.value.0));
                reader.take(text, &at(name), number)
            };
            let (least, most) = (bound(least, "least"), bound(most, "most"));
            ordered(reader, raw, field, least?, most?).map(|(least, most)| Kind::Number { least, most })
        }
        "duration" if !choice => {
            let least = match least {
                None => Some(Duration::from_secs(1)),
                Some(text) => reader.duration(text, &at("least"), Duration::ZERO),
            };
            let most = match most {
                None => Some(A_WEEK),
                Some(text) => reader.duration(text, &at("most"), Duration::ZERO),
            };
            ordered(reader, raw, field, least?, most?).map(|(least, most)| Kind::Duration { least, most })
        }
        _ => {
            let message = format!(
                "expected word, choice (with `of`), number (with `least` and `most`) or duration, found `{}`{}",
                kind.value,
                if choice || bounds { " with fields that it does not have" } else { "" }
            );
            reader.wrong(kind, &at("type"), message);
            None
        }
    }
}

fn ordered<T: PartialOrd>(
    reader: &mut Reader<'_>,
    raw: &Spanned<raw::Parameter>,
    field: &str,
    least: T,
    most: T,
) -> Option<(T, T)> {
    if least > most {
        reader.wrong(raw, &format!("{field}.least"), "expected at most `most`");
        return None;
    }
    Some((least, most))
}
