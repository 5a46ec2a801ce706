//! What the pager exports. Every series exists from the start.

use chrono::TimeDelta;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    core::Collector, process_collector::ProcessCollector,
};

use crate::page::Status;

/// The webhook of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Alertmanager's own.
    Webhook,
    /// Slack's.
    Slack,
}

impl Format {
    const ALL: [Self; 2] = [Self::Webhook, Self::Slack];

    /// The label `format`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
        }
    }
}

/// Values of the label `severity`: a closed set, whatever an alert says.
const SEVERITIES: [&str; 3] = ["page", "ticket", "other"];

/// Upper bounds in seconds, from a page at once to a ticket that waited for its group.
const DELAYS: &[f64] = &[0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0];

/// The metrics and the registry that renders them.
pub struct PagerMetrics {
    registry: Registry,
    notifications: IntCounterVec,
    refused: IntCounterVec,
    pages: IntCounterVec,
    repeats: IntCounter,
    held: IntGauge,
    delay: HistogramVec,
}

impl PagerMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// When a name is registered twice, which is a mistake in this file.
    pub fn new() -> prometheus::Result<Self> {
        let metrics = Self {
            registry: Registry::new(),
            notifications: IntCounterVec::new(
                Opts::new("pager_notifications_total", "Notifications taken, by the webhook they came by."),
                &["format"],
            )?,
            refused: IntCounterVec::new(
                Opts::new(
                    "pager_refused_total",
                    "Notifications that could not be read, by the webhook they came by.",
                ),
                &["format"],
            )?,
            pages: IntCounterVec::new(
                Opts::new("pager_pages_total", "Alerts taken for the first time, by severity and status."),
                &["severity", "status"],
            )?,
            repeats: IntCounter::new(
                "pager_repeats_total",
                "Alerts that were sent again with the status that they had.",
            )?,
            held: IntGauge::new("pager_pages", "Pages held.")?,
            delay: HistogramVec::new(
                HistogramOpts::new(
                    "pager_page_delay_seconds",
                    "From the start of an alert, by Prometheus, to its first notification.",
                )
                .buckets(DELAYS.to_vec()),
                &["severity"],
            )?,
        };
        metrics.register()?;
        Ok(metrics)
    }

    fn register(&self) -> prometheus::Result<()> {
        for format in Format::ALL {
            self.notifications.with_label_values(&[format.as_str()]);
            self.refused.with_label_values(&[format.as_str()]);
        }
        for severity in SEVERITIES {
            self.delay.with_label_values(&[severity]);
            for status in Status::ALL {
                self.pages.with_label_values(&[severity, status.as_str()]);
            }
        }
        let all: [Box<dyn Collector>; 7] = [
            Box::new(self.notifications.clone()),
            Box::new(self.refused.clone()),
            Box::new(self.pages.clone()),
            Box::new(self.repeats.clone()),
            Box::new(self.held.clone()),
            Box::new(self.delay.clone()),
            Box::new(ProcessCollector::for_self()),
        ];
        all.into_iter().try_for_each(|collector| self.registry.register(collector))
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
            let histogram: Histogram = self.delay.with_label_values(&[severity]);
            histogram.observe(delay.as_secs_f64());
        }
    }

    /// Prometheus text format 0.0.4.
    ///
    /// # Errors
    /// When a metric cannot be encoded.
    pub fn render(&self, held: usize) -> prometheus::Result<String> {
        self.held.set(i64::try_from(held).unwrap_or(i64::MAX));
        prometheus::TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
