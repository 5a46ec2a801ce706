//! The metric registry of one process and its two expositions: Prometheus text 0.0.4 and OpenMetrics 1.0 with exemplars.
//!
//! The `prometheus` crate keeps the values; it has no exemplars, so histograms made here also remember the last sampled
//! trace of each bucket. Asking for a name again gives the same family (two clients share one); asking with
//! another type or other labels is a mistake in the code and panics at start.

mod histogram;
mod openmetrics;
#[cfg(target_os = "linux")]
mod process;
mod table;

use std::{any::Any, collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use prometheus::{
    Encoder as _, HistogramOpts, Opts, TextEncoder,
    core::{Collector, Desc},
    proto::MetricFamily,
};

pub use histogram::{Histogram, HistogramVec};
pub use prometheus::{
    Counter, CounterVec, Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
};
pub use table::Metric;

/// Latency buckets in seconds. 0.25 and 0.5 are bounds because objectives and the tutorial rules use them.
pub const LATENCY_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The registry of one process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    registry: prometheus::Registry,
    /// Every family by name, so that requesting it again returns the same one.
    families: Mutex<BTreeMap<String, Family>>,
    /// Run before each gather.
    refreshers: Mutex<Vec<Arc<dyn Fn() + Send + Sync>>>,
}

struct Family {
    labels: Vec<String>,
    handle: Box<dyn Any + Send + Sync>,
}

impl Metrics {
    /// An empty registry, with the process metrics (`process_*`) if the platform has them.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self::default();
        #[cfg(target_os = "linux")]
        process::declare(&metrics);
        metrics
    }

    /// A counter; `name` ends in `_total`.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.family(name, &[], || IntCounter::with_opts(Opts::new(name, help)))
    }

    /// A counter with labels.
    #[must_use]
    pub fn counter_vec(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.family(name, labels, || IntCounterVec::new(Opts::new(name, help), labels))
    }

    /// A whole-number gauge.
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.family(name, &[], || IntGauge::with_opts(Opts::new(name, help)))
    }

    /// A whole-number gauge with labels.
    #[must_use]
    pub fn gauge_vec(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.family(name, labels, || IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// A fractional gauge.
    #[must_use]
    pub fn float_gauge(&self, name: &str, help: &str) -> Gauge {
        self.family(name, &[], || Gauge::with_opts(Opts::new(name, help)))
    }

    /// A fractional gauge with labels.
    #[must_use]
    pub fn float_gauge_vec(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.family(name, labels, || GaugeVec::new(Opts::new(name, help), labels))
    }

    /// A fractional counter (money, seconds).
    #[must_use]
    pub fn float_counter(&self, name: &str, help: &str) -> Counter {
        self.family(name, &[], || Counter::with_opts(Opts::new(name, help)))
    }

    /// A fractional counter with labels.
    #[must_use]
    pub fn float_counter_vec(&self, name: &str, help: &str, labels: &[&str]) -> CounterVec {
        self.family(name, labels, || CounterVec::new(Opts::new(name, help), labels))
    }

    /// A histogram that keeps an exemplar per bucket.
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        self.histogram_vec(name, help, &[], buckets).with(&[])
    }

    /// A histogram with labels that keeps an exemplar per bucket.
    #[must_use]
    pub fn histogram_vec(&self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
        self.family(name, labels, || {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)
        })
    }

    /// Runs `refresh` before each scrape, for gauges that are computed on each scrape.
    pub fn on_scrape(&self, refresh: impl Fn() + Send + Sync + 'static) {
        lock(&self.inner.refreshers).push(Arc::new(refresh));
    }

    /// Renders for the given `Accept` header: the content type and the body.
    #[must_use]
    pub fn render(&self, accept: Option<&str>) -> (&'static str, Vec<u8>) {
        let families = self.gather();
        if accept.is_some_and(openmetrics::accepted) {
            let exemplars = |family: &str| {
                lock(&self.inner.families).get(family)?.handle.downcast_ref::<HistogramVec>().cloned()
            };
            return (openmetrics::CONTENT_TYPE, openmetrics::encode(&families, exemplars).into_bytes());
        }
        let mut body = Vec::with_capacity(64 * 1024);
        // Writing into memory fails only for a family without samples, which `gather` leaves out.
        if let Err(error) = TextEncoder::new().encode(&families, &mut body) {
            tracing::error!(%error, "metrics cannot be encoded");
        }
        ("text/plain; version=0.0.4; charset=utf-8", body)
    }

    fn gather(&self) -> Vec<MetricFamily> {
        let refreshers = lock(&self.inner.refreshers).clone();
        for refresh in refreshers {
            refresh();
        }
        self.inner.registry.gather()
    }

    fn family<T>(&self, name: &str, labels: &[&str], make: impl FnOnce() -> prometheus::Result<T>) -> T
    where
        T: Collector + Clone + 'static,
    {
        let mut families = lock(&self.inner.families);
        if let Some(known) = families.get(name) {
            return match known.handle.downcast_ref::<T>() {
                Some(handle) if known.labels == labels => handle.clone(),
                _ => panic!("metric `{name}` is declared twice, with different types or labels"),
            };
        }
        let handle = make().unwrap_or_else(|error| panic!("metric `{name}`: {error}"));
        self.register(Box::new(handle.clone()));
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        families.insert(name.to_owned(), Family { labels, handle: Box::new(handle.clone()) });
        handle
    }

    fn register(&self, collector: Box<dyn Collector>) {
        let names: Vec<String> = collector.desc().iter().map(|desc: &&Desc| desc.fq_name.clone()).collect();
        if let Err(error) = self.inner.registry.register(collector) {
            panic!("metrics {names:?}: {error}");
        }
    }
}

/// Locks even if another holder panicked: the maps here are never left half-written.
fn lock<T>(mutex: &Mutex<T>) -> parking_lot::MutexGuard<'_, T> {
    mutex.lock()
}
