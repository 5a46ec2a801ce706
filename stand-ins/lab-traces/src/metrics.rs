//! What the store exports. Every series exists from the start.

use std::sync::Arc;

use chassis_telemetry::metrics::Metrics;
use parking_lot::Mutex;
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec};

use crate::store::{Class, Received, Store, Usage};

/// A transport of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Protocol {
    /// OTLP/HTTP.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

impl Protocol {
    const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    fn as_str(self) -> &'static str {
        self.into()
    }
}

const REFUSALS: [&str; 4] = ["busy", "malformed", "media_type", "too_large"];
const REJECTIONS: [&str; 2] = ["invalid_id", "trace_too_large"];

/// Handles of what the receivers count. Cheap to clone.
#[derive(Clone)]
pub struct TraceMetrics {
    received: IntCounterVec,
    rejected: IntCounterVec,
    refused: IntCounterVec,
}

impl TraceMetrics {
    /// Registers everything, each series at 0; what `store` holds is read at each scrape.
    #[must_use]
    pub fn register(metrics: &Metrics, store: Arc<Store>) -> Self {
        let this = Self {
            received: metrics.counter_vec(
                "trace_store_spans_received_total",
                "Spans taken in, by protocol.",
                &["protocol"],
            ),
            rejected: metrics.counter_vec(
                "trace_store_spans_rejected_total",
                "Spans of readable requests that were not taken, by reason.",
                &["reason"],
            ),
            refused: metrics.counter_vec(
                "trace_store_requests_refused_total",
                "Export requests that were not read, by protocol and reason.",
                &["protocol", "reason"],
            ),
        };
        this.touch();
        Held::register(metrics, store);
        this
    }

    /// Creates every label combination.
    fn touch(&self) {
        for protocol in Protocol::ALL {
            self.received.with_label_values(&[protocol.as_str()]);
            for reason in REFUSALS {
                self.refused.with_label_values(&[protocol.as_str(), reason]);
            }
        }
        for reason in REJECTIONS {
            self.rejected.with_label_values(&[reason]);
        }
    }

    /// Counts a batch.
    pub fn received(&self, protocol: Protocol, batch: &Received) {
        self.received.with_label_values(&[protocol.as_str()]).inc_by(batch.accepted);
        self.rejected.with_label_values(&[REJECTIONS[0]]).inc_by(batch.invalid);
        self.rejected.with_label_values(&[REJECTIONS[1]]).inc_by(batch.oversized);
    }

    /// Counts a request that could not be read.
    pub fn refused(&self, protocol: Protocol, reason: &'static str) {
        self.refused.with_label_values(&[protocol.as_str(), reason]).inc();
    }
}

/// What the store holds and has given up.
struct Held {
    evicted: IntCounterVec,
    traces: IntGaugeVec,
    spans: IntGauge,
    bytes: IntGauge,
}

impl Held {
    fn register(metrics: &Metrics, store: Arc<Store>) {
        metrics
            .gauge("trace_store_limit_bytes", "Bytes that the store may hold.")
            .set(gauge_value(store.limit()));
        // Two scrapes at once must not count the same evictions twice.
        let held = Mutex::new(Self {
            evicted: metrics.counter_vec(
                "trace_store_traces_evicted_total",
                "Traces given up for newer ones, by class.",
                &["class"],
            ),
            traces: metrics.gauge_vec("trace_store_traces", "Traces held, by class.", &["class"]),
            spans: metrics.gauge("trace_store_spans", "Spans held."),
            bytes: metrics.gauge("trace_store_bytes", "Bytes held."),
        });
        metrics.on_scrape(move || {
            held.lock().refresh(&store.usage());
        });
    }

    fn refresh(&self, usage: &Usage) {
        for class in Class::ALL {
            let n = *class as usize;
            self.traces.with_label_values(&[class.as_str()]).set(gauge_value(usage.traces[n]));
            let evicted = self.evicted.with_label_values(&[class.as_str()]);
            evicted.inc_by(usage.evicted[n].saturating_sub(evicted.get()));
        }
        self.spans.set(gauge_value(usage.spans));
        self.bytes.set(gauge_value(usage.bytes));
    }
}

fn gauge_value(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
