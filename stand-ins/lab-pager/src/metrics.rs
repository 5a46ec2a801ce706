//! What the pager exports. Every series exists from the start.

use std::sync::Arc;

use chassis_telemetry::metrics::{HistogramVec, Metrics};
use chrono::TimeDelta;
use prometheus::{IntCounter, IntCounterVec};

use crate::{page::Status, store::Store};

/// The webhook of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Format {
    /// Alertmanager's own.
    Webhook,
    /// Slack's.
    Slack,
}

impl Format {
    const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The label `format`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Values of the label `severity`: a closed set, whatever an alert says.
const SEVERITIES: [&str; 3] = ["page", "ticket", "other"];

/// Upper bounds in seconds, from a page at once to a ticket that waited for its group.
const DELAYS: &[f64] = &[0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];

/// Handles of all that the pager counts. Cheap to clone.
#[derive(Clone)]
pub struct PagerMetrics {
    notifications: IntCounterVec,
    refused: IntCounterVec,
    pages: IntCounterVec,
    repeats: IntCounter,
    delay: HistogramVec,
}

impl PagerMetrics {
    /// Registers everything, each series at 0; `store` tells at each scrape how many pages it holds.
    #[must_use]
    pub fn register(metrics: &Metrics, store: Arc<Store>) -> Self {
        let this = Self {
            notifications: metrics.counter_vec(
                "pager_notifications_total",
                "Notifications taken, by the webhook they came by.",
                &["format"],
            ),
            refused: metrics.counter_vec(
                "pager_refused_total",
                "Notifications that could not be read, by the webhook they came by.",
                &["format"],
            ),
            pages: metrics.counter_vec(
                "pager_pages_total",
                "Alerts taken for the first time, by severity and status.",
                &["severity", "status"],
            ),
            repeats: metrics
                .counter("pager_repeats_total", "Alerts that were sent again with the status that they had."),
            delay: metrics.histogram_vec(
                "pager_page_delay_seconds",
                "From the start of an alert, by Prometheus, to its first notification.",
                &["severity"],
                DELAYS,
            ),
        };
        let held = metrics.gauge("pager_pages", "Pages held.");
        metrics.on_scrape(move || held.set(i64::try_from(store.len()).unwrap_or(i64::MAX)));
        this.touch();
        this
    }

    fn touch(&self) {
        for format in Format::ALL {
            self.notifications.with_label_values(&[format.as_str()]);
            self.refused.with_label_values(&[format.as_str()]);
        }
        for severity in SEVERITIES {
            let _ = self.delay.with(&[severity]);
            for status in Status::ALL {
                self.pages.with_label_values(&[severity, status.as_str()]);
            }
        }
    }

    /// Counts a notification that was read.
    pub(crate) fn received(&self, format: Format) {
        self.notifications.with_label_values(&[format.as_str()]).inc();
    }

    /// Counts a notification that could not be read.
    pub(crate) fn refused(&self, format: Format) {
        self.refused.with_label_values(&[format.as_str()]).inc();
    }

    /// Counts an alert that was stored already.
    pub(crate) fn repeated(&self) {
        self.repeats.inc();
    }

    /// Counts a new page; `delay` is the time since its alert began, if it fires.
    pub(crate) fn page(&self, status: Option<Status>, severity: Option<&str>, delay: Option<TimeDelta>) {
        let severity = SEVERITIES.into_iter().find(|known| severity == Some(known)).unwrap_or("other");
        if let Some(status) = status {
            self.pages.with_label_values(&[severity, status.as_str()]).inc();
        }
        let delay = delay.filter(|_| status == Some(Status::Firing)).and_then(|delay| delay.to_std().ok());
        if let Some(delay) = delay {
            self.delay.with(&[severity]).observe(delay.as_secs_f64());
        }
    }
}
