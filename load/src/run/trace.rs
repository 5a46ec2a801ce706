//! Traces that begin at the generator: for a share of the steps it sends a sampled `traceparent` (W3C Trace Context), so that it knows
//! the trace of a slow one and can give it to Prometheus as an exemplar. The generator exports no span: the trace's first span is that
//! of the service, whose parent is missing.

use opentelemetry::TraceId;
use uuid::Uuid;

/// A new trace for `ratio` (0 to 1) of the calls. Not from the seed: a second run with it would continue the traces of the first.
pub(super) fn begin(ratio: f64) -> Option<TraceId> {
    if ratio <= 0.0 {
        return None;
    }
    let id = Uuid::new_v4().as_u128();
    // The upper half is random, apart from the version in its lower bits.
    let drawn = (id >> 96) as f64 / f64::from(u32::MAX);
    (drawn <= ratio).then(|| TraceId::from_bytes(id.to_be_bytes()))
}

/// The header's value: sampled, with a parent that is not 0.
pub(super) fn parent(trace: TraceId) -> String {
    let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
    let parent = u64::from_be_bytes([a, b, c, d, e, f, g, h]) | 1;
    format!("00-{trace}-{parent:016x}-01")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_steps_begins_a_sampled_trace() {
        assert_eq!(begin(0.0), None);
        assert!((0..100).all(|_| begin(1.0).is_some()));
        let half = (0..10_000).filter(|_| begin(0.5).is_some()).count();
        assert!((4_500..5_500).contains(&half), "{half}");
    }

    #[test]
    fn the_header_has_the_form_of_the_standard() {
        let trace = TraceId::from_bytes(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
        assert_eq!(parent(trace), "00-0af7651916cd43dd8448eb211c80319c-8448eb211c80319d-01");
    }
}
