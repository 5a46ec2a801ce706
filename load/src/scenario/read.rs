//! Reads a scenario. It is either refused, with every problem and its place, or it can be run.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_saphyr::Spanned;
use yaml::{Problems, Reader};

use super::{
    Data, Scenario, Stage, Stages, Threshold,
    bounds::Bounded as _,
    raw::{Document, RawData, RawStage},
    steps,
};
use crate::{config::MAX_RATE, schedule::Arrivals};

/// Longest scenario. A day is a soak; beyond it, nobody waits for the report.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Reads a file; `file` is its path in messages, and its stem is the scenario's name.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn read(file: &str, text: &str) -> Result<Scenario, Problems> {
    let document = yaml::parse::<Document>(file, text)?;
    let mut reader = Reader::of(file);
    let stem = std::path::Path::new(file).file_stem().unwrap_or_default();
    let read = scenario(&mut reader, &document, &stem.to_string_lossy());
    reader.finish(read)
}

fn scenario(reader: &mut Reader<'_>, raw: &Document, name: &str) -> Option<Scenario> {
    let mut targets = BTreeMap::new();
    for (name, url) in &raw.targets {
        if let Some(url) = reader.take(url, &format!("targets.{name}"), crate::http::base_url(&url.value)) {
            targets.insert(name.clone(), url);
        }
    }
    if raw.targets.is_empty() {
        reader.wrong(&raw.description, "targets", "expected at least one base URL");
    }
    let data = data(reader, raw);
    let stages = stages(reader, &raw.stages);
    let known: BTreeSet<String> = raw.data.keys().cloned().collect();
    let journeys = steps::journeys(reader, &raw.journeys, &raw.targets, &known);
    let thresholds = thresholds(reader, raw);
    let arrivals = raw.arrivals.as_ref().map_or(Some(Arrivals::Poisson), |text| arrivals(reader, text));
    let max_in_flight = match &raw.max_in_flight {
        Some(most) => reader.count(most, "max_in_flight", 1, 100_000),
        None => Some(2_048),
    };
    let timeout = reader.time_or(raw.timeout.as_ref(), "timeout", Duration::from_secs(5));
    let warmup = reader.time_or(raw.warmup.as_ref(), "warmup", Duration::ZERO);
    Some(Scenario {
        name: name.to_owned(),
        description: raw.description.value.trim().to_owned(),
        targets,
        arrivals: arrivals?,
        seed: raw.seed.as_ref().map_or(1, |seed| seed.value),
        max_in_flight: usize::try_from(max_in_flight?).ok()?,
        timeout: timeout?,
        warmup: warmup?,
        data: data?,
        stages: stages?,
        journeys: journeys?,
        thresholds,
    })
}

fn thresholds(reader: &mut Reader<'_>, raw: &Document) -> Vec<Threshold> {
    let steps = raw.journeys.value.iter().flat_map(|journey| &journey.value.steps.value);
    let names: BTreeSet<&str> = steps.map(|step| step.value.name.value.as_str()).collect();
    let mut read = Vec::new();
    for (n, text) in raw.thresholds.iter().enumerate() {
        let field = format!("thresholds[{n}]");
        let Some(threshold) = reader.take(text, &field, text.value.parse::<Threshold>()) else { continue };
        if let Some(step) = threshold.step.as_deref().filter(|step| !names.contains(step)) {
            let names = names.iter().copied().collect::<Vec<_>>().join(", ");
            reader.wrong(text, &field, format!("`{step}` is not a step: expected one of {names}"));
        }
        read.push(threshold);
    }
    read
}

fn arrivals(reader: &mut Reader<'_>, text: &Spanned<String>) -> Option<Arrivals> {
    match text.value.as_str() {
        "poisson" => Some(Arrivals::Poisson),
        "constant" => Some(Arrivals::Constant),
        other => {
            reader.wrong(text, "arrivals", format!("`{other}` is not one of poisson, constant"));
            None
        }
    }
}

fn data(reader: &mut Reader<'_>, raw: &Document) -> Option<Vec<(String, Data)>> {
    let mut read = Vec::new();
    for (name, raw) in &raw.data {
        let field = format!("data.{name}");
        read.push(datum(reader, &raw.value, &field).map(|data| (name.clone(), data)));
    }
    read.into_iter().collect()
}

fn datum(reader: &mut Reader<'_>, raw: &RawData, field: &str) -> Option<Data> {
    match raw.kind.value.as_str() {
        "user" => {
            let exponent = match &raw.zipf {
                Some(zipf) => reader.number(zipf, &format!("{field}.zipf"), 0.0, 10.0)?,
                None => 1.0,
            };
            reader.take(&raw.kind, field, Data::users(exponent))
        }
        "integer" => match (&raw.min, &raw.max) {
            (Some(min), Some(max)) if min.value <= max.value => Some(Data::Integer(min.value, max.value)),
            _ => {
                reader.wrong(&raw.kind, field, "an integer needs `min`, and `max` of at least `min`");
                None
            }
        },
        "pick" => match &raw.of {
            Some(list) if !list.value.is_empty() => Some(Data::Pick(list.value.clone())),
            _ => {
                reader.wrong(&raw.kind, field, "a pick needs `of`, a list with at least one value");
                None
            }
        },
        "uuid" => Some(Data::Uuid),
        "fresh" => Some(Data::Fresh),
        other => {
            let message = format!("`{other}` is not one of user, integer, pick, uuid, fresh");
            reader.wrong(&raw.kind, &format!("{field}.kind"), message);
            None
        }
    }
}

fn stages(reader: &mut Reader<'_>, raw: &Spanned<Vec<Spanned<RawStage>>>) -> Option<Stages> {
    if raw.value.is_empty() {
        reader.wrong(raw, "stages", "expected at least one stage");
    }
    let mut read = Vec::new();
    let mut before = 0.0;
    for (n, raw) in raw.value.iter().enumerate() {
        let stage = stage(reader, &raw.value, &format!("stages[{n}]"), before);
        if let Some(last) = stage.as_ref().and_then(|stage| stage.segments.last()) {
            before = last.to;
        }
        read.push(stage);
    }
    let stages = Stages(read.into_iter().collect::<Option<_>>()?);
    if stages.length() > LONGEST {
        reader.wrong(raw, "stages", "together they take longer than a day");
    }
    Some(stages)
}

/// A stage; `before` is the rate at the end of the stage before it, which a stage without `from` continues.
fn stage(reader: &mut Reader<'_>, raw: &RawStage, field: &str, before: f64) -> Option<Stage> {
    let seconds = reader.time(&raw.length, &format!("{field}.for"))?.as_secs_f64();
    if seconds <= 0.0 {
        reader.wrong(&raw.length, &format!("{field}.for"), "expected a time above 0");
        return None;
    }
    let kind = raw.kind.value.as_str();
    let Some((_, fields)) = KINDS.iter().find(|(name, _)| *name == kind) else {
        let known = KINDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        reader.wrong(&raw.kind, &format!("{field}.kind"), format!("`{kind}` is not one of {known}"));
        return None;
    };
    unused(reader, raw, field, fields)?;
    let name = match &raw.name {
        Some(name) => reader.name(name, &format!("{field}.name"))?,
        None => kind.to_owned(),
    };
    let from = rate(reader, raw, field, ("from", raw.from.as_ref()), Some(before))?;
    let to =
        if fields.contains(&"to") { rate(reader, raw, field, ("to", raw.to.as_ref()), None)? } else { 0.0 };
    Some(match kind {
        "ramp" => Stage::ramp(&name, from, to, seconds),
        "spike" => Stage::spike(&name, from, to, seconds),
        "step" => {
            let steps = match &raw.steps {
                Some(steps) => reader.count(steps, &format!("{field}.steps"), 2, 1_000)?,
                None => 5,
            };
            Stage::steps(&name, from, to, u32::try_from(steps).ok()?, seconds)
        }
        "sine" => sine(reader, raw, field, (name.as_str(), seconds))?,
        // A soak is a hold that is meant to be long.
        _ => {
            let rate = rate(reader, raw, field, ("rate", raw.rate.as_ref()), None)?;
            Stage::ramp(&name, rate, rate, seconds)
        }
    })
}

/// The kinds of stages, and which of the optional fields each of them uses.
const KINDS: &[(&str, &[&str])] = &[
    ("ramp", &["from", "to"]),
    ("hold", &["rate"]),
    ("step", &["from", "to", "steps"]),
    ("spike", &["from", "to"]),
    ("soak", &["rate"]),
    ("sine", &["rate", "swing", "period"]),
];

/// Refuses fields that the kind of the stage would ignore.
fn unused(reader: &mut Reader<'_>, raw: &RawStage, field: &str, used: &[&str]) -> Option<()> {
    let given = [
        ("rate", raw.rate.is_some()),
        ("from", raw.from.is_some()),
        ("to", raw.to.is_some()),
        ("steps", raw.steps.is_some()),
        ("swing", raw.swing.is_some()),
        ("period", raw.period.is_some()),
    ];
    let wrong: Vec<&str> =
        given.iter().filter(|(name, given)| *given && !used.contains(name)).map(|(name, _)| *name).collect();
    if wrong.is_empty() {
        return Some(());
    }
    let (kind, wrong, used) = (&raw.kind.value, wrong.join(", "), used.join(", "));
    reader.wrong(&raw.kind, field, format!("a {kind} has no {wrong}: expected {used}"));
    None
}

fn rate(
    reader: &mut Reader<'_>,
    raw: &RawStage,
    field: &str,
    (name, value): (&str, Option<&Spanned<f64>>),
    default: Option<f64>,
) -> Option<f64> {
    match value {
        Some(value) => reader.number(value, &format!("{field}.{name}"), 0.0, MAX_RATE),
        None if default.is_some() => default,
        None => {
            let kind = &raw.kind.value;
            reader.wrong(&raw.kind, field, format!("a {kind} needs `{name}`, in journeys per second"));
            None
        }
    }
}

fn sine(reader: &mut Reader<'_>, raw: &RawStage, field: &str, (name, seconds): (&str, f64)) -> Option<Stage> {
    let mean = rate(reader, raw, field, ("rate", raw.rate.as_ref()), None)?;
    let swing = rate(reader, raw, field, ("swing", raw.swing.as_ref()), None)?;
    let Some(period) = &raw.period else {
        reader.wrong(&raw.kind, field, "a sine needs `period`");
        return None;
    };
    let length = reader.time(period, &format!("{field}.period"))?.as_secs_f64();
    if swing > mean || length < 1.0 {
        reader.wrong(&raw.kind, field, "expected a `swing` of at most `rate`, and a `period` of at least 1s");
        return None;
    }
    Some(Stage::sine(name, mean, swing, length, seconds))
}
