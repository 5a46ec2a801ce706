//! What Prometheus knows at a first look: failing routes, budgets that burn, and what is nearly used up.

use slo::window::percent;

use super::{
    Found,
    evidence::{found, list, ranked},
    scope::Scope,
};
use crate::{error::Result, eyes::within, room::Room, watch::queries};

/// Lines of an answer.
const TOP: usize = 5;
/// How many of the values next to a limit are shown.
const NEAREST: usize = 6;

/// What is measured, the share or number from which on it is a finding, and its unit in words.
static LIMITS: [(&str, f64, Shown); 8] = [
    ("connection pool", 0.8, Shown::Share),
    ("CPU", 0.8, Shown::Share),
    ("memory", 0.85, Shown::Share),
    ("file descriptors", 0.8, Shown::Share),
    ("oldest message", 5.0, Shown::Seconds),
    ("oldest outbox entry", 5.0, Shown::Seconds),
    ("open breaker", 1.5, Shown::Nothing),
    ("requests shed", 0.0, Shown::PerSecond),
];

#[derive(Debug, Clone, Copy)]
enum Shown {
    Share,
    Seconds,
    PerSecond,
    Nothing,
}

/// The routes with the most failures.
pub(super) async fn failing_routes(room: &Room, scope: &Scope) -> Result<Found> {
    let (nearby, window) = (scope.nearby(), &scope.window);
    let query = format!(
        "topk({TOP}, sum by (service, method, endpoint, status) (rate(http_requests_total{{{nearby}, endpoint!=\"/risky\", \
         status=~\"5..|499\"}}[{window}])) > 0)"
    );
    let samples = within("Prometheus", room.eyes.prometheus.query(&query)).await?;
    let routes = ranked(&samples, &["service", "method", "endpoint", "status"]);
    let lines: Vec<String> = routes.iter().map(|(route, rate)| format!("{route}: {rate:.2}/s")).collect();
    let text = match routes.first() {
        Some((route, rate)) => {
            let all = match routes.len() {
                1 => "no other route fails".to_owned(),
                all => format!("{all} routes fail"),
            };
            format!("most failures: {route}, {rate:.1} per second; {all}")
        }
        None => format!("no route of {} answers with 5xx", list(&scope.around)),
    };
    Ok(found(scope, query, text, if lines.is_empty() { "nothing".to_owned() } else { lines.join("; ") }))
}

/// Budgets that are used faster than allowed.
pub(super) async fn burn(room: &Room, scope: &Scope) -> Result<Found> {
    let of = scope.nearby();
    let query = format!("max by (slo) (slo:current_burn_rate:ratio{{{of}}})");
    let left = format!("max by (slo) (slo:error_budget_remaining:ratio{{{of}}})");
    let (burns, left) = tokio::join!(
        within("Prometheus", room.eyes.prometheus.query(&query)),
        within("Prometheus", room.eyes.prometheus.query(&left)),
    );
    let (burns, left) = (ranked(&burns?, &["slo"]), ranked(&left?, &["slo"]));
    let fast: Vec<String> = burns
        .iter()
        .filter(|(_, burn)| *burn > 1.0)
        .map(|(slo, burn)| {
            let rest = left.iter().find(|(name, _)| name == slo);
            let rest = rest.map_or_else(String::new, |(_, rest)| format!(" ({} left)", rounded(*rest)));
            format!("{slo} {burn:.1} times too fast{rest}")
        })
        .collect();
    let text = match fast.as_slice() {
        [] => "no error budget burns faster than allowed".to_owned(),
        fast => format!("error budgets burn: {}", list(fast)),
    };
    let answer: Vec<String> = burns.iter().map(|(slo, burn)| format!("{slo}: {burn:.2}")).collect();
    Ok(found(scope, query, text, answer.join("; ")))
}

/// What is nearly used up.
pub(super) async fn saturation(room: &Room, scope: &Scope) -> Result<Found> {
    let query = queries::together(&saturations(&scope.nearby(), &scope.window));
    let samples = within("Prometheus", room.eyes.prometheus.query(&query)).await?;
    let values = ranked(&samples, &["what", "service"]);
    let (mut full, mut all) = (Vec::new(), Vec::new());
    for (name, value) in &values {
        let Some((what, limit, shown)) = LIMITS.iter().find(|(what, ..)| name.starts_with(what)) else {
            continue;
        };
        let service = name[what.len()..].trim();
        let line = format!("{what} of {service}{}", shown.text(*value));
        if value > limit {
            full.push(line.clone());
        }
        all.push(line);
    }
    // Those next to their limits; the query has all.
    all.truncate(NEAREST);
    let text = match full.as_slice() {
        [] => format!("nothing is used up in {}", list(&scope.around)),
        full => format!("near a limit: {}", list(full)),
    };
    Ok(found(scope, query, text, if all.is_empty() { "no data".to_owned() } else { all.join("; ") }))
}

/// The expressions of [`LIMITS`], by service.
fn saturations(of: &str, window: &str) -> Vec<(&'static str, String)> {
    let max = |expr: String| format!("max by (service) ({expr})");
    let share = |part: &str, whole: &str| max(format!("{part}{{{of}}} / {whole}{{{of}}}"));
    let expressions = [
        share("database_connections_active", "database_connections_max"),
        max(format!("process_cpu_usage_percent{{{of}}} / 100")),
        max(format!("process_memory_usage_percent{{{of}}} / 100")),
        share("process_open_fds", "process_max_fds"),
        max(format!("kafka_oldest_message_age_seconds{{{of}}}")),
        max(format!("outbox_oldest_age_seconds{{{of}}}")),
        max(format!("circuit_breaker_state{{{of}}}")),
        format!("sum by (service) (rate(http_requests_shed_total{{{of}}}[{window}]))"),
    ];
    LIMITS.iter().map(|(what, ..)| *what).zip(expressions).collect()
}

impl Shown {
    fn text(self, value: f64) -> String {
        match self {
            Self::Share => format!(" {}", rounded(value)),
            Self::Seconds => format!(" {value:.1} s"),
            Self::PerSecond => format!(" {value:.1}/s"),
            Self::Nothing => String::new(),
        }
    }
}

/// A share in whole per cent.
fn rounded(share: f64) -> String {
    percent((share * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_expression_and_no_name_begins_another() {
        let all = saturations("service=~\"a\"", "15s");
        assert_eq!(all.len(), LIMITS.len());
        for (what, expr) in &all {
            assert!(expr.contains("service=~\"a\""), "{expr}");
            let begun = LIMITS.iter().filter(|(other, ..)| what.starts_with(other)).count();
            assert_eq!(begun, 1, "{what}");
        }
    }

    #[test]
    fn a_value_is_shown_with_its_unit() {
        assert_eq!(Shown::Share.text(0.914), " 91 %");
        assert_eq!(Shown::Seconds.text(7.31), " 7.3 s");
        assert_eq!(Shown::Nothing.text(2.0), "");
    }
}
