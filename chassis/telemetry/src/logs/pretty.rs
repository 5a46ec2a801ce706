//! A line for terminals: time, level, message, fields.

use std::{
    fmt::{self, Write as _},
    io::Write as _,
};

use chrono::Utc;
use opentelemetry::{SpanId, TraceId};
use tracing::{
    Event,
    field::{Field, Visit},
};

/// The line of an event, with its line break.
pub(super) fn line(event: &Event<'_>, ids: Option<(TraceId, SpanId)>) -> Vec<u8> {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let Fields { message, rest } = fields;
    let mut line = Vec::new();
    // Writing to memory cannot fail.
    let now = Utc::now().format("%H:%M:%S%.3f");
    let _ = write!(line, "{now} {:>5} {message}{rest}", event.metadata().level());
    if let Some((trace, _)) = ids {
        let _ = write!(line, " trace_id={trace}");
    }
    line.push(b'\n');
    line
}

/// The message and the other fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.rest, " {name}={value:?}"),
        };
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.record_debug(field, &value);
        }
    }
}
