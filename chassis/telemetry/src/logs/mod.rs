//! Log lines on stdout: JSON for machines, a short form for terminals.
//!
//! A line is a constant message plus fields, with `trace_id` and `span_id` inside a span that has them, so that a line
//! links to its trace. Span attributes are not repeated on lines: they are in the trace.

mod json;
mod out;
mod pretty;

use std::sync::OnceLock;

use opentelemetry::trace::TraceContextExt as _;
use prometheus::IntCounter;
use tracing::{Event, Level, Subscriber, dispatcher::WeakDispatch};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{Chassis, catalogue::LOG_DROP, traces};
use chassis_faults::FaultPoint;

pub use out::Out;

/// Writes the lines of one process.
pub(super) struct Lines {
    service: &'static str,
    json: bool,
    written: [IntCounter; 5],
    lost: Option<FaultPoint>,
    dispatch: OnceLock<WeakDispatch>,
    out: Out,
}

impl Lines {
    /// Lines of `chassis`'s service on `out`.
    pub(super) fn new(chassis: &Chassis, out: Out) -> Self {
        let lines = chassis.metrics.counter_vec("log_lines_total", "Log lines, by level.", &["level"]);
        Self {
            service: chassis.service.name,
            json: chassis.telemetry.log.format == "json",
            written: ["error", "warn", "info", "debug", "trace"]
                .map(|level| lines.with_label_values(&[level])),
            lost: chassis.faults.find(&LOG_DROP),
            dispatch: OnceLock::new(),
            out,
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_register_dispatch(&self, dispatch: &tracing::Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.written[index(*event.metadata().level())].inc();
        if self.lost.as_ref().is_some_and(|point| point.strike().is_some()) {
            return;
        }
        let ids = context.event_span(event).and_then(|span| {
            let dispatch = self.dispatch.get()?.upgrade()?;
            let otel = tracing_opentelemetry::get_otel_context(&span.id(), &dispatch)?;
            let ids = otel.span().span_context().clone();
            ids.is_valid().then(|| (ids.trace_id(), ids.span_id()))
        });
        // Work that is not sampled has ids without a span, and so has a line that is no event of its span.
        let ids = ids.or_else(traces::current_ids);
        let line = if self.json { json::line(self.service, event, ids) } else { pretty::line(event, ids) };
        self.out.write(&line);
    }
}

const fn index(level: Level) -> usize {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}
