//! What queries answer: series, exemplars, and the rows of a table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{Change, Query, Source};

/// Labels of a series, or cells of a row.
pub type Labels = BTreeMap<String, String>;

/// Values over time, or one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its legend.
    pub name: String,
    /// Which query of the panel.
    pub query: usize,
    /// Its labels.
    pub labels: Labels,
    /// Seconds since 1970, and values; ascending, without gaps' values.
    pub points: Vec<(f64, f64)>,
}

/// One request that was measured, and its trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Seconds since 1970.
    pub at: f64,
    /// What was measured.
    pub value: f64,
    /// Its trace.
    pub trace: String,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A label.
    Text(String),
    /// A value.
    Number(f64),
    /// The query had no value for this row.
    Nothing,
}

/// A table: the names of its columns, and its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Fields: labels, `Value` or `Value #A`.
    pub columns: Vec<String>,
    /// As many cells as columns.
    pub rows: Vec<Vec<Cell>>,
}

impl Series {
    /// The last value.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|(_, value)| *value)
    }

    /// The highest value.
    #[must_use]
    pub fn highest(&self) -> Option<f64> {
        self.points.iter().map(|(_, value)| *value).reduce(f64::max)
    }
}

/// Reads the series of Prometheus or Loki: the field `result` of a matrix or a vector. What is not a number is a gap.
#[must_use]
pub fn series(result: &Value, number: usize, query: &Query) -> Vec<Series> {
    let read = |each: &Value| {
        let labels: Labels = serde_json::from_value(each["metric"].clone()).ok()?;
        let one = each.get("value").map(std::slice::from_ref);
        let points = one.or_else(|| each["values"].as_array().map(Vec::as_slice))?;
        let points = points.iter().filter_map(point).filter(|(_, value)| value.is_finite()).collect();
        Some(Series { name: legend(&query.legend, &labels), query: number, labels, points })
    };
    result.as_array().into_iter().flatten().filter_map(read).collect()
}

fn point(pair: &Value) -> Option<(f64, f64)> {
    Some((pair[0].as_f64()?, pair[1].as_str()?.parse().ok()?))
}

/// Reads the exemplars of Prometheus: the field `data`.
#[must_use]
pub fn exemplars(data: &Value) -> Vec<Exemplar> {
    let read = |each: &Value| {
        let labels = &each["labels"];
        let trace = ["trace_id", "traceID"].iter().find_map(|name| labels[*name].as_str())?;
        let value = each["value"].as_str()?.parse().ok().filter(|value: &f64| value.is_finite())?;
        Some(Exemplar { at: each["timestamp"].as_f64()?, value, trace: trace.to_owned() })
    };
    let all = data.as_array().into_iter().flatten();
    all.filter_map(|series| series["exemplars"].as_array()).flatten().filter_map(read).collect()
}

/// The most telling exemplars: in each of `slots` parts of the time, the highest and the lowest. Without this a busy
/// service would have thousands.
#[must_use]
pub fn telling(mut exemplars: Vec<Exemplar>, (from, until): (f64, f64), slots: u32) -> Vec<Exemplar> {
    exemplars.retain(|each| (from..=until).contains(&each.at));
    exemplars.sort_by(|one, other| one.at.total_cmp(&other.at));
    let width = ((until - from) / f64::from(slots.max(1))).max(f64::MIN_POSITIVE);
    let slot = |each: &Exemplar| ((each.at - from) / width).floor();
    let mut kept: Vec<Exemplar> = Vec::new();
    for group in exemplars.chunk_by(|one, other| slot(one) == slot(other)) {
        let low = group.iter().min_by(|one, other| one.value.total_cmp(&other.value));
        let high = group.iter().max_by(|one, other| one.value.total_cmp(&other.value));
        kept.extend(low.into_iter().chain(high).cloned());
    }
    kept.dedup_by(|one, other| one.trace == other.trace && one.at == other.at);
    kept
}

/// The legend of a series: `{{label}}` replaced, or all labels where there is no legend.
#[must_use]
pub fn legend(template: &str, labels: &Labels) -> String {
    if template.is_empty() || template == "__auto" {
        return all(labels);
    }
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.push_str(labels.get(name.trim()).map_or("", String::as_str));
        rest = after;
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// As Prometheus writes a series.
fn all(labels: &Labels) -> String {
    let name = labels.get("__name__").map_or("", String::as_str);
    let others = labels.iter().filter(|(label, _)| *label != "__name__");
    let others: Vec<String> = others.map(|(label, value)| format!("{label}={value:?}")).collect();
    match (name, others.is_empty()) {
        ("", true) => "Value".to_owned(),
        (name, true) => name.to_owned(),
        (name, false) => format!("{name}{{{}}}", others.join(", ")),
    }
}

/// Rows of a table: one per label set and its last value; merged if the panel merges, then in the panel's order.
#[must_use]
pub fn table(series: &[Series], queries: &[Query], changes: &[Change]) -> Table {
    let mut table = rows(series, queries, changes.contains(&Change::Merge));
    for change in changes {
        if let Change::Organize { hidden, order, names } = change {
            table = organized(&table, hidden, order, names);
        }
    }
    table
}

fn rows(series: &[Series], queries: &[Query], merge: bool) -> Table {
    let labels: BTreeSet<&String> = series.iter().flat_map(|each| each.labels.keys()).collect();
    let mut columns: Vec<String> = labels.into_iter().cloned().collect();
    let values = columns.len();
    columns.extend(queries.iter().map(|query| value_column(query, queries)));
    let mut rows: Vec<(&Labels, Vec<Cell>)> = Vec::new();
    for each in series {
        let known = rows.iter().position(|(labels, _)| merge && **labels == each.labels);
        let at = known.unwrap_or_else(|| {
            let cells = columns[..values]
                .iter()
                .map(|name| each.labels.get(name).map_or(Cell::Nothing, |text| Cell::Text(text.clone())));
            let empty = queries.iter().map(|_| Cell::Nothing);
            rows.push((&each.labels, cells.chain(empty).collect()));
            rows.len() - 1
        });
        if let Some(cell) = rows[at].1.get_mut(values + each.query) {
            *cell = each.last().map_or(Cell::Nothing, Cell::Number);
        }
    }
    Table { columns, rows: rows.into_iter().map(|(_, cells)| cells).collect() }
}

/// Prometheus numbers its values if there are several queries, Loki always.
fn value_column(query: &Query, queries: &[Query]) -> String {
    let numbered = queries.len() > 1 || query.source == Source::Loki;
    if numbered { format!("Value #{}", query.name) } else { "Value".to_owned() }
}

fn organized(table: &Table, hidden: &[String], order: &[(String, u64)], names: &[(String, String)]) -> Table {
    let position =
        |name: &String| order.iter().find(|(each, _)| each == name).map_or(u64::MAX, |(_, at)| *at);
    let mut shown: Vec<usize> = (0..table.columns.len()).collect();
    shown.retain(|&at| !hidden.contains(&table.columns[at]));
    shown.sort_by_key(|&at| position(&table.columns[at]));
    let name = |at: &usize| {
        let name = &table.columns[*at];
        names.iter().find(|(from, _)| from == name).map_or_else(|| name.clone(), |(_, to)| to.clone())
    };
    let columns = shown.iter().map(name).collect();
    let rows = table.rows.iter().map(|row| shown.iter().map(|&at| row[at].clone()).collect());
    Table { columns, rows: rows.collect() }
}
