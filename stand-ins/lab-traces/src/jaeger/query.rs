//! The conditions of a search, and the traces that match it. As in Jaeger, one span must match all conditions.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use axum::extract::Query;

use super::{
    Pairs,
    duration::nanos,
    tags::{self, Tag},
    trace_id,
};
use crate::store::{Store, StoredSpan, Trace, TraceId};

/// The parameters of a search.
pub(super) const SEARCH_PARAMETERS: &[&str] = &[
    "service",
    "operation",
    "tags",
    "tag",
    "minDuration",
    "maxDuration",
    "start",
    "end",
    "lookback",
    "limit",
    "traceID",
    "prettyPrint",
    "raw",
];

/// Parameters with which the UI keeps its own state in the page's address, and which it sends along with a search; in
/// addition to `uiEmbed` and others that begin with `ui`.
const UI_STATE: &[&str] =
    &["view", "sortBy", "spanLinks", "density", "showOp", "visEncoding", "decoration", "hash"];

/// Maximum number of traces that a search returns.
const MAX_LIMIT: usize = 1_500;

/// Query parameters; a name may occur several times.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Refuses names that are not `known`: a misspelt filter must not look like one that matches everything.
    pub(super) fn read(pairs: Pairs, known: &[&str]) -> Result<Self, String> {
        let Query(pairs) = pairs.map_err(|error| error.body_text())?;
        let of_page = |name: &str| UI_STATE.contains(&name) || name.starts_with("ui");
        let foreign = |name: &str| !known.contains(&name) && !of_page(name);
        if let Some((name, _)) = pairs.iter().find(|(name, _)| foreign(name)) {
            return Err(format!("unknown parameter `{name}`; known are {}", known.join(", ")));
        }
        Ok(Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A whole number, or the problem with it.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let parse = |text: &str| text.parse().map_err(|_| format!("{name} `{text}` is not a whole number"));
        self.first(name).map(parse).transpose()
    }

    fn duration(&self, name: &str) -> Result<Option<u64>, String> {
        let parse = |text: &str| {
            nanos(text).ok_or_else(|| format!("{name} `{text}` is not a duration such as 100ms"))
        };
        self.first(name).map(parse).transpose()
    }
}

/// A search.
#[derive(Debug)]
pub(super) struct TraceQuery {
    ids: Vec<TraceId>,
    service: Option<String>,
    operation: Option<String>,
    tags: BTreeMap<String, String>,
    min_duration: u64,
    max_duration: u64,
    /// Window of span starts, nanoseconds since 1970.
    from: u64,
    to: u64,
    limit: usize,
}

impl TraceQuery {
    /// Parses a search; a look-back counts from `now`, in nanoseconds since 1970.
    pub(super) fn parse(params: &Params, now: u64) -> Result<Self, String> {
        let wrong_id = |text: &str| format!("traceID `{text}` is not up to 32 hexadecimal digits");
        let ids = params.all("traceID").map(|text| trace_id(text).ok_or_else(|| wrong_id(text)));
        let (from, to) = window(params, now)?;
        let limit = params.number("limit")?.unwrap_or(100);
        if limit == 0 {
            return Err(format!("limit is not a whole number from 1 to {MAX_LIMIT}"));
        }
        Ok(Self {
            ids: ids.collect::<Result<_, _>>()?,
            service: params.first("service").map(str::to_owned),
            // The UI's word for "any".
            operation: params.first("operation").filter(|name| *name != "all").map(str::to_owned),
            tags: read_tags(params)?,
            min_duration: params.duration("minDuration")?.unwrap_or(0),
            max_duration: params.duration("maxDuration")?.unwrap_or(u64::MAX),
            from,
            to,
            limit: usize::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT),
        })
    }

    /// The matching traces, newest first.
    pub(super) fn run(&self, store: &Store) -> Vec<Arc<Trace>> {
        if !self.ids.is_empty() {
            return self.ids.iter().filter_map(|id| store.get(*id)).collect();
        }
        let mut traces = store.snapshot();
        traces.sort_by_cached_key(|trace| Reverse(trace.start()));
        traces.into_iter().filter(|trace| self.matches(trace)).take(self.limit).collect()
    }

    fn matches(&self, trace: &Trace) -> bool {
        trace.spans().iter().any(|span| self.matches_span(span))
    }

    fn matches_span(&self, span: &StoredSpan) -> bool {
        self.service.as_deref().is_none_or(|service| service == &*span.source.service)
            && self.operation.as_deref().is_none_or(|operation| operation == &*span.name)
            && (self.min_duration..=self.max_duration).contains(&span.duration)
            && (self.from..=self.to).contains(&span.start)
            && (self.tags.is_empty() || self.tags_match(span))
    }

    /// Each wanted tag is one of the span, of one of its events, or of its process.
    fn tags_match(&self, span: &StoredSpan) -> bool {
        // Cheaper than decoding, and the most frequent search.
        if self.tags.get("error").is_some_and(|wanted| wanted == "true") && !span.error {
            return false;
        }
        let mut body = span.body();
        let mut tags = tags::of_span(span, &mut body);
        tags.extend(body.events.into_iter().flat_map(|event| event.attributes).map(Tag::of));
        tags.extend(tags::of_process(&span.source));
        self.tags.iter().all(|(key, value)| tags.iter().any(|tag| tag.reads(key, value)))
    }
}

/// `start` and `end` in microseconds since 1970; without `start`, `lookback` counts back from the end.
fn window(params: &Params, now: u64) -> Result<(u64, u64), String> {
    let micros = |name| Ok::<_, String>(params.number(name)?.map(|micros| micros.saturating_mul(1_000)));
    let (start, end) = (micros("start")?, micros("end")?);
    // The UI sends `custom` with a start and an end.
    let lookback = match params.first("lookback") {
        None | Some("custom") => None,
        Some(_) => params.duration("lookback")?,
    };
    let from = start.or_else(|| lookback.map(|lookback| end.unwrap_or(now).saturating_sub(lookback)));
    Ok((from.unwrap_or(0), end.unwrap_or(u64::MAX)))
}

/// `tags={"key":"value"}` as the UI sends it, and `tag=key:value` as people type it.
fn read_tags(params: &Params) -> Result<BTreeMap<String, String>, String> {
    let mut wanted = BTreeMap::new();
    for text in params.all("tags") {
        let wrong = || format!("tags `{text}` is not a JSON object such as {{\"error\":\"true\"}}");
        let json: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).map_err(|_| wrong())?;
        for (key, value) in json {
            let value = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Bool(_) | serde_json::Value::Number(_) => value.to_string(),
                _ => return Err(wrong()),
            };
            wanted.insert(key, value);
        }
    }
    for text in params.all("tag") {
        let pair = text.split_once(':').ok_or_else(|| format!("tag `{text}` is not KEY:VALUE"))?;
        wanted.insert(pair.0.to_owned(), pair.1.to_owned());
    }
    Ok(wanted)
}
