//! Log lines on stdout: JSON for machines, a short form for terminals.
//!
//! A line is a constant message plus fields, with `trace_id` and `span_id` inside a span that has them, so that a line
//! links to its trace. Span attributes are not repeated on lines: they are in the trace.

use std::{
    fmt::{self, Write as _},
    io::Write,
    sync::OnceLock,
};

use chrono::{SecondsFormat, Utc};
use opentelemetry::trace::TraceContextExt as _;
use parking_lot::Mutex;
use prometheus::IntCounter;
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    dispatcher::WeakDispatch,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{Chassis, catalogue::LOG_DROP, traces};
use chassis_faults::FaultPoint;

/// Writes the lines of one process.
pub(super) struct Lines {
    service: &'static str,
    json: bool,
    written: [IntCounter; 5],
    lost: Option<FaultPoint>,
    dispatch: OnceLock<WeakDispatch>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Lines {
    /// Lines of `chassis`'s service on `out`.
    pub(super) fn new(chassis: &Chassis, out: Box<dyn Write + Send>) -> Self {
        let lines = chassis.metrics.counter_vec("log_lines_total", "Log lines, by level.", &["level"]);
        Self {
            service: chassis.service.name,
            json: chassis.telemetry.log.format == "json",
            written: ["error", "warn", "info", "debug", "trace"]
                .map(|level| lines.with_label_values(&[level])),
            lost: chassis.faults.find(&LOG_DROP),
            dispatch: OnceLock::new(),
            out: Mutex::new(out),
        }
    }

    fn render(&self, event: &Event<'_>, ids: Option<(String, String)>) -> String {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (meta, now) = (event.metadata(), Utc::now());
        if !self.json {
            let mut line = format!("{} {:>5} {}", now.format("%H:%M:%S%.3f"), meta.level(), fields.message);
            for (name, value) in &fields.rest {
                let _ = write!(line, " {name}={value}");
            }
            if let Some((trace, _)) = ids {
                let _ = write!(line, " trace_id={trace}");
            }
            line.push('\n');
            return line;
        }
        let mut object = Map::with_capacity(8 + fields.rest.len());
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("timestamp", now.to_rfc3339_opts(SecondsFormat::Micros, true).into());
        put("level", meta.level().as_str().into());
        put("service", self.service.into());
        put("target", meta.target().into());
        put("message", fields.message.into());
        if let Some((trace, span)) = ids {
            put("trace_id", trace.into());
            put("span_id", span.into());
        }
        for (name, value) in fields.rest {
            object.entry(name).or_insert(value);
        }
        let mut line = Value::Object(object).to_string();
        line.push('\n');
        line
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
            ids.is_valid().then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
        });
        // Work that is not sampled has ids without a span.
        let ids = ids.or_else(traces::current_ids);
        let line = self.render(event, ids);
        // A closed stdout must not take the service down.
        let _ = self.out.lock().write_all(line.as_bytes());
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

/// The message and the other fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    rest: Vec<(String, Value)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.rest.push((field.name().to_owned(), value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            self.put(field, format!("{value:?}").into());
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.put(field, value.into());
        }
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}
