//! What the control room exports. Every series exists from the start, at 0; only who is on call depends on the schedule.
//! Nothing here tells what is sealed: times count from what everybody could see.

mod medians;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chassis_telemetry::metrics::{Histogram, HistogramVec, Metrics};
use chrono::TimeDelta;
use incident::{
    Measures, Severity, State,
    measures::{Overview, Start},
};
use parking_lot::Mutex;
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec};

use crate::{releases::metrics::ReleaseMetrics, runbooks::metrics::RunbookMetrics};
use medians::Medians;

/// Upper bounds in seconds: from an acknowledgement at once to an outage of a day.
const TIMES: &[f64] =
    &[5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0, 86_400.0];
/// Upper bounds in seconds, from a page at once to a ticket that waited for its group.
const DELAYS: &[f64] = &[0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];
/// Shares of an error budget.
const BUDGETS: &[f64] = &[0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0];

/// Values of labels that come from outside: closed sets, whatever others send.
const PAGES: [&str; 3] = ["page", "ticket", "other"];
const STATUSES: [&str; 2] = ["firing", "resolved"];
const CHANNELS: [&str; 7] = ["slack", "pagerduty", "webhook", "service", "desktop", "bell", "other"];
const OUTCOMES: [&str; 3] = ["sent", "failed", "unknown"];
const SOURCES: [&str; 5] = ["alertmanager", "pagerduty", "change", "slack", "other"];
const TAKEN: [&str; 3] = ["taken", "refused", "failed"];
const VERDICTS: [&str; 5] = ["passed", "failed", "invalid", "timed-out", "aborted"];

/// Handles of everything that is counted. Cheap to clone.
#[derive(Clone)]
pub struct RoomMetrics {
    incidents: IntGaugeVec,
    detect: Histogram,
    acknowledge: Histogram,
    mitigate: Histogram,
    recover: Histogram,
    budget: Histogram,
    medians: Medians,
    notifications: IntCounterVec,
    failing: IntGauge,
    pages: IntCounterVec,
    delay: HistogramVec,
    webhooks: IntCounterVec,
    on_call: IntGaugeVec,
    action_items: IntGauge,
    watchdog_silent: IntGauge,
    drills: IntCounterVec,
    /// Runs of runbooks, and automation.
    pub runbooks: RunbookMetrics,
    /// Releases, and the figures of delivery.
    pub releases: ReleaseMetrics,
    last: Arc<Mutex<Last>>,
}

/// What was exported last.
#[derive(Default)]
struct Last {
    on_call: BTreeSet<(String, String)>,
    notified: BTreeMap<(&'static str, &'static str), u64>,
}

impl RoomMetrics {
    /// Registers everything, each series at 0.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let time = |what: &str, help: &str| {
            metrics.histogram(&format!("control_room_incident_{what}_seconds"), help, TIMES)
        };
        let this = Self {
            incidents: metrics.gauge_vec(
                "control_room_incidents",
                "Incidents by state and severity: all that are open, and the newest that ended.",
                &["state", "severity"],
            ),
            detect: time("detect", "From the first symptom of an incident to the first page."),
            acknowledge: time("acknowledge", "From the first page of an incident until a person took over."),
            mitigate: time("mitigate", "From the first symptom of an incident until users were no longer affected."),
            recover: time("recover", "From the first symptom of an incident until its indicator was good again."),
            budget: metrics.histogram(
                "control_room_incident_budget_burned_ratio",
                "Largest share of an error budget that an incident spent.",
                BUDGETS,
            ),
            medians: Medians::register(metrics),
            notifications: metrics.counter_vec(
                "control_room_notifications_total",
                "Notifications that came to an end, by channel and outcome; unknown is one that a crash interrupted.",
                &["channel", "outcome"],
            ),
            failing: metrics.gauge("control_room_notifications_failing", "Notifications that failed and are tried again."),
            pages: metrics.counter_vec(
                "control_room_pages_total",
                "Alerts taken for the first time, by severity and status.",
                &["severity", "status"],
            ),
            delay: metrics.histogram_vec(
                "control_room_page_delay_seconds",
                "From the start of an alert, by Prometheus, until it was taken.",
                &["severity"],
                DELAYS,
            ),
            webhooks: of_webhooks(metrics),
            on_call: metrics.gauge_vec(
                "control_room_on_call",
                "Always 1; the labels say who is on call by which schedule.",
                &["schedule", "person"],
            ),
            action_items: metrics.gauge(
                "control_room_postmortem_action_items_open",
                "Action items of postmortems that are not done.",
            ),
            watchdog_silent: metrics.gauge(
                "control_room_watchdog_silent",
                "1 while the heartbeat of monitoring has stopped.",
            ),
            drills: of_drills(metrics),
            runbooks: RunbookMetrics::register(metrics),
            releases: ReleaseMetrics::register(metrics),
            last: Arc::default(),
        };
        this.touch();
        this
    }

    fn touch(&self) {
        self.incidents(&BTreeMap::new());
        for severity in PAGES {
            let _ = self.delay.with(&[severity]);
            for status in STATUSES {
                self.pages.with_label_values(&[severity, status]);
            }
        }
        for channel in CHANNELS {
            for outcome in OUTCOMES {
                self.notifications.with_label_values(&[channel, outcome]);
            }
        }
        for verdict in VERDICTS {
            self.drills.with_label_values(&[verdict]);
        }
        for source in SOURCES {
            for outcome in TAKEN {
                self.webhooks.with_label_values(&[source, outcome]);
            }
        }
    }

    /// Counts a request of another system: `alertmanager`, `pagerduty`, `change` or `slack`, and `taken`, `refused` or
    /// `failed`.
    pub fn webhook(&self, source: &str, outcome: &str) {
        self.webhooks.with_label_values(&[one_of(&SOURCES, source), one_of(&TAKEN, outcome)]).inc();
    }

    /// Counts a run of a drill that has ended.
    pub(crate) fn drill(&self, verdict: &str) {
        self.drills.with_label_values(&[one_of(&VERDICTS, verdict)]).inc();
    }

    /// Counts an alert that was taken for the first time; `delay` is the time since it began.
    pub(crate) fn page(&self, severity: Option<&str>, status: Option<&str>, delay: Option<TimeDelta>) {
        let severity = one_of(&PAGES, severity.unwrap_or_default());
        let Some(status) = STATUSES.into_iter().find(|known| status == Some(known)) else { return };
        self.pages.with_label_values(&[severity, status]).inc();
        let delay = delay.filter(|_| status == "firing").and_then(|delay| delay.to_std().ok());
        if let Some(delay) = delay {
            self.delay.with(&[severity]).observe(delay.as_secs_f64());
        }
    }

    /// Counts the times of an incident that has resolved.
    pub(crate) fn resolved(&self, measures: &Measures) {
        let times = [
            (&self.detect, measures.detect),
            (&self.acknowledge, measures.acknowledge),
            (&self.mitigate, measures.mitigate),
            (&self.recover, measures.recover),
            (&self.budget, measures.budget),
        ];
        for (histogram, value) in times {
            value.into_iter().for_each(|value| histogram.observe(value));
        }
    }

    /// What the incidents that ended say, by what their clock started at.
    pub(crate) fn medians(&self, overviews: &BTreeMap<Start, Overview>) {
        self.medians.set(overviews);
    }

    /// Incidents by state and severity; what is missing is 0.
    pub(crate) fn incidents(&self, counts: &BTreeMap<(State, Severity), i64>) {
        for state in State::ALL {
            for severity in Severity::ALL {
                let count = counts.get(&(state, severity)).copied().unwrap_or_default();
                self.incidents.with_label_values(&[state.to_string(), severity.to_string()]).set(count);
            }
        }
    }

    /// Who is on call: schedule and person. A change removes only what is over, so that no scrape finds nobody.
    pub(crate) fn on_call(&self, people: BTreeSet<(String, String)>) {
        let mut last = self.last.lock();
        for (schedule, person) in &people {
            self.on_call.with_label_values(&[schedule, person]).set(1);
        }
        for (schedule, person) in last.on_call.difference(&people) {
            // Fails only for a series that is not there.
            let _ = self.on_call.remove_label_values(&[schedule, person]);
        }
        last.on_call = people;
    }

    /// Notifications that came to an end, by channel and outcome: all there are.
    pub(crate) fn notified(&self, all: &[(String, String, i64)]) {
        let mut sums: BTreeMap<(&'static str, &'static str), u64> = BTreeMap::new();
        for (channel, outcome, count) in all {
            let key = (one_of(&CHANNELS, channel), one_of(&OUTCOMES, outcome));
            *sums.entry(key).or_default() += u64::try_from(*count).unwrap_or_default();
        }
        let mut last = self.last.lock();
        for ((channel, outcome), sum) in sums {
            let before = last.notified.insert((channel, outcome), sum).unwrap_or_default();
            // Old rows may have been removed: a counter never falls.
            self.notifications.with_label_values(&[channel, outcome]).inc_by(sum.saturating_sub(before));
        }
    }

    /// Notifications that failed and are tried again.
    pub(crate) fn failing(&self, count: i64) {
        self.failing.set(count);
    }

    /// Action items that are not done.
    pub(crate) fn action_items(&self, count: usize) {
        self.action_items.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Whether the heartbeat of monitoring has stopped.
    pub(crate) fn watchdog_silent(&self, silent: bool) {
        self.watchdog_silent.set(i64::from(silent));
    }
}

/// Nothing tells which drills they are.
fn of_drills(metrics: &Metrics) -> IntCounterVec {
    let help = "Runs of drills that have ended, by verdict.";
    metrics.counter_vec("control_room_drill_runs_total", help, &["verdict"])
}

/// Closed sets, whatever others send.
fn of_webhooks(metrics: &Metrics) -> IntCounterVec {
    let help = "Requests of other systems, by what sent them and what became of them.";
    metrics.counter_vec("control_room_webhooks_total", help, &["source", "outcome"])
}

/// The value, if it is known; the last known one otherwise.
fn one_of<const N: usize>(known: &[&'static str; N], value: &str) -> &'static str {
    known.iter().find(|known| **known == value).or(known.last()).copied().unwrap_or_default()
}
