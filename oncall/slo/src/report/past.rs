//! What became of the objectives in a past range: events, what was good, how much of the budget went, what is owed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Format, json,
    write::{Cell, Page, agreement, known, share, time},
};
use crate::{
    Clock, Slo, Window,
    sla::SlaState,
    theory,
    window::{humane, percent},
};

/// Share of a range that has to have samples before anything is said about the whole of it.
const ENOUGH: f64 = 0.5;

/// A range of time that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First moment.
    pub from: DateTime<Utc>,
    /// Last moment; after the first.
    pub until: DateTime<Utc>,
}

/// What to ask Prometheus at the end of the range. Each query answers one sample per objective, with the label `slo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queries {
    /// Events.
    pub events: String,
    /// Bad events.
    pub bad: String,
    /// Seconds of the range that have samples.
    pub known: String,
    /// Share of the period's budget that was left at the end.
    pub left: String,
    /// Seconds in which somebody was paged for the objective.
    pub paged: String,
}

/// The values of one query, by objective.
pub type Values = BTreeMap<String, f64>;

/// The answers to [`Queries`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// Events.
    pub events: Values,
    /// Bad events.
    pub bad: Values,
    /// Seconds of the range that have samples.
    pub known: Values,
    /// Share of the period's budget that was left at the end.
    pub left: Values,
    /// Seconds in which somebody was paged.
    pub paged: Values,
}

/// All objectives over a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// The range.
    pub range: Range,
    /// The clock of the rules that recorded it.
    pub clock: Clock,
    /// In the order of their specs.
    pub slos: Vec<PastLine>,
}

/// One objective over a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastLine {
    /// Its name.
    pub slo: String,
    /// The service that keeps it.
    pub service: String,
    /// The team that is responsible for it.
    pub owner: String,
    /// Share of good events that is promised.
    pub objective: f64,
    /// Share of the range that has samples, 0 to 1.
    pub known: f64,
    /// Events in the range.
    pub events: f64,
    /// Bad ones among them.
    pub bad: f64,
    /// Share of good events; `None` if nothing is known.
    pub sli: Option<f64>,
    /// Share of a whole period's budget that was spent in the range.
    pub budget_spent: Option<f64>,
    /// Share of the budget that was left at the end of the range.
    pub budget_remaining: Option<f64>,
    /// Seconds in which somebody was paged for it.
    pub paged_seconds: f64,
    /// What was sold, and what would be owed if the range were the period of the contract; absent if nothing was sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<SlaState>,
}

impl Range {
    /// Its length in seconds, at least 1.
    #[must_use]
    pub fn seconds(self) -> u64 {
        u64::try_from((self.until - self.from).num_seconds()).unwrap_or_default().max(1)
    }

    /// The same, for arithmetic.
    fn length(self) -> f64 {
        Window::seconds(self.seconds()).secs()
    }
}

impl Queries {
    /// The queries for a range of this length, in seconds.
    #[must_use]
    pub fn of(clock: Clock, seconds: u64) -> Self {
        let (base, each, slow) = (clock.base(), clock.evaluation().as_secs(), clock.slow_evaluation());
        let (total, bad) = (format!("slo:sli_total:rate{base}"), format!("slo:sli_bad:rate{base}"));
        let sum = |series: &str| format!("sum by (slo) (sum_over_time({series}[{seconds}s])) * {each}");
        let paging = "max by (slo) (ALERTS{slo!=\"\", severity=\"page\", alertstate=\"firing\"})";
        Self {
            events: sum(&total),
            bad: sum(&bad),
            known: format!("max by (slo) (count_over_time({total}[{seconds}s])) * {each}"),
            left: "max by (slo) (slo:error_budget_remaining:ratio)".to_owned(),
            paged: format!("count_over_time(({paging})[{seconds}s:{slow}]) * {}", slow.as_secs()),
        }
    }
}

impl Past {
    /// Reads the answers.
    #[must_use]
    pub fn new(slos: &[Slo], clock: Clock, range: Range, answers: &Answers) -> Self {
        let slos = slos.iter().map(|slo| PastLine::new(slo, clock, range, answers)).collect();
        Self { range, clock, slos }
    }

    /// Whether anything is known of any objective.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.slos.iter().any(|line| line.sli.is_some())
    }

    /// Why a release at the beginning of the range should be taken back: objectives whose share of bad events was above the threshold
    /// of the fast page. Less than that is not told from chance within a minute: it is for the budget.
    #[must_use]
    pub fn burning(&self) -> Vec<String> {
        let fast = self.clock.pairs()[0];
        let reason = |line: &PastLine| {
            let (bad, most) = (1.0 - line.sli?, theory::threshold(&fast, 1.0 - line.objective));
            let words = || {
                let PastLine { slo, bad: count, events, .. } = line;
                let (bad, most) = (share(bad), share(most));
                format!(
                    "{slo}: {count:.0} of {events:.0} events were bad, {bad}; above {most} somebody is paged"
                )
            };
            (bad > most).then(words)
        };
        self.slos.iter().filter_map(reason).collect()
    }

    /// Objectives of which less than half of the range was recorded, so that nobody can say how it went.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        let missing = self.slos.iter().filter(|line| line.sli.is_none() || line.known < ENOUGH);
        missing.map(|line| format!("{}: {} of the time was recorded", line.slo, share(line.known))).collect()
    }

    /// Objectives without an event, of which a range says nothing but that nobody was failed.
    #[must_use]
    pub fn unused(&self) -> Vec<&str> {
        self.slos.iter().filter(|line| line.events <= 0.0).map(|line| line.slo.as_str()).collect()
    }

    /// The report as text of this format.
    ///
    /// # Errors
    /// When JSON cannot be written, which does not happen with numbers that Prometheus sent.
    pub fn write(&self, format: Format) -> Result<String, serde_json::Error> {
        if format == Format::Json { json(self) } else { Ok(self.page().write(format)) }
    }

    fn page(&self) -> Page {
        const HEADS: [&str; 9] = [
            "SLO",
            "kept",
            "objective",
            "SLI",
            "bad of all",
            "budget spent",
            "budget left at the end",
            "paged for",
            "SLA",
        ];
        let mut notes = Vec::new();
        let least = self.slos.iter().map(|line| line.known).fold(1.0, f64::min);
        if least < 0.99 {
            notes.push(format!(
                "Only {} of this range has been recorded: the rest is unknown, neither good nor bad.",
                share(least)
            ));
        }
        Page {
            title: "SLO report",
            about: format!(
                "{} to {} ({}), {} clock",
                time(self.range.from),
                time(self.range.until),
                humane(self.range.length()),
                self.clock
            ),
            heads: HEADS.map(str::to_owned).to_vec(),
            rows: self.slos.iter().map(|line| (line.cells(), None)).collect(),
            notes,
        }
    }
}

impl PastLine {
    fn new(slo: &Slo, clock: Clock, range: Range, answers: &Answers) -> Self {
        let of = |values: &Values| values.get(&slo.name).copied().filter(|value| value.is_finite());
        let seconds = range.length();
        let events = of(&answers.events).map(|events| events.max(0.0));
        let bad = of(&answers.bad).unwrap_or_default().clamp(0.0, events.unwrap_or_default());
        let known = of(&answers.known).unwrap_or_default().clamp(0.0, seconds);
        // Without traffic no user was failed.
        let error = events.map(|events| if events > 0.0 { bad / events } else { 0.0 });
        let sli = error.map(|error| 1.0 - error);
        Self {
            slo: slo.name.clone(),
            service: slo.service.clone(),
            owner: slo.owner.clone(),
            objective: slo.objective,
            known: known / seconds,
            events: events.unwrap_or_default(),
            bad,
            sli,
            budget_spent: error.map(|error| error * known / (slo.budget() * clock.period(slo).secs())),
            budget_remaining: of(&answers.left),
            paged_seconds: of(&answers.paged).unwrap_or_default(),
            sla: slo.sla.as_ref().map(|sla| sla.state(sli)),
        }
    }

    /// Whether the objective was kept over the range; `None` if nothing is known.
    #[must_use]
    pub fn kept(&self) -> Option<bool> {
        self.sli.map(|sli| sli >= self.objective)
    }

    fn cells(&self) -> Vec<Cell> {
        let kept = match self.kept() {
            Some(true) => Cell::of("healthy", "kept".to_owned()),
            Some(false) => Cell::of("violated", "missed".to_owned()),
            None => Cell::of("no-data", "no data".to_owned()),
        };
        vec![
            self.slo.clone().into(),
            kept,
            percent(self.objective).into(),
            known(self.sli, share).into(),
            format!("{:.0} of {:.0}", self.bad, self.events).into(),
            known(self.budget_spent, share).into(),
            known(self.budget_remaining, share).into(),
            humane(self.paged_seconds).into(),
            agreement(self.sla.as_ref()),
        ]
    }
}
