//! Which service calls which, from the stored traces: a span whose parent, or whose linked span, belongs to another service
//! is a call by that service.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::Serialize;

use super::query::Params;
use crate::store::{SpanId, StoredSpan, Trace, TraceId};

const DAY_MILLIS: u64 = 86_400_000;

/// Which traces count, by their start in nanoseconds since 1970.
pub(super) struct Window {
    from: u64,
    to: u64,
}

impl Window {
    /// `endTs` and `lookback`, both in milliseconds; without them, the last day.
    pub(super) fn parse(params: &Params, now: u64) -> Result<Self, String> {
        let to = params.number("endTs")?.map_or(now, |millis| millis.saturating_mul(1_000_000));
        let lookback = params.number("lookback")?.unwrap_or(DAY_MILLIS).saturating_mul(1_000_000);
        Ok(Self { from: to.saturating_sub(lookback), to })
    }
}

/// An edge of the graph.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dependency {
    parent: String,
    child: String,
    call_count: u64,
}

/// The edges between the services of `traces`.
pub(super) fn between(traces: &[Arc<Trace>], window: &Window) -> Vec<Dependency> {
    let by_id: HashMap<TraceId, &Trace> = traces.iter().map(|trace| (trace.id, &**trace)).collect();
    let mut calls: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let within = |trace: &&Arc<Trace>| (window.from..=window.to).contains(&trace.start());
    for trace in traces.iter().filter(within) {
        for span in trace.spans() {
            for caller in callers(span, trace, &by_id) {
                *calls.entry((caller, &span.source.service)).or_default() += 1;
            }
        }
    }
    let edge = |((parent, child), call_count): ((&str, &str), u64)| Dependency {
        parent: parent.to_owned(),
        child: child.to_owned(),
        call_count,
    };
    calls.into_iter().map(edge).collect()
}

/// The services that caused a span, except its own. A parent and a link to the same service are one call.
fn callers<'a>(
    span: &StoredSpan,
    trace: &'a Trace,
    by_id: &HashMap<TraceId, &'a Trace>,
) -> BTreeSet<&'a str> {
    let parent = span.parent.and_then(|id| trace.span(id));
    let linked = if span.linked { span.body().links } else { Vec::new() };
    let linked = linked.into_iter().filter_map(|link| {
        let (trace, span): (TraceId, SpanId) =
            (link.trace_id.try_into().ok()?, link.span_id.try_into().ok()?);
        by_id.get(&trace)?.span(span)
    });
    let services = parent.into_iter().chain(linked).map(|cause| &*cause.source.service);
    services.filter(|service| *service != &*span.source.service).collect()
}
