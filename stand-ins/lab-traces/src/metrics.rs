//! What the store exports. Every series exists from the start.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, process_collector::ProcessCollector};

use crate::store::{Class, Received, Store};

/// A transport of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/HTTP.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

impl Protocol {
    const ALL: [Self; 2] = [Self::Http, Self::Grpc];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

const REFUSALS: [&str; 4] = ["busy", "malformed", "media_type", "too_large"];
const REJECTIONS: [&str; 2] = ["invalid_id", "trace_too_large"];

/// The metrics and the registry that renders them.
pub struct TraceMetrics {
    registry: Registry,
    store: Arc<Store>,
    received: IntCounterVec,
    rejected: IntCounterVec,
    refused: IntCounterVec,
    evicted: IntCounterVec,
    traces: IntGaugeVec,
    spans: IntGauge,
    bytes: IntGauge,
    /// Two scrapes at once must not count the same evictions twice.
    scrape: Mutex<()>,
}

impl TraceMetrics {
    /// Registers the metrics of `store`.
    ///
    /// # Errors
    /// When a name is registered twice, which is a mistake in this file.
    pub fn new(store: Arc<Store>) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let vec = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok::<_, prometheus::Error>(vec)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let traces = IntGaugeVec::new(Opts::new("trace_store_traces", "Traces held, by class."), &["class"])?;
        registry.register(Box::new(traces.clone()))?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        gauge("trace_store_limit_bytes", "Bytes that the store may hold.")?
            .set(i64::try_from(store.limit()).unwrap_or(i64::MAX));
        let metrics = Self {
            received: counter(
                "trace_store_spans_received_total",
                "Spans taken in, by protocol.",
                &["protocol"],
            )?,
            rejected: counter(
                "trace_store_spans_rejected_total",
                "Spans of readable requests that were not taken, by reason.",
                &["reason"],
            )?,
            refused: counter(
                "trace_store_requests_refused_total",
                "Export requests that were not read, by protocol and reason.",
                &["protocol", "reason"],
            )?,
            evicted: counter(
                "trace_store_traces_evicted_total",
                "Traces given up for newer ones, by class.",
                &["class"],
            )?,
            spans: gauge("trace_store_spans", "Spans held.")?,
            bytes: gauge("trace_store_bytes", "Bytes held.")?,
            scrape: Mutex::new(()),
            traces,
            store,
            registry,
        };
        metrics.touch();
        Ok(metrics)
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

    /// Prometheus text format 0.0.4.
    ///
    /// # Errors
    /// When a metric cannot be encoded.
    pub fn render(&self) -> prometheus::Result<String> {
        let _one_at_a_time = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        let usage = self.store.usage();
        for class in Class::ALL {
            let n = class as usize;
            self.traces.with_label_values(&[class.as_str()]).set(gauge_value(usage.traces[n]));
            let evicted = self.evicted.with_label_values(&[class.as_str()]);
            evicted.inc_by(usage.evicted[n].saturating_sub(evicted.get()));
        }
        self.spans.set(gauge_value(usage.spans));
        self.bytes.set(gauge_value(usage.bytes));
        prometheus::TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn gauge_value(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
