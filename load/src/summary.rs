//! The result of a run: a table for people, JSON for scripts.

use std::{collections::BTreeMap, fmt};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    mix::OperationKind,
    record::{Measured, Tally},
    target::Outcome,
};

/// A finished run.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Measured time: from the end of the warm-up to the last answer.
    pub seconds: f64,
    /// Responses with 2xx or 3xx per second.
    pub ok_per_second: f64,
    /// Due but not sent, because too many were in flight. If above 0, the percentiles are too good: raise `--max-in-flight`.
    pub dropped: u64,
    /// How late the generator itself was, 99th percentile in milliseconds.
    pub late_p99_ms: f64,
    /// All operations together.
    pub total: Row,
    /// Operations that occurred.
    pub operations: Vec<Row>,
}

/// One line of the summary.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Operation, or `total`.
    pub operation: &'static str,
    /// Requests that ended.
    pub requests: u64,
    /// Those that did not end with 2xx or 3xx.
    pub errors: u64,
    /// Requests by outcome, without zeroes.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// From when a request was due to the end of its response: how long a user waited.
    pub response_ms: Percentiles,
    /// From when a request was sent to the end of its response.
    pub service_ms: Percentiles,
}

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 90th.
    pub p90: f64,
    /// 99th.
    pub p99: f64,
    /// 99.9th.
    pub p999: f64,
    /// Largest.
    pub max: f64,
}

impl Percentiles {
    fn of(micros: &Histogram<u64>) -> Self {
        let at = |quantile| micros.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: micros.max() as f64 / 1_000.0,
        }
    }
}

impl Row {
    fn of(operation: &'static str, tally: &Tally) -> Self {
        let outcomes = Outcome::ALL
            .into_iter()
            .filter(|outcome| tally.with(*outcome) > 0)
            .map(|outcome| (outcome.as_str(), tally.with(outcome)))
            .collect();
        Self {
            operation,
            requests: tally.count(),
            errors: tally.count() - tally.with(Outcome::Ok),
            outcomes,
            response_ms: Percentiles::of(&tally.response_time),
            service_ms: Percentiles::of(&tally.service_time),
        }
    }
}

impl Summary {
    /// Summarises the measurements.
    #[must_use]
    pub fn of(measured: &Measured) -> Self {
        let mut all = Tally::new();
        for tally in &measured.tallies {
            all.merge(tally);
        }
        let operations = OperationKind::ALL
            .into_iter()
            .zip(&measured.tallies)
            .filter(|(_, tally)| tally.count() > 0)
            .map(|(kind, tally)| Row::of(kind.as_str(), tally))
            .collect();
        let seconds = measured.elapsed.as_secs_f64();
        let ok = all.with(Outcome::Ok) as f64;
        Self {
            seconds,
            ok_per_second: if seconds > 0.0 { ok / seconds } else { 0.0 },
            dropped: measured.dropped,
            late_p99_ms: Percentiles::of(&measured.late).p99,
            total: Row::of("total", &all),
            operations,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, ok_per_second, dropped, late_p99_ms, total, .. } = self;
        let (requests, errors) = (total.requests, total.errors);
        let share = if requests > 0 { errors as f64 * 100.0 / requests as f64 } else { 0.0 };
        writeln!(
            f,
            "{requests} requests in {seconds:.1} s, {ok_per_second:.1} ok per second, {errors} errors ({share:.2} %), \
             {dropped} dropped, generator late by {late_p99_ms:.1} ms (p99)\n"
        )?;
        writeln!(
            f,
            "{:32}{:^45}  {:^18}",
            "", "response time in ms, from when it was due", "service time in ms"
        )?;
        writeln!(
            f,
            "{:12}{:>11}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}  {:>9}{:>9}",
            "operation", "requests", "errors", "p50", "p90", "p99", "p99.9", "max", "p50", "p99"
        )?;
        for row in self.operations.iter().chain([total]) {
            let (response, service) = (&row.response_ms, &row.service_ms);
            write!(f, "{:12}{:>11}{:>9}", row.operation, row.requests, row.errors)?;
            for ms in [response.p50, response.p90, response.p99, response.p999, response.max] {
                write!(f, "{ms:>9.1}")?;
            }
            writeln!(f, "  {:>9.1}{:>9.1}", service.p50, service.p99)?;
        }
        let errors: Vec<String> = total
            .outcomes
            .iter()
            .filter(|(name, _)| **name != Outcome::Ok.as_str())
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if errors.is_empty() { Ok(()) } else { writeln!(f, "\nerrors: {}", errors.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chassis_telemetry::metrics::Metrics;
    use tokio::time::Instant;

    use super::*;
    use crate::record::{LoadMetrics, Recorder, Sample};

    fn measured() -> Measured {
        let recorder = Recorder::new(LoadMetrics::new(&Metrics::default()), Duration::ZERO);
        for n in 1..=1_000_u64 {
            let outcome = if n > 990 { Outcome::ServerError } else { Outcome::Ok };
            recorder.record(Sample {
                operation: OperationKind::PlaceOrder,
                outcome,
                intended: Instant::now(),
                response_time: Duration::from_millis(n + 5),
                service_time: Duration::from_millis(n),
            });
        }
        recorder.dropped(Instant::now());
        recorder.measured()
    }

    #[test]
    fn percentiles_are_those_of_the_samples_within_one_percent() {
        let summary = Summary::of(&measured());
        let close = |seen: f64, expected: f64| (seen - expected).abs() <= expected * 0.01;
        let total = &summary.total;
        assert!(close(total.response_ms.p50, 505.0), "{:?}", total.response_ms);
        assert!(close(total.response_ms.p99, 995.0), "{:?}", total.response_ms);
        assert!(close(total.response_ms.max, 1_005.0), "{:?}", total.response_ms);
        assert!(close(total.service_ms.p50, 500.0), "{:?}", total.service_ms);
        assert_eq!((total.requests, total.errors, summary.dropped), (1_000, 10, 1));
        assert_eq!(total.outcomes["server_error"], 10);
    }

    #[test]
    fn the_table_names_operations_errors_and_drops() {
        let text = Summary::of(&measured()).to_string();
        for part in ["1000 requests", "10 errors (1.00 %)", "1 dropped", "place-order", "server_error 10"] {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
        assert!(!text.contains("risky"), "an operation that did not occur has no row");
    }

    #[test]
    fn a_run_without_requests_has_a_summary_without_nan() {
        let recorder = Recorder::new(LoadMetrics::new(&Metrics::default()), Duration::ZERO);
        let json = serde_json::to_value(Summary::of(&recorder.measured())).unwrap();
        assert_eq!(json["total"]["requests"], 0);
        assert_eq!(json["ok_per_second"], 0.0);
    }
}
