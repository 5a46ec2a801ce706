//! The reports as tables.

mod table;

use chrono::{DateTime, Utc};

pub(super) use table::{Cell, Page};

use super::{Line, Report, Status};
use crate::{
    sla::SlaState,
    window::{humane, percent},
};

/// Column heads of the report on now.
const HEADS: [&str; 9] =
    ["SLO", "status", "objective", "SLI", "budget left", "burn rate", "exhausted in", "SLA", "firing"];

/// A share with enough digits for four nines.
pub(super) fn share(share: f64) -> String {
    percent((share * 1e5).round() / 1e5)
}

/// A value in words, or a dash.
pub(super) fn known(value: Option<f64>, write: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), write)
}

/// A time as people read it.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// What was sold, or a dash; red if something is owed.
pub(super) fn agreement(sla: Option<&SlaState>) -> Cell {
    match sla {
        None => Cell::from("-".to_owned()),
        Some(sla) if sla.owed.is_some_and(|owed| owed > 0.0) => Cell::of("violated", sla.words()),
        Some(sla) => Cell::from(sla.words()),
    }
}

/// The report on now; with the burn rates over every window for objectives that are not healthy.
pub(super) fn now(report: &Report) -> Page {
    Page {
        title: "SLO report",
        about: format!("{}, {} clock", time(report.at), report.clock),
        heads: HEADS.map(str::to_owned).to_vec(),
        rows: report.slos.iter().map(|line| (cells(line), burning(line))).collect(),
        notes: Vec::new(),
    }
}

fn cells(line: &Line) -> Vec<Cell> {
    let current =
        line.burn_rates.iter().find(|(window, _)| *window == line_window(line)).map(|(_, rate)| *rate);
    let lasts = |seconds: f64| {
        if seconds >= line.period.secs() { format!("over {}", line.period) } else { humane(seconds) }
    };
    let firing: Vec<_> = line.firing.iter().map(super::Firing::words).collect();
    let class = match line.status {
        Status::Healthy => "healthy",
        Status::AtRisk => "at-risk",
        Status::Violated => "violated",
        Status::NoData => "no-data",
    };
    vec![
        line.slo.clone().into(),
        Cell::of(class, line.status.as_str().to_owned()),
        percent(line.objective).into(),
        known(line.sli, share).into(),
        known(line.budget_remaining, share).into(),
        known(current, |rate| format!("{rate:.2} x")).into(),
        known(line.time_to_exhaustion_seconds, lasts).into(),
        agreement(line.sla.as_ref()),
        firing.join(", ").into(),
    ]
}

/// The window of the burn rate in the table: the long one of the fastest page, as in `slo:current_burn_rate:ratio`.
fn line_window(line: &Line) -> crate::Window {
    let mut windows = line.burn_rates.iter().map(|(window, _)| *window);
    // Shortest first: 5 m, 30 m, 1 h.
    windows.nth(2).unwrap_or(line.period)
}

fn burning(line: &Line) -> Option<String> {
    if line.status == Status::Healthy || line.burn_rates.is_empty() {
        return None;
    }
    let rates = line.burn_rates.iter().map(|(window, rate)| format!("{window} {rate:.2} x"));
    Some(format!("burn rate over {}; owner {}", rates.collect::<Vec<_>>().join(", "), line.owner))
}
