//! Traces: W3C context in and out of HTTP headers and message headers (Trace Context, Baggage). Their export is in
//! `chassis-otlp`.

mod place;

use std::collections::BTreeMap;

use http::HeaderName;
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::{SpanContext, TraceContextExt as _, TraceState},
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

pub use place::{Place, is_unsampled, span_here};

use chassis_faults::{Attribute, scope::Scope};

/// Carries the trace (W3C Trace Context). Looked up in each request: a name that is parsed already is found faster.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Carries the subject (W3C Baggage).
pub static BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// The current span's context and the current scope as W3C headers (`traceparent`, `tracestate`, `baggage`).
#[must_use]
pub fn inject() -> BTreeMap<String, String> {
    let mut headers = Headers::default();
    Context::map_current(|context| TraceContextPropagator::new().inject_context(context, &mut headers));
    headers.0.retain(|_, value| !value.is_empty());
    if let Some(baggage) = Scope::read(baggage_of) {
        headers.0.insert("baggage".to_owned(), baggage);
    }
    headers.0
}

/// The caller's context in the headers of an HTTP request, if there is a valid one.
#[must_use]
pub fn remote_parent(headers: &http::HeaderMap) -> Option<Context> {
    if !headers.contains_key(&TRACEPARENT) {
        return None;
    }
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    let valid = context.span().span_context().is_valid();
    valid.then_some(context)
}

/// A context with ids but without a span, for work that is not sampled: log lines and problems still name its trace, and
/// its outbound calls are not sampled either.
#[must_use]
pub fn unsampled(parent: Option<&Context>) -> Context {
    let (trace, state) = parent.map_or_else(
        || (TraceId::from(rand::random::<u128>()), TraceState::default()),
        |parent| {
            let span = parent.span();
            (span.span_context().trace_id(), span.span_context().trace_state().clone())
        },
    );
    let span = SpanId::from(rand::random::<u64>());
    Context::new().with_remote_span_context(SpanContext::new(
        trace,
        span,
        TraceFlags::default(),
        false,
        state,
    ))
}

/// The current trace id in hex, sampled or not; `None` outside any trace.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    current_ids().map(|(trace, _)| trace.to_string())
}

/// The current trace and span ids.
pub(crate) fn current_ids() -> Option<(TraceId, SpanId)> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid().then(|| (ids.trace_id(), ids.span_id()))
    })
}

/// A scope for `route` with what it is about, as far as the W3C `baggage` header tells; members that `subject` does not declare are
/// ignored.
#[must_use]
pub fn scope_of(route: &str, baggage: Option<&str>, subject: &'static [Attribute]) -> Scope {
    let mut scope = Scope { route: route.to_owned(), ..Scope::default() };
    for entry in baggage.unwrap_or_default().split(',') {
        // A member may carry properties after a semicolon; ours have none.
        let Some((key, value)) = entry.split(';').next().and_then(|member| member.split_once('=')) else {
            continue;
        };
        let Some(attribute) = subject.iter().find(|attribute| attribute.key == key.trim()) else { continue };
        let value = percent_decode_str(value.trim()).decode_utf8_lossy();
        scope.subject.insert(attribute.key, value.into_owned());
    }
    scope
}

/// What the value of a member may not hold as it is (`baggage-octet` of W3C Baggage), and `%`, which begins what is encoded.
const NOT_IN_BAGGAGE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',').add(b';').add(b'\\');

fn baggage_of(scope: &Scope) -> Option<String> {
    let member =
        |(key, value): (&&str, &String)| format!("{key}={}", utf8_percent_encode(value, NOT_IN_BAGGAGE));
    let members: Vec<_> = scope.subject.iter().map(member).collect();
    (!members.is_empty()).then(|| members.join(","))
}

#[derive(Default)]
struct Headers(BTreeMap<String, String>);

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

struct Borrowed<'a>(&'a BTreeMap<String, String>);

impl Extractor for Borrowed<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &[Attribute] = &[
        Attribute { key: "user.id", param: "user_id", summary: "" },
        Attribute { key: "user.tier", param: "user_tier", summary: "" },
    ];

    #[test]
    fn baggage_survives_the_wire() {
        let scope = Scope {
            route: "/a".to_owned(),
            subject: [("user.id", "a,b;c=d é+100%25".to_owned()), ("user.tier", "premium".to_owned())].into(),
        };
        let header = baggage_of(&scope).expect("baggage");
        assert!(header.is_ascii() && !header.contains(' '), "{header}");
        assert_eq!(scope_of("/a", Some(&header), SUBJECT), scope);
    }

    #[test]
    fn foreign_and_broken_baggage_is_ignored() {
        let scope = scope_of("/a", Some("other=1, user.tier=free;ttl=3 ,,=,user.id"), SUBJECT);
        assert_eq!(scope.subject, [("user.tier", "free".to_owned())].into());
    }
}
