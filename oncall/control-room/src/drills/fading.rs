//! Pages that fire only because they look back: their objective is met again. A verification does not wait for them
//! (docs/adr/0061-what-a-verification-need-not-wait-for.md).

use observe::prometheus::{Alert, Sample};
use slo::Clock;

/// Asks for the objectives that are met again: in each of the shortest windows that ended within the time of two. A longer
/// window cannot be worse than the worst of those that it consists of. An objective without an answer is not met.
pub(super) fn query(clock: Clock) -> String {
    let (base, [_, slow, ..]) = (clock.base(), clock.pairs());
    let (range, factor) = (2 * base.as_secs(), slow.factor);
    format!("max_over_time(slo:sli_error:ratio_rate{base}[{range}s]) <= {factor} * slo:error_budget:ratio")
}

/// Whether an alert is the slower page of an objective that is met again.
pub(super) fn is_fading(alert: &Alert, clock: Clock, met: &[Sample]) -> bool {
    let [_, slow, ..] = clock.pairs();
    let is = |name: &str, value: &str| alert.labels.get(name).is_some_and(|label| label == value);
    let mut objectives = met.iter().filter_map(|one| one.metric.get("slo"));
    is("severity", "page")
        && is("short_window", &slow.short.to_string())
        && objectives.any(|objective| is("slo", objective))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert(severity: &str, slo: &str, short: &str) -> Alert {
        let labels = json!({ "alertname": "X", "severity": severity, "slo": slo, "short_window": short });
        let value = json!({ "labels": labels, "annotations": {}, "state": "firing", "activeAt": null });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_slower_page_fades_once_its_own_objective_is_met_and_nothing_else_does() {
        let met = json!({ "metric": { "slo": "order-latency" }, "value": [1.0, "0"] });
        let met: [Sample; 1] = [serde_json::from_value(met).unwrap()];
        let fades = |alert: Alert| is_fading(&alert, Clock::Lab, &met);
        assert!(fades(alert("page", "order-latency", "30s")));
        assert!(!fades(alert("page", "order-latency", "5s")), "the faster one ends by itself at once");
        assert!(!fades(alert("page", "order-availability", "30s")), "nothing is known of its objective");
        assert!(!fades(alert("ticket", "order-latency", "30s")));
    }

    #[test]
    fn the_question_has_the_windows_and_the_factor_of_the_clock() {
        assert_eq!(
            query(Clock::Lab),
            "max_over_time(slo:sli_error:ratio_rate5s[10s]) <= 6 * slo:error_budget:ratio"
        );
        let parsed = promql_parser::parser::parse(&query(Clock::Production));
        assert!(parsed.is_ok(), "{parsed:?}");
    }
}
