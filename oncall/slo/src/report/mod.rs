//! How much budget is left, and why: now ([`Report`]), over a past range ([`past`]), and week by week ([`archive`]); computed
//! from responses of Prometheus, written in four formats.

pub mod archive;
pub mod past;
mod write;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::{AlertKind, Clock, Severity, Slo, Window, sla::SlaState};

/// The query whose response [`Report::new`] reads: every recorded series of every objective.
pub const QUERY: &str = "{__name__=~\"slo:.+\", slo!=\"\"}";

/// Share of the budget below which an objective is at risk even while nothing burns.
const LITTLE: f64 = 0.25;

/// All objectives at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// When Prometheus was asked.
    pub at: DateTime<Utc>,
    /// The clock of its rules.
    pub clock: Clock,
    /// In the order of their specs.
    pub slos: Vec<Line>,
}

/// One objective.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Its name.
    pub slo: String,
    /// The service that keeps it.
    pub service: String,
    /// The team that is responsible for it.
    pub owner: String,
    /// Share of good events that is promised.
    pub objective: f64,
    /// Length of the period.
    pub period: Window,
    /// Its current status.
    pub status: Status,
    /// Share of good events over the period.
    pub sli: Option<f64>,
    /// Share of the budget that is left; below 0 if more was spent than there was.
    pub budget_remaining: Option<f64>,
    /// Burn rate by window: 1 spends the budget in exactly one period.
    pub burn_rates: Vec<(Window, f64)>,
    /// Seconds until the budget is gone at the current burn rate; the length of the period if it lasts at least
    /// that long.
    pub time_to_exhaustion_seconds: Option<f64>,
    /// What was sold, and what is owed if the rest of the period is good; absent if nothing was sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla: Option<SlaState>,
    /// Its firing alerts.
    pub firing: Vec<Firing>,
}

/// A firing alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Firing {
    /// Which of its alerts.
    pub alert: AlertKind,
    /// Page or ticket.
    pub severity: Severity,
    /// The pair of windows, by the long one; empty for an alert on what is left.
    pub long_window: String,
}

impl Firing {
    /// `page 1m`, `ticket spent`.
    #[must_use]
    pub fn words(&self) -> String {
        let what = match self.alert {
            AlertKind::Burn => self.long_window.as_str(),
            AlertKind::EndsSoon => "ends soon",
            AlertKind::Spent => "spent",
        };
        format!("{} {what}", self.severity)
    }
}

/// Status of an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is kept, and nothing burns.
    Healthy,
    /// It is still kept: an alert fires, or less than a quarter of the budget is left.
    AtRisk,
    /// The budget is spent.
    Violated,
    /// Prometheus has no series of it.
    NoData,
}

impl Status {
    /// By what is left of the budget, and what fires.
    pub(crate) fn of(budget_remaining: Option<f64>, firing: &[Firing]) -> Self {
        match budget_remaining {
            None => Self::NoData,
            Some(left) if left <= 0.0 => Self::Violated,
            Some(left) if left < LITTLE || !firing.is_empty() => Self::AtRisk,
            Some(_) => Self::Healthy,
        }
    }

    /// As shown to people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::AtRisk => "at risk",
            Self::Violated => "violated",
            Self::NoData => "no data",
        }
    }
}

/// Format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For a program.
    Json,
    /// For a page of notes.
    Markdown,
    /// For a browser: one file that loads nothing.
    Html,
}

impl Report {
    /// Reads the responses of Prometheus: `series` to `/api/v1/query` with [`QUERY`], `alerts` to `/api/v1/alerts`.
    #[must_use]
    pub fn new(slos: &[Slo], clock: Clock, at: DateTime<Utc>, series: &Value, alerts: &Value) -> Self {
        let lines = slos.iter().map(|slo| Line::new(slo, clock, series, alerts)).collect();
        Self { at, clock, slos: lines }
    }

    /// The report as text of this format.
    ///
    /// # Errors
    /// When JSON cannot be written, which does not happen with numbers that Prometheus sent.
    pub fn write(&self, format: Format) -> Result<String, serde_json::Error> {
        if format == Format::Json { json(self) } else { Ok(write::now(self).write(format)) }
    }

    /// Why nothing should be released: objectives with less than this share of their budget left, and those without
    /// data. Empty if the gate is open.
    #[must_use]
    pub fn closed(&self, least: f64) -> Vec<String> {
        let shut = |line: &Line| match line.budget_remaining {
            None => Some(format!("{}: Prometheus has no series of it, so its budget is unknown", line.slo)),
            Some(left) if left <= 0.0 || left < least => Some(format!(
                "{}: {} of the budget is left{}",
                line.slo,
                write::share(left),
                if least > 0.0 { format!(", {} is needed", write::share(least)) } else { String::new() }
            )),
            Some(_) => None,
        };
        self.slos.iter().filter_map(shut).collect()
    }
}

/// JSON for a program, with a line end.
fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

impl Line {
    fn new(slo: &Slo, clock: Clock, series: &Value, alerts: &Value) -> Self {
        let value = |name: &str| sample(series, name, &slo.name);
        let burn = |window: Window| {
            value(&format!("slo:sli_error:ratio_rate{window}")).map(|ratio| (window, ratio / slo.budget()))
        };
        let firing = firing(slo, alerts);
        let budget_remaining = value("slo:error_budget_remaining:ratio");
        // As the budget: what has not been seen of the period counts as good.
        let good = budget_remaining.map(|left| 1.0 - (1.0 - left) * slo.budget());
        Self {
            slo: slo.name.clone(),
            service: slo.service.clone(),
            owner: slo.owner.clone(),
            objective: slo.objective,
            period: clock.period(slo),
            status: Status::of(budget_remaining, &firing),
            sli: value("slo:period_error:ratio").map(|error| 1.0 - error),
            budget_remaining,
            burn_rates: clock.windows().into_iter().filter_map(burn).collect(),
            time_to_exhaustion_seconds: value("slo:time_to_exhaustion:seconds"),
            sla: slo.sla.as_ref().map(|sla| sla.state(good)),
            firing,
        }
    }
}

/// The value of a series of an objective; `None` if there is none, or if it is not a finite number.
fn sample(series: &Value, name: &str, slo: &str) -> Option<f64> {
    let all = series["data"]["result"].as_array()?;
    let own =
        all.iter().find(|sample| sample["metric"]["__name__"] == name && sample["metric"]["slo"] == slo)?;
    own["value"][1].as_str()?.parse().ok().filter(|value: &f64| value.is_finite())
}

fn firing(slo: &Slo, alerts: &Value) -> Vec<Firing> {
    let all = alerts["data"]["alerts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kind = |alert: &Value| {
        let name = alert["labels"]["alertname"].as_str()?;
        AlertKind::ALL.into_iter().find(|kind| slo.alert_of(*kind) == name)
    };
    let own = all.iter().filter(|alert| alert["state"] == "firing" && alert["labels"]["slo"] == slo.name);
    own.filter_map(|alert| {
        Some(Firing {
            alert: kind(alert)?,
            severity: if alert["labels"]["severity"] == "page" { Severity::Page } else { Severity::Ticket },
            long_window: alert["labels"]["long_window"].as_str().unwrap_or_default().to_owned(),
        })
    })
    .collect()
}
