//! A line as JSON, written field by field into the buffer that is sent: nothing else is allocated for it, because under a flood of
//! failing requests lines are a good part of the work.

use std::{
    fmt::{self, Write as _},
    io::Write as _,
};

use chrono::{SecondsFormat, Utc};
use opentelemetry::{SpanId, TraceId};
use tracing::{
    Event,
    field::{Field, Visit},
};

/// Most lines are shorter, in bytes.
const USUAL: usize = 512;

/// The line of an event, with its line break.
pub(super) fn line(service: &str, event: &Event<'_>, ids: Option<(TraceId, SpanId)>) -> Vec<u8> {
    let (meta, now) = (event.metadata(), Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true));
    let mut line = Vec::with_capacity(USUAL);
    // Writing to memory cannot fail. Time, level and ids need no escapes.
    let _ = write!(line, r#"{{"timestamp":"{now}","level":"{}""#, meta.level());
    let mut fields = Fields { line: &mut line, traced: ids.is_some() };
    fields.text("service", service);
    fields.text("target", meta.target());
    event.record(&mut fields);
    if let Some((trace, span)) = ids {
        let _ = write!(line, r#","trace_id":"{trace}","span_id":"{span}""#);
    }
    line.extend_from_slice(b"}\n");
    line
}

struct Fields<'a> {
    line: &'a mut Vec<u8>,
    /// Whether the line has ids of its own.
    traced: bool,
}

impl Fields<'_> {
    /// Begins a field.
    fn name(&mut self, name: &str) {
        self.line.push(b',');
        self.string(name);
        self.line.push(b':');
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.string(value);
    }

    fn string(&mut self, text: &str) {
        let _ = serde_json::to_writer(&mut *self.line, text);
    }

    /// Begins the field, unless the line has one of this name already.
    fn begins(&mut self, field: &Field) -> bool {
        let name = field.name();
        let taken = matches!(name, "timestamp" | "level" | "service" | "target")
            || (self.traced && matches!(name, "trace_id" | "span_id"));
        if !taken {
            self.name(name);
        }
        !taken
    }

    fn number(&mut self, field: &Field, value: impl fmt::Display) {
        if self.begins(field) {
            let _ = write!(self.line, "{value}");
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.begins(field) {
            self.line.push(b'"');
            let _ = write!(Escaped(self.line), "{value:?}");
            self.line.push(b'"');
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.begins(field) {
            self.string(value);
        }
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        if self.begins(field) {
            // JSON has no infinity: null.
            let _ = serde_json::to_writer(&mut *self.line, &value);
        }
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }
}

/// The inside of a string, which may come in several pieces.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = self.0.len();
        serde_json::to_writer(&mut *self.0, text).map_err(|_| fmt::Error)?;
        // The quotes around this piece.
        self.0.pop();
        self.0.remove(start);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _};

    use super::*;

    /// Keeps the line of each event.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<Vec<u8>>>>, Option<(TraceId, SpanId)>);

    impl<S: tracing::Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(line("a-service", event, self.1));
        }
    }

    /// The only line that `work` writes.
    fn written(ids: Option<(TraceId, SpanId)>, work: impl FnOnce()) -> Value {
        let kept = Kept(Arc::default(), ids);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(kept.clone()), work);
        let lines = kept.0.lock().unwrap();
        assert_eq!(lines.len(), 1);
        let text = std::str::from_utf8(&lines[0]).unwrap();
        assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text:?}");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_kind_of_value_is_read_back_as_it_was() {
        let evil = "a \"quote\", a \\, a\nline, \u{1b}[2J, größe";
        let line = written(None, || {
            tracing::warn!(
                text = evil,
                shown = %evil,
                debugged = ?Some(1),
                absent = None::<&str>,
                whole = -3_i64,
                large = u64::MAX,
                part = 0.25,
                infinite = f64::INFINITY,
                yes = true,
                dotted.name = 1,
                "{evil}"
            );
        });
        for (name, value) in [("message", evil), ("text", evil), ("shown", evil), ("debugged", "Some(1)")] {
            assert_eq!(line[name], value, "{name}");
        }
        assert_eq!((line["whole"].as_i64(), line["large"].as_u64()), (Some(-3), Some(u64::MAX)));
        assert_eq!((line["part"].as_f64(), line["yes"].as_bool()), (Some(0.25), Some(true)));
        assert_eq!((&line["infinite"], &line["dotted.name"]), (&Value::Null, &Value::from(1)));
        assert!(line.get("absent").is_none() && line.get("trace_id").is_none(), "{line}");
        assert_eq!((&line["level"], &line["service"]), (&"WARN".into(), &"a-service".into()));
        assert!(line["target"].as_str().is_some_and(|target| target.contains("logs::json")), "{line}");
        let time = line["timestamp"].as_str().unwrap_or_default();
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
    }

    #[test]
    fn a_field_cannot_replace_what_the_line_says_of_itself() {
        let ids = (TraceId::from(7_u128), SpanId::from(9_u64));
        let line = written(Some(ids), || {
            tracing::info!(
                level = "none",
                service = "other",
                target = "x",
                trace_id = "y",
                span_id = 3,
                "hello"
            );
        });
        let fields = line.as_object().unwrap();
        assert_eq!(fields.len(), 7, "{line}");
        assert_eq!((&line["level"], &line["service"]), (&"INFO".into(), &"a-service".into()));
        assert_eq!(line["trace_id"], format!("{:032x}", 7));
        assert_eq!(line["span_id"], format!("{:016x}", 9));
        let line = written(None, || tracing::info!(trace_id = "of an answer", "hello"));
        assert_eq!(line["trace_id"], "of an answer", "a line without ids may have the field");
    }
}
