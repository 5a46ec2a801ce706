//! Histograms that remember, per bucket, the last sampled trace that fell into it.
//!
//! Observing costs the `prometheus` histogram plus, inside a sampled span, one uncontended lock of the bucket; a lock
//! held by another thread is skipped: one exemplar more or less does not matter.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use opentelemetry::{Context, TraceId, trace::TraceContextExt};
use prometheus::{
    HistogramOpts,
    core::{Collector, Desc},
    proto::{LabelPair, MetricFamily},
};

/// A family of histograms with exemplars.
#[derive(Clone)]
pub struct HistogramVec {
    family: prometheus::HistogramVec,
    bounds: Arc<[f64]>,
    /// Positions of the labels in the order in which an exposition lists them: by name.
    sorted: Arc<[usize]>,
    children: Arc<RwLock<HashMap<Vec<String>, Histogram>>>,
}

/// One histogram.
#[derive(Clone)]
pub struct Histogram {
    values: prometheus::Histogram,
    bounds: Arc<[f64]>,
    exemplars: Arc<[Mutex<Option<Exemplar>>]>,
}

/// A value that was observed inside a sampled trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Exemplar {
    pub(super) trace: TraceId,
    pub(super) value: f64,
    /// Unix time in seconds.
    pub(super) at: f64,
}

impl HistogramVec {
    pub(super) fn new(opts: HistogramOpts, labels: &[&str]) -> prometheus::Result<Self> {
        let bounds = opts.buckets.clone().into();
        let mut sorted: Vec<usize> = (0..labels.len()).collect();
        sorted.sort_by_key(|&position| labels[position]);
        Ok(Self {
            family: prometheus::HistogramVec::new(opts, labels)?,
            bounds,
            sorted: sorted.into(),
            children: Arc::default(),
        })
    }

    /// The histogram of one label combination. Keep the handle if the combination is known in advance: this is a lookup.
    ///
    /// # Panics
    /// If there are more or fewer values than labels.
    #[must_use]
    pub fn with(&self, labels: &[&str]) -> Histogram {
        let key: Vec<String> = self.sorted.iter().map(|&position| labels[position].to_owned()).collect();
        if let Some(known) = self.children.read().ok().and_then(|children| children.get(&key).cloned()) {
            return known;
        }
        let made = Histogram {
            values: self.family.with_label_values(labels),
            bounds: Arc::clone(&self.bounds),
            exemplars: (0..=self.bounds.len()).map(|_| Mutex::new(None)).collect(),
        };
        match self.children.write() {
            Ok(mut children) => children.entry(key).or_insert(made).clone(),
            Err(_) => made,
        }
    }

    /// The exemplars of the series with these labels, one per bucket, the last for `+Inf`.
    pub(super) fn exemplars(&self, labels: &[LabelPair]) -> Vec<Option<Exemplar>> {
        let key: Vec<String> = labels.iter().map(|pair| pair.value().to_owned()).collect();
        let child = self.children.read().ok().and_then(|children| children.get(&key).cloned());
        child.map_or_else(Vec::new, |child| {
            child.exemplars.iter().map(|slot| slot.lock().ok().and_then(|slot| *slot)).collect()
        })
    }
}

impl Collector for HistogramVec {
    fn desc(&self) -> Vec<&Desc> {
        self.family.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.family.collect()
    }
}

impl Histogram {
    /// Records a value; inside a sampled span, its trace becomes the bucket's exemplar.
    pub fn observe(&self, value: f64) {
        let trace = Context::map_current(|context| {
            let span = context.span();
            let span = span.span_context();
            (span.is_valid() && span.is_sampled()).then(|| span.trace_id())
        });
        self.observe_in(value, trace);
    }

    /// Records a value with the sampled trace that it belongs to, if any: for callers outside the span.
    pub fn observe_in(&self, value: f64, trace: Option<TraceId>) {
        self.values.observe(value);
        let Some(trace) = trace else { return };
        let bucket = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        if let Ok(mut slot) = self.exemplars[bucket].try_lock() {
            let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            *slot = Some(Exemplar { trace, value, at });
        }
    }

    /// How many values were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.values.get_sample_count()
    }
}
