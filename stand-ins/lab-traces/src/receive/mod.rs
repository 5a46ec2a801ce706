//! Receives OTLP over both of its transports. Invalid input is refused with the response that OTLP prescribes; an exporter
//! that is faster than the store is told to retry later.

pub mod grpc;
pub mod http;

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    metrics::{Protocol, TraceMetrics},
    store::Store,
};

/// Largest request, compressed or not, in bytes.
pub const MAX_REQUEST: usize = 4 << 20;
/// Requests that are read and decoded at once: together with [`MAX_REQUEST`] this limits the memory for requests.
const MAX_AT_ONCE: usize = 8;

/// The entrance to the store. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    store: Arc<Store>,
    metrics: TraceMetrics,
    room: Arc<Semaphore>,
}

impl Intake {
    /// Stores into `store`, counts in `metrics`.
    #[must_use]
    pub fn new(store: Arc<Store>, metrics: TraceMetrics) -> Self {
        Self { store, metrics, room: Arc::new(Semaphore::new(MAX_AT_ONCE)) }
    }

    /// A slot for a request in flight; `None` means: retry later.
    fn enter(&self, protocol: Protocol) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.room).try_acquire_owned().ok();
        if place.is_none() {
            self.metrics.refused(protocol, "busy");
        }
        place
    }

    fn accept(&self, request: ExportTraceServiceRequest, protocol: Protocol) -> ExportTraceServiceResponse {
        let received = self.store.insert(request.resource_spans);
        self.metrics.received(protocol, &received);
        let rejected = received.invalid + received.oversized;
        if rejected == 0 {
            return ExportTraceServiceResponse::default();
        }
        let error_message = format!(
            "{} spans without a valid trace id or span id, {} spans of a trace that is too large",
            received.invalid, received.oversized
        );
        let rejected_spans = i64::try_from(rejected).unwrap_or(i64::MAX);
        ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess { rejected_spans, error_message }),
        }
    }
}
