//! A histogram as pairs of a value and how often it occurred.

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(histogram: &Histogram<u64>, to: S) -> Result<S::Ok, S::Error> {
    let pairs = histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()));
    pairs.collect::<Vec<_>>().serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Histogram<u64>, D::Error> {
    let mut histogram = super::histogram();
    for (value, count) in Vec::<(u64, u64)>::deserialize(from)? {
        histogram.record_n(value, count).map_err(serde::de::Error::custom)?;
    }
    Ok(histogram)
}
