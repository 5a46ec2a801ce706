//! A log line as a document of `dashboards/opensearch/index-template.json`. Fields that have a column there are at the top,
//! with its type; all others are in `fields`, whose number is not limited and whose types cannot collide.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use observe::logs::{Line, Section};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Begins the name of every index; the day of its lines follows.
pub(super) const PREFIX: &str = "sre-lab-logs-";
/// The day in the name of an index.
const DAY: &str = "%Y.%m.%d";
/// Longest text in `fields`: Lucene refuses a document with a term above 32,766 bytes, its name included.
const LONGEST: usize = 8 << 10;
/// The tag of what failed: lines of level error, and requests that were answered with 400 or more.
const FAILED: &str = "error";

/// What a column holds, and what becomes of a value on its way there.
#[derive(Clone, Copy)]
enum Kind {
    Word,
    Whole,
    Decimal,
    /// Seconds in the line, milliseconds in the column.
    Seconds,
}

/// A field of a line, the column that it goes to, and what that holds.
type Column = (&'static str, &'static str, Kind);

/// Of every line.
const COLUMNS: &[Column] = &[
    ("bytes", "bytes", Kind::Whole),
    ("duration_ms", "duration_ms", Kind::Decimal),
    ("method", "method", Kind::Word),
    ("peer", "peer", Kind::Word),
    ("route", "route", Kind::Word),
    ("span_id", "span_id", Kind::Word),
    ("status", "status", Kind::Whole),
    ("target", "logger", Kind::Word),
    ("trace_id", "trace_id", Kind::Word),
];

/// `target` of an access log.
const ACCESS: &str = "access";

/// Of a line of an access log, in addition. Other lines have some of these names too, and stay as they are: a request that failed
/// has a line for its cause, and must not count twice.
const ACCESS_COLUMNS: &[Column] = &[
    ("http.request.method", "method", Kind::Word),
    ("http.response.body.size", "bytes", Kind::Whole),
    ("http.response.status_code", "status", Kind::Whole),
    ("http.route", "route", Kind::Word),
    ("http.server.request.duration", "duration_ms", Kind::Seconds),
    ("network.peer.address", "peer", Kind::Word),
    ("represents", "represents", Kind::Whole),
    ("url.path", "path", Kind::Word),
    ("user_agent.original", "agent", Kind::Word),
];

/// The action and the document of each line, for a bulk request.
pub(super) fn documents(section: &Section) -> Vec<String> {
    section.lines.iter().map(|(offset, line)| pair(section, *offset, line)).collect()
}

fn pair(section: &Section, offset: u64, line: &Line) -> String {
    let index = format!("{PREFIX}{}", line.time.format(DAY));
    // Not `index`, which would write a document that is there once more.
    let action = json!({ "create": { "_index": index, "_id": id(section, offset, &line.text) } });
    format!("{action}\n{}\n", document(section, offset, line))
}

/// The same whenever and from wherever a line is sent: a line that was sent twice is stored once. Of the line's place in its
/// log, which is known by its first line, because a log is copied, truncated and renamed; and of its text, because a first
/// line may have no time.
fn id(section: &Section, offset: u64, text: &str) -> String {
    let mut hash = Sha256::new();
    for piece in
        [section.part.as_bytes(), section.head.as_bytes(), offset.to_be_bytes().as_slice(), text.as_bytes()]
    {
        // With its length, so that no two lists of pieces have the same bytes.
        hash.update((piece.len() as u64).to_be_bytes());
        hash.update(piece);
    }
    BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
}

fn document(section: &Section, offset: u64, line: &Line) -> Value {
    let mut document = Map::new();
    let mut fields = line.fields.clone();
    let access = fields.get("target").is_some_and(|target| target == ACCESS);
    let more: &[Column] = if access { ACCESS_COLUMNS } else { &[] };
    for (name, column, kind) in COLUMNS.iter().chain(more) {
        if let Some(value) = fields.get(*name).and_then(|value| typed(*kind, value)) {
            fields.remove(*name);
            document.insert((*column).to_owned(), value);
        }
    }
    let answered_badly = document.get("status").and_then(Value::as_i64).is_some_and(|status| status >= 400);
    if line.level == "ERROR" || answered_badly {
        document.insert("tags".to_owned(), json!([FAILED]));
    }
    // The name of the service is that of the part.
    fields.remove("service");
    if !fields.is_empty() {
        document.insert("fields".to_owned(), short(Value::Object(fields)));
    }
    let time = line.time.to_rfc3339_opts(SecondsFormat::Nanos, true);
    document.insert("@timestamp".to_owned(), Value::from(time));
    document.insert("service".to_owned(), Value::from(section.part.as_str()));
    document.insert("level".to_owned(), Value::from(line.level));
    document.insert("message".to_owned(), Value::from(line.message.as_str()));
    document.insert("log".to_owned(), json!({ "file": format!("{}.log", section.part), "offset": offset }));
    Value::Object(document)
}

/// The value as its column holds it; `None` if it is something else. logfmt has only text: `status=404` is a number too.
fn typed(kind: Kind, value: &Value) -> Option<Value> {
    match (kind, value) {
        (Kind::Word, Value::String(_)) => Some(value.clone()),
        (Kind::Word, Value::Number(number)) => Some(Value::from(number.to_string())),
        (Kind::Whole, Value::Number(number)) => number.as_i64().map(Value::from),
        (Kind::Whole, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (Kind::Decimal, Value::Number(_)) => Some(value.clone()),
        (Kind::Seconds, Value::Number(number)) => {
            number.as_f64().map(|seconds| Value::from(seconds * 1000.0))
        }
        // JSON has no infinity: it becomes `null`, which is not a number.
        (Kind::Decimal, Value::String(text)) => {
            text.parse::<f64>().ok().map(Value::from).filter(Value::is_number)
        }
        _ => None,
    }
}

fn short(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > LONGEST => {
            let end = text.floor_char_boundary(LONGEST);
            Value::from(format!("{}…", &text[..end]))
        }
        Value::Array(values) => values.into_iter().map(short).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, short(value))).collect(),
        other => other,
    }
}

/// Those of our indices whose day is more than `days` days before `now`.
pub(super) fn expired(indices: Vec<String>, days: u16, now: DateTime<Utc>) -> Vec<String> {
    let first = now.date_naive() - chrono::Days::new(u64::from(days));
    let day = |name: &str| NaiveDate::parse_from_str(name.strip_prefix(PREFIX)?, DAY).ok();
    indices.into_iter().filter(|name| day(name).is_some_and(|day| day < first)).collect()
}

#[cfg(test)]
mod tests {
    use observe::logs::parse;

    use super::*;

    const LINE: &str = r#"{"timestamp":"2026-11-21T06:17:01.123456Z","level":"INFO","service":"order-api",
        "target":"access","message":"request","http.request.method":"GET","http.route":"/orders/{id}",
        "url.path":"/orders/7","http.response.status_code":404,"http.response.body.size":162,
        "http.server.request.duration":0.0125,"network.peer.address":"192.0.2.7","user_agent.original":"curl/8",
        "represents":1,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","user":{"tier":"gold"}}"#;

    fn section(part: &str, text: &str) -> Section {
        let line = parse(part, text, DateTime::UNIX_EPOCH);
        Section { part: part.to_owned(), head: "first".to_owned(), lines: vec![(7, line)] }
    }

    fn parts(section: &Section) -> (Value, Value) {
        let pair = documents(section).remove(0);
        let (action, document) = pair.trim_end().split_once('\n').unwrap();
        (serde_json::from_str(action).unwrap(), serde_json::from_str(document).unwrap())
    }

    #[test]
    fn an_access_line_has_its_columns_and_its_day() {
        let (action, document) = parts(&section("order-api", LINE));
        assert_eq!(action["create"]["_index"], "sre-lab-logs-2026.11.21");
        let expected = json!({
            "@timestamp": "2026-11-21T06:17:01.123456000Z", "service": "order-api", "level": "INFO",
            "logger": "access", "message": "request", "method": "GET", "route": "/orders/{id}", "path": "/orders/7",
            "status": 404, "bytes": 162, "duration_ms": 12.5, "peer": "192.0.2.7", "agent": "curl/8", "represents": 1,
            "tags": ["error"],
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "fields": { "user": { "tier": "gold" } },
            "log": { "file": "order-api.log", "offset": 7 },
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn the_line_of_a_cause_does_not_count_as_a_request() {
        let cause = LINE.replace(r#""target":"access""#, r#""target":"chassis_http""#);
        let (_, document) = parts(&section("order-api", &cause));
        assert!(document["status"].is_null() && document["peer"].is_null(), "{document}");
        assert_eq!(document["fields"]["http.response.status_code"], 404);
    }

    #[test]
    fn what_does_not_fit_its_column_stays_among_the_other_fields() {
        let text = r#"ts=2026-11-21T06:17:01Z level=warn msg=m status=503 bytes=many duration_ms=inf"#;
        let (_, document) = parts(&section("prometheus", text));
        assert_eq!((&document["status"], &document["tags"]), (&json!(503), &json!(["error"])));
        assert_eq!(document["fields"], json!({ "bytes": "many", "duration_ms": "inf" }));
    }

    #[test]
    fn an_id_depends_on_the_place_and_the_text_and_on_nothing_else() {
        let id = |section: &Section| parts(section).0["create"]["_id"].as_str().unwrap().to_owned();
        let one = section("order-api", LINE);
        assert_eq!(id(&one), id(&section("order-api", LINE)));
        let mut others = vec![section("order-worker", LINE), section("order-api", "another")];
        let mut moved = section("order-api", LINE);
        moved.lines[0].0 = 8;
        let mut replaced = section("order-api", LINE);
        replaced.head = "second".to_owned();
        others.extend([moved, replaced]);
        assert!(others.iter().all(|other| id(other) != id(&one)));
    }

    #[test]
    fn a_long_text_is_cut_below_what_lucene_takes() {
        let text =
            json!({ "timestamp": "2026-11-21T06:17:01Z", "message": "m", "dump": ["é".repeat(30_000)] });
        let (_, document) = parts(&section("order-api", &text.to_string()));
        let dump = document["fields"]["dump"][0].as_str().unwrap();
        assert!(dump.len() <= LONGEST + '…'.len_utf8() && dump.ends_with("é…"), "{}", dump.len());
    }

    #[test]
    fn only_whole_days_of_our_own_indices_expire() {
        let now = DateTime::parse_from_rfc3339("2026-11-21T06:17:01Z").unwrap().to_utc();
        let names =
            ["sre-lab-logs-2026.11.13", "sre-lab-logs-2026.11.14", "sre-lab-logs-old", "mine-2026.11.01"];
        assert_eq!(expired(names.map(str::to_owned).to_vec(), 7, now), ["sre-lab-logs-2026.11.13"]);
    }
}
