//! The trace of a journey, so that its spans and log lines can be found.

use opentelemetry::TraceId;

/// The trace of a journey. The probes export no spans: the first one is that of the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace(u128);

impl Trace {
    /// A new one.
    #[must_use]
    pub fn begin() -> Self {
        // All zeros is no trace.
        Self(rand::random::<u128>() | 1)
    }

    /// Its id, in hex.
    #[must_use]
    pub fn id(self) -> String {
        format!("{:032x}", self.0)
    }

    /// Its id, for an exemplar.
    #[must_use]
    pub fn exemplar(self) -> TraceId {
        TraceId::from(self.0)
    }

    /// A `traceparent` (W3C Trace Context) that asks to be sampled.
    #[must_use]
    pub fn parent(self) -> String {
        format!("00-{:032x}-{:016x}-01", self.0, rand::random::<u64>() | 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_a_journey_are_in_one_sampled_trace() {
        let trace = Trace::begin();
        let (first, second) = (trace.parent(), trace.parent());
        for parent in [&first, &second] {
            let mut headers = http::HeaderMap::new();
            headers.insert("traceparent", parent.parse().unwrap());
            assert!(chassis_telemetry::traces::remote_parent(&headers).is_some(), "{parent}");
            assert!(parent.contains(&trace.id()) && parent.ends_with("-01"), "{parent}");
        }
        assert_ne!(first, second, "each request is a span of its own");
        assert_ne!(trace, Trace::begin());
        assert_eq!(trace.exemplar().to_string(), trace.id());
    }
}
