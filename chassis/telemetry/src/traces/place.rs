//! The place of work in its trace. In a sampled trace it has a span; in any other it has only its ids: a span that is built to be
//! thrown away costs more than most of what it would measure.

use std::{collections::BTreeMap, future::poll_fn, pin::pin};

use opentelemetry::{Context, propagation::TextMapPropagator as _, trace::TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{Borrowed, unsampled};

/// Whether the current work is part of a trace that is not sampled: a span of it would go nowhere.
#[must_use]
pub fn is_unsampled() -> bool {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid() && !ids.is_sampled()
    })
}

/// The span that `make` builds, unless the current work is part of a trace that is not sampled.
#[must_use]
pub fn span_here(make: impl FnOnce() -> Span) -> Span {
    if is_unsampled() { Span::none() } else { make() }
}

/// A place in a trace, for work that comes later, in this task or in another. Cheap to clone.
#[derive(Clone)]
pub struct Place {
    span: Span,
    ids: Option<Context>,
}

impl Place {
    /// In no trace.
    #[must_use]
    pub fn nowhere() -> Self {
        Self { span: Span::none(), ids: None }
    }

    /// Below the current work, in the span that `make` builds.
    #[must_use]
    pub fn here(make: impl FnOnce() -> Span) -> Self {
        if is_unsampled() {
            return Self { span: Span::none(), ids: Some(Context::current()) };
        }
        Self { span: make(), ids: None }
    }

    /// Below the sender of these headers, in the span that `make` builds; below the current work where they name no sender.
    #[must_use]
    pub fn after(headers: &BTreeMap<String, String>, make: impl FnOnce() -> Span) -> Self {
        Self::below(headers, make, false)
    }

    /// As [`Place::after`], and linked to the sender.
    #[must_use]
    pub fn after_and_linked(headers: &BTreeMap<String, String>, make: impl FnOnce() -> Span) -> Self {
        Self::below(headers, make, true)
    }

    fn below(headers: &BTreeMap<String, String>, make: impl FnOnce() -> Span, linked: bool) -> Self {
        if !headers.contains_key("traceparent") {
            return Self::here(make);
        }
        let sender = TraceContextPropagator::new().extract_with_context(&Context::new(), &Borrowed(headers));
        let ids = sender.span().span_context().clone();
        if !ids.is_valid() {
            return Self::here(make);
        }
        if !ids.is_sampled() {
            return Self { span: Span::none(), ids: Some(unsampled(Some(&sender))) };
        }
        let span = make();
        // Fails only where tracing is filtered out, and then there is nothing to parent.
        let _ = span.set_parent(sender);
        if linked {
            span.add_link(ids);
        }
        Self { span, ids: None }
    }

    /// The span; disabled in a trace that is not sampled.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Does `work` there.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        let Self { span, ids } = self;
        let mut work = pin!(work);
        poll_fn(|cx| {
            let _entered = span.enter();
            let _attached = ids.clone().map(Context::attach);
            work.as_mut().poll(cx)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::traces::inject;

    fn sender(flags: &str) -> BTreeMap<String, String> {
        [("traceparent".to_owned(), format!("00-{:032x}-{:016x}-{flags}", 7, 9))].into()
    }

    /// Whether a span is built below the sender of these headers.
    fn builds(headers: &BTreeMap<String, String>) -> bool {
        let built = Cell::new(false);
        let _ = Place::after(headers, || {
            built.set(true);
            Span::none()
        });
        built.get()
    }

    #[test]
    fn a_span_is_built_unless_its_trace_is_not_sampled() {
        let nobody = BTreeMap::new();
        assert!(builds(&nobody) && builds(&sender("01")) && !builds(&sender("00")));
        let _attached = unsampled(None).attach();
        assert!(!builds(&nobody));
        assert!(builds(&sender("01")), "the sender decides");
    }

    #[tokio::test]
    async fn work_in_a_trace_that_is_not_sampled_has_its_ids_and_passes_them_on() {
        let place = Place::after(&sender("00"), Span::none);
        let sent = place.run(async { inject()["traceparent"].clone() }).await;
        assert!(sent.starts_with(&format!("00-{:032x}-", 7)) && sent.ends_with("-00"), "{sent}");
        assert!(!inject().contains_key("traceparent"), "outside of it there is no trace");
    }
}
