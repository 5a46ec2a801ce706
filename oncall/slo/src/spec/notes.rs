//! The annotations: what people agreed on, and what OpenSLO has no field for.

use std::str::FromStr;

use chrono::NaiveDate;
use serde_saphyr::Spanned;

use super::{
    HURT_BY, MINIMUM_ERRORS, OFFERED, OWNER, PROMISE, REASON, REVIEW, SLA, THROUGHPUT,
    raw::Metadata,
    reader::{Reader, one_line},
};
use crate::Sla;

/// Two: a single error is not an incident, however low the traffic.
const DEFAULT_MINIMUM_ERRORS: u32 = 2;

const KNOWN: [&str; 9] = [OWNER, PROMISE, REASON, MINIMUM_ERRORS, SLA, REVIEW, HURT_BY, THROUGHPUT, OFFERED];

/// What the annotations say.
pub(super) struct Notes {
    pub(super) owner: String,
    pub(super) promise: String,
    pub(super) reason: String,
    pub(super) minimum_errors: u32,
    pub(super) sla: Option<Sla>,
    pub(super) review: Option<NaiveDate>,
    pub(super) hurt_by: Vec<String>,
    pub(super) throughput: Option<Throughput>,
}

/// The two rates of a throughput, in events per second.
pub(super) struct Throughput {
    pub(super) floor: f64,
    pub(super) from: f64,
}

/// Reads all of them.
pub(super) fn notes(reader: &mut Reader, metadata: &Spanned<Metadata>) -> Notes {
    let mut required = |key: &str, what: &str| match metadata.value.annotations.get(key) {
        Some(text) if !text.value.trim().is_empty() => one_line(&text.value),
        _ => {
            reader.wrong(
                &metadata.value.name,
                &format!("metadata.annotations.{key}"),
                format!("missing: expected {what}"),
            );
            String::new()
        }
    };
    let owner = required(OWNER, "the team that answers for the objective");
    let promise = required(PROMISE, "what users are promised, in a sentence");
    let reason = required(REASON, "why the objective is as high as it is");
    let minimum_errors = optional(reader, metadata, MINIMUM_ERRORS, |text| {
        let wrong = || format!("expected a whole number from 1, found `{text}`");
        text.parse::<u32>().ok().filter(|count| *count > 0).ok_or_else(wrong)
    });
    let sla = optional(reader, metadata, SLA, |text| Sla::parse(&one_line(text)));
    let review = optional(reader, metadata, REVIEW, |text| {
        NaiveDate::from_str(text).map_err(|_| format!("expected a day such as 2027-06-30, found `{text}`"))
    });
    let hurt_by = optional(reader, metadata, HURT_BY, services);
    for (key, value) in &metadata.value.annotations {
        if key.starts_with("sre-lab/") && !KNOWN.contains(&key.as_str()) {
            let field = format!("metadata.annotations.{key}");
            reader.wrong(value, &field, format!("unknown: expected one of {}", KNOWN.join(", ")));
        }
    }
    Notes {
        owner,
        promise,
        reason,
        minimum_errors: minimum_errors.unwrap_or(DEFAULT_MINIMUM_ERRORS),
        sla,
        review,
        hurt_by: hurt_by.unwrap_or_default(),
        throughput: throughput(reader, metadata),
    }
}

/// The value of an annotation; `None` if it is absent, or wrong and recorded as such.
fn optional<T>(
    reader: &mut Reader,
    metadata: &Spanned<Metadata>,
    key: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let text = metadata.value.annotations.get(key)?;
    let field = format!("metadata.annotations.{key}");
    reader.state.place(text, &field);
    let value = read(&text.value);
    reader.take(text, &field, value)
}

fn throughput(reader: &mut Reader, metadata: &Spanned<Metadata>) -> Option<Throughput> {
    let floor = optional(reader, metadata, THROUGHPUT, per_second);
    let from = optional(reader, metadata, OFFERED, per_second);
    let offered = metadata.value.annotations.get(OFFERED);
    let field = format!("metadata.annotations.{OFFERED}");
    match (floor, from, offered) {
        (None, _, Some(text)) if !metadata.value.annotations.contains_key(THROUGHPUT) => {
            reader.wrong(text, &field, format!("expected none without {THROUGHPUT}, the rate to be done"));
            None
        }
        (Some(floor), Some(from), Some(text)) if from < floor => {
            let message = format!(
                "{from} per second is less than the {floor} that have to be done: expected at least as many, since nobody can \
                 do more than is offered"
            );
            reader.wrong(text, &field, message);
            None
        }
        (Some(floor), from, _) => Some(Throughput { floor, from: from.unwrap_or(floor) }),
        (None, ..) => None,
    }
}

/// `order-api, user-service`.
fn services(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    let sound = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if names.iter().all(sound) {
        return Ok(names.into_iter().map(str::to_owned).collect());
    }
    Err(format!("expected services separated by commas, such as order-api, found `{text}`"))
}

/// `0.5/s`, `30/min`, `1800/h` as events per second.
fn per_second(text: &str) -> Result<f64, String> {
    let wrong = || format!("expected events per s, min or h above 0, such as 30/min, found `{text}`");
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let rate = number.trim().parse::<f64>().ok().map(|count| count / seconds);
    rate.filter(|rate| *rate > 0.0 && rate.is_finite()).ok_or_else(wrong)
}
