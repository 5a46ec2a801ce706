//! [`metrics!`](crate::metrics!): tables of metrics. The field is the metric, its doc comment the HELP.

use prometheus::{Counter, CounterVec, Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::{Histogram, HistogramVec, Metrics};

/// What can be a row of a table: a type that is made by registering it.
pub trait Metric: Sized {
    /// Registers `name`; a type that has no labels or no buckets is given none.
    fn register(metrics: &Metrics, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Self;
}

macro_rules! registered {
    (plain: { $($one:ty = $method:ident;)+ } labelled: { $($many:ty = $many_method:ident;)+ }) => {
        $(impl Metric for $one {
            fn register(metrics: &Metrics, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Self {
                assert!(labels.is_empty() && buckets.is_empty(), "metric `{name}` has neither labels nor buckets");
                metrics.$method(name, help)
            }
        })+
        $(impl Metric for $many {
            fn register(metrics: &Metrics, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Self {
                assert!(buckets.is_empty(), "metric `{name}` has no buckets");
                metrics.$many_method(name, help, labels)
            }
        })+
    };
}

registered! {
    plain: {
        IntCounter = counter;
        Counter = float_counter;
        IntGauge = gauge;
        Gauge = float_gauge;
    }
    labelled: {
        IntCounterVec = counter_vec;
        CounterVec = float_counter_vec;
        IntGaugeVec = gauge_vec;
        GaugeVec = float_gauge_vec;
    }
}

impl Metric for Histogram {
    fn register(metrics: &Metrics, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Self {
        assert!(labels.is_empty(), "metric `{name}` has no labels");
        metrics.histogram(name, help, buckets)
    }
}

impl Metric for HistogramVec {
    fn register(metrics: &Metrics, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Self {
        metrics.histogram_vec(name, help, labels, buckets)
    }
}

/// Declares a struct of metrics, and `register`, which makes it: every field is a metric of the field's name, and the doc comment
/// of the field is the metric's HELP. Labels follow the type in brackets, buckets in parentheses.
///
/// Below the struct come the counters whose values of one label are all known: each value has a field of its own, so that a
/// value that is not in the table does not compile, and its series exists from the start.
///
/// ```text
/// metrics! {
///     /// What the zoo counts.
///     pub struct ZooMetrics {
///         /// Visitors, by language.
///         pub visitors_total: IntCounterVec["language"],
///         /// Time that a visit took.
///         pub visit_duration_seconds: Histogram(LATENCY_BUCKETS),
///     }
///
///     /// Visitors who left, by what they left with.
///     left_total["with"] = { pub satisfied: "something", pub disappointed: "nothing" };
/// }
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $help:literal])+
                $field_vis:vis $metric:ident : $type:ident $([$($label:literal),+])? $(($buckets:expr))?
            ),* $(,)?
        }
        $(
            $(#[doc = $family_help:literal])+
            $family:ident [$by:literal] = { $($child_vis:vis $child:ident : $value:expr),+ $(,)? };
        )*
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[doc = $help])+ $field_vis $metric: $type,)*
            $($(
                #[doc = concat!("The series of `", stringify!($family), "` whose `", $by, "` is `", stringify!($value), "`.")]
                $child_vis $child: $crate::metrics::IntCounter,
            )+)*
        }

        impl $name {
            /// Registers every metric of the table; each series whose labels are known exists from now on.
            #[must_use]
            $vis fn register(metrics: &$crate::metrics::Metrics) -> Self {
                $(
                    let $family =
                        metrics.counter_vec(stringify!($family), concat!($($family_help),+).trim(), &[$by]);
                )*
                Self {
                    $($metric: <$type as $crate::metrics::Metric>::register(
                        metrics,
                        stringify!($metric),
                        concat!($($help),+).trim(),
                        &[$($($label),+)?],
                        $crate::metrics!(@buckets $($buckets)?),
                    ),)*
                    $($($child: $family.with_label_values(&[$value]),)+)*
                }
            }
        }
    };
    (@buckets) => { &[] };
    (@buckets $buckets:expr) => { $buckets };
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKETS: &[f64] = &[0.5];

    metrics! {
        /// What a zoo counts.
        struct Zoo {
            /// Visitors, by language
            /// and door.
            visitors_total: IntCounterVec["language", "door"],
            /// Visitors inside.
            visitors: IntGauge,
            /// Time of a visit.
            visit_seconds: Histogram(BUCKETS),
            /// Time at the till.
            till_seconds: HistogramVec["till"](BUCKETS),
        }

        /// Visitors who left.
        left_total["with"] = { satisfied: "something", disappointed: "nothing" };
    }

    #[test]
    fn the_field_is_the_metric_and_its_comment_the_help() {
        let metrics = Metrics::default();
        let zoo = Zoo::register(&metrics);
        zoo.visitors_total.with_label_values(&["fr", "back"]).inc();
        zoo.visitors.set(2);
        zoo.visit_seconds.observe(0.1);
        zoo.till_seconds.with(&["left"]).observe(1.0);
        zoo.satisfied.inc();
        let text = String::from_utf8(metrics.render(None).1).unwrap();
        for line in [
            "# HELP visitors_total Visitors, by language and door.",
            "visitors_total{door=\"back\",language=\"fr\"} 1",
            "# HELP visitors Visitors inside.",
            "visitors 2",
            "visit_seconds_bucket{le=\"0.5\"} 1",
            "till_seconds_bucket{till=\"left\",le=\"0.5\"} 0",
            "# HELP left_total Visitors who left.",
            "left_total{with=\"something\"} 1",
            "left_total{with=\"nothing\"} 0",
        ] {
            assert!(text.lines().any(|has| has == line), "{line}\n---\n{text}");
        }
        assert_eq!(zoo.disappointed.get(), 0);
    }
}
