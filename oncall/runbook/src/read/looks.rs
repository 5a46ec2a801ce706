//! Questions and what is expected: PromQL, logs, HTTP, SQL.

use std::{collections::BTreeMap, time::Duration};

use serde_saphyr::Spanned;
use yaml::shape::Word;

use super::{Reader, Values as _, raw};
use crate::{
    answer::{Compare, Expect},
    model::{Ask, Look, Otherwise, PATHS, Wait},
    parameter::Kind,
    query,
};

const SECOND: Duration = Duration::from_secs(1);
const LEVELS: [&str; 3] = ["error", "warn", "info"];

/// The fields of a question about numbers.
pub(super) struct Value<'r> {
    pub(super) promql: &'r Option<raw::Text>,
    pub(super) log: &'r Option<Spanned<raw::Log>>,
    pub(super) is: &'r raw::Text,
    pub(super) empty: &'r Option<raw::Text>,
}

/// PromQL or logs against a limit.
pub(super) fn value<T>(
    reader: &mut Reader<'_>,
    at: &Spanned<T>,
    field: &str,
    value: &Value<'_>,
) -> Option<Look> {
    let is = reader.take(value.is, &format!("{field}.is"), Compare::read(&value.is.value));
    let empty_holds = match value.empty {
        None => Some(false),
        Some(text) => match text.value.as_str() {
            "holds" => Some(true),
            "fails" => Some(false),
            other => {
                reader.wrong(
                    text,
                    &format!("{field}.empty"),
                    format!("expected holds or fails, found `{other}`"),
                );
                None
            }
        },
    };
    let ask = match (value.promql, value.log) {
        (Some(query), None) => {
            let template = reader.template(query, &format!("{field}.promql"));
            template.map(|query| Ask::Promql { query })
        }
        (None, Some(log)) => lines(reader, &log.value, &format!("{field}.log")),
        _ => {
            reader.wrong(at, field, "expected exactly one of promql and log");
            None
        }
    };
    Some(Look { ask: ask?, expect: Expect::Value { is: is?, empty_holds: empty_holds? } })
}

fn lines(reader: &mut Reader<'_>, raw: &raw::Log, field: &str) -> Option<Ask> {
    let at = |name: &str| format!("{field}.{name}");
    let service = reader.filled(&raw.service, &at("service"), &Kind::Word);
    if let Some(level) = &raw.level {
        reader.take(level, &at("level"), Kind::choice(&LEVELS).check(&level.value))?;
    }
    let text = match &raw.text {
        None => None,
        Some(text) => Some(reader.template(text, &at("text"))?),
    };
    let within = reader.duration(&raw.within, &at("within"), SECOND);
    let level = raw.level.as_ref().map(|level| level.value.clone());
    Some(Ask::Log { service: service?, level, text, within: within? })
}

/// What a look that shows something else means; stop, if nothing is written.
pub(super) fn otherwise(
    reader: &mut Reader<'_>,
    text: &Option<Spanned<Word<Otherwise>>>,
    field: &str,
) -> Option<Otherwise> {
    let Some(text) = text else { return Some(Otherwise::Stop) };
    let found = text.value.text();
    let value = found.parse().map_err(|_| format!("expected stop or continue, found `{found}`"));
    reader.take(text, &format!("{field}.otherwise"), value)
}

pub(super) fn http(reader: &mut Reader<'_>, raw: &raw::Http, field: &str) -> Option<Look> {
    let at = |name: &str| format!("{field}.{name}");
    let service = reader.filled(&raw.service, &at("service"), &Kind::Word);
    let instance = match &raw.instance {
        None => None,
        Some(text) => Some(reader.filled(text, &at("instance"), &Kind::Word)?),
    };
    reader.take(&raw.path, &at("path"), Kind::choice(&PATHS).check(&raw.path.value))?;
    let (code, not) = reader.take(&raw.status, &at("status"), status(&raw.status.value.0))?;
    let ask = Ask::Http { service: service?, instance, path: raw.path.value.clone() };
    Some(Look { ask, expect: Expect::Status { code, not } })
}

/// Reads `200` or `not 200`.
fn status(text: &str) -> Result<(u16, bool), String> {
    let number = text.strip_prefix("not ");
    let code = number.unwrap_or(text).parse::<u16>().ok().filter(|code| (100..=599).contains(code));
    let code = code.ok_or_else(|| format!("expected a status such as 200 or not 200, found `{text}`"))?;
    Ok((code, number.is_some()))
}

pub(super) fn sql(reader: &mut Reader<'_>, raw: &raw::Sql, field: &str) -> Option<Look> {
    let at = |name: &str| format!("{field}.{name}");
    let database = reader.filled(&raw.database, &at("database"), &Kind::Word);
    let is = match &raw.rows {
        None => None,
        Some(text) => Some(reader.take(text, &at("rows"), Compare::read(&text.value))?),
    };
    let query = reader.take(&raw.query, &at("query"), query::named(&raw.query.value))?;
    let mut with = BTreeMap::new();
    for (name, text) in &raw.with {
        let Some((_, value)) = query.values.iter().find(|(known, _)| known == name) else {
            let known: Vec<&str> = query.values.iter().map(|(name, _)| *name).collect();
            let known = if known.is_empty() { "no values".to_owned() } else { known.join(", ") };
            let message = format!("{} has no `{name}`: expected {known}", query.name);
            reader.wrong(text, &at(&format!("with.{name}")), message);
            continue;
        };
        let filled = reader.filled(text, &at(&format!("with.{name}")), &value.kind());
        with.extend(filled.map(|filled| (name.clone(), filled)));
    }
    for (name, value) in query.values.iter().filter(|(name, _)| !raw.with.contains_key(*name)) {
        let message = format!("missing: expected {}", value.kind().expects());
        reader.wrong(&raw.query, &at(&format!("with.{name}")), message);
    }
    Some(Look { ask: Ask::Sql { query, database: database?, with }, expect: Expect::Rows { is } })
}

pub(super) fn wait(reader: &mut Reader<'_>, raw: &Spanned<raw::Wait>, field: &str) -> Option<Wait> {
    let raw::Wait { promql, log, is, empty, r#for: hold, within } = &raw.value;
    let look = value(reader, raw, field, &Value { promql, log, is, empty });
    let hold = match hold {
        None => Some(Duration::ZERO),
        Some(text) => reader.duration(text, &format!("{field}.for"), Duration::ZERO),
    };
    let limit = reader.duration(within, &format!("{field}.within"), SECOND);
    let (look, hold, limit) = (look?, hold?, limit?);
    if hold >= limit {
        let message = format!("expected more than `for`, which is {}", crate::parameter::words(hold));
        reader.wrong(within, &format!("{field}.within"), message);
        return None;
    }
    Some(Wait { look, hold, within: limit })
}
