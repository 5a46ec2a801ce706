//! What an incident costs: users, orders, money and budget, from counters between its start and now. The arithmetic is
//! written down with it, because a number that nobody can check is worth nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use incident::{EntryKind, Evidence, Impact, Incident, Measures, Source, Viewer, What};
use slo::Clock;
use tokio::time::{MissedTickBehavior, interval};

use super::{note_failure, queries::together, sli};
use crate::{
    error::Result,
    eyes::{links, within},
    room::Room,
};

/// Open incidents that are measured at a time, the worst first.
const MOST: usize = 5;
/// Completed payments are averaged over the incident and this much before it: during one there may be none.
const BEFORE: i64 = 900;
/// A smaller share of a budget is noise.
const LEAST_BUDGET: f64 = 0.0005;

/// The counters, by name: what an order, a request or a payment can become. Requests as people saw them: at the edge, after its
/// retries. The services behind it count them once more.
const COUNTERS: [(&str, &str); 5] = [
    (
        "refused",
        r#"http_requests_total{service="edge", endpoint="/orders", method="POST", status=~"5..|499"}"#,
    ),
    ("late", r#"order_freshness_checked_total{result="late"}"#),
    ("wrong", r#"order_totals_checked_total{result="mismatch"}"#),
    ("contradicted", r#"order_outcomes_checked_total{result="contradiction"}"#),
    ("bad", r#"http_requests_total{service="edge", endpoint!="/risky", status=~"5..|499"}"#),
];
/// The same, over a longer time.
const PAYMENTS: [(&str, &str); 2] =
    [("dollars", "revenue_dollars_total"), ("payments", r#"orders_processed_total{status="completed"}"#)];

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq)]
struct Counted {
    refused: f64,
    late: f64,
    wrong: f64,
    contradicted: f64,
    bad: f64,
    dollars: f64,
    payments: f64,
    active_users: Option<f64>,
}

/// The cost, and how it was reckoned.
pub(super) struct Reckoned {
    pub(super) impact: Impact,
    pub(super) note: What,
}

/// Measures open incidents until the end.
pub(super) async fn run(room: Room) {
    let period = match room.config.clock {
        Clock::Lab => Duration::from_secs(15),
        Clock::Production => Duration::from_secs(60),
    };
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for incident in room.desk.open_ones().into_iter().take(MOST) {
            note_failure("a cost", update(&room, &incident).await.map(drop));
        }
    }
}

/// Measures an incident, and notes the cost if it has changed. Nothing for an incident that is not about the shop.
pub(super) async fn update(room: &Room, incident: &Incident) -> Result<Option<Reckoned>> {
    if incident.services.is_empty() {
        return Ok(None);
    }
    let reckoned = reckon(room, incident).await?;
    if reckoned.impact != incident.impact {
        let what = What::ImpactMeasured { impact: reckoned.impact.clone() };
        room.desk.act(incident.id, Source::ControlRoom, what).await?;
    }
    Ok(Some(reckoned))
}

async fn reckon(room: &Room, incident: &Incident) -> Result<Reckoned> {
    // Not the time of the fault: the cost is seen by everybody, and would give it away.
    let from = Measures::of(incident, Viewer::Trainee).started_at;
    let over = incident.times.recovered.or(incident.times.resolved);
    let until = over.unwrap_or_else(Utc::now).max(from + TimeDelta::seconds(1));
    let length = (until - from).num_seconds() + 1;
    let query = query(length);
    let counted = count(room, &query, until).await?;
    let budgets = budgets(room, incident, (from, until)).await?;
    let impact = counted.impact(budgets);
    let text = counted.explain(&impact, from, until);
    let link = Some(links::explore(&room.config.base(), &query));
    let evidence = vec![Evidence { query, answer: counted.answer(), link }];
    let note = What::Noted { kind: EntryKind::Impact, happened_at: until, text, evidence, sealed: false };
    Ok(Reckoned { impact, note })
}

fn query(length: i64) -> String {
    let increase = |series: &str, seconds: i64| format!("sum(increase({series}[{seconds}s]))");
    let during = COUNTERS.iter().map(|(name, series)| (*name, increase(series, length)));
    let around = PAYMENTS.iter().map(|(name, series)| (*name, increase(series, length + BEFORE)));
    let mut parts: Vec<(&str, String)> = during.chain(around).collect();
    parts.push(("users", "max(active_users)".to_owned()));
    together(&parts)
}

async fn count(room: &Room, query: &str, until: DateTime<Utc>) -> Result<Counted> {
    let samples = within("Prometheus", room.eyes.prometheus.query_at(query, until)).await?;
    let mut counted = Counted::default();
    for sample in samples {
        let Some(value) = sample.value().filter(|value| value.is_finite()) else { continue };
        match sample.metric.get("what").map_or("", String::as_str) {
            "refused" => counted.refused = value,
            "late" => counted.late = value,
            "wrong" => counted.wrong = value,
            "contradicted" => counted.contradicted = value,
            "bad" => counted.bad = value,
            "dollars" => counted.dollars = value,
            "payments" => counted.payments = value,
            "users" => counted.active_users = Some(value),
            _ => {}
        }
    }
    Ok(counted)
}

/// The share of each budget that was left before and is not left now.
async fn budgets(
    room: &Room,
    incident: &Incident,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<(String, f64)>> {
    const LEFT: &str = "max by (slo) (slo:error_budget_remaining:ratio)";
    // The last value before, in case Prometheus was down when it began.
    const LEFT_BEFORE: &str = "max by (slo) (last_over_time(slo:error_budget_remaining:ratio[1h]))";
    let (before, after) = tokio::join!(
        within("Prometheus", room.eyes.prometheus.query_at(LEFT_BEFORE, from)),
        within("Prometheus", room.eyes.prometheus.query_at(LEFT, until)),
    );
    let (before, after) = (before?, after?);
    let left = |samples: &[observe::prometheus::Sample], slo: &str| {
        let found = samples.iter().find(|sample| sample.metric.get("slo").is_some_and(|name| name == slo));
        found.and_then(observe::prometheus::Sample::value)
    };
    let spent = |slo: &&slo::Slo| {
        // Not recorded in the hour before: the lab had just started, and nothing was spent.
        let spent = left(&before, &slo.name).unwrap_or(1.0) - left(&after, &slo.name)?;
        (spent >= LEAST_BUDGET).then(|| (slo.name.clone(), (spent * 10_000.0).round() / 10_000.0))
    };
    Ok(sli::of(room.content.slos(), incident).iter().filter_map(spent).collect())
}

/// How many different users a number of requests hits, if each is as likely to come from any of the active users.
fn reached(requests: f64, users: f64) -> f64 {
    if users < 1.0 { 0.0 } else { users * (1.0 - (1.0 - 1.0 / users).powf(requests)) }
}

fn whole(value: f64) -> u64 {
    value.max(0.0).round() as u64
}

impl Counted {
    fn orders(&self) -> f64 {
        self.refused + self.late + self.wrong + self.contradicted
    }

    /// The mean of completed payments in dollars.
    fn payment(&self) -> Option<f64> {
        (self.payments >= 1.0).then(|| self.dollars / self.payments)
    }

    fn impact(&self, budgets: Vec<(String, f64)>) -> Impact {
        let orders = whole(self.orders());
        Impact {
            users: self.active_users.map(|users| whole(reached(self.bad, users))),
            orders: Some(orders),
            cents: self.payment().map(|payment| whole(orders as f64 * payment * 100.0)),
            budgets,
        }
    }

    fn answer(&self) -> String {
        let users =
            self.active_users.map_or_else(|| "not known".to_owned(), |users| whole(users).to_string());
        format!(
            "refused {}, late {}, wrong {}, contradicted {}, bad requests {}, payments {} for ${:.2}, active users {users}",
            whole(self.refused),
            whole(self.late),
            whole(self.wrong),
            whole(self.contradicted),
            whole(self.bad),
            whole(self.payments),
            self.dollars
        )
    }

    /// The arithmetic, in sentences.
    fn explain(&self, impact: &Impact, from: DateTime<Utc>, until: DateTime<Utc>) -> String {
        let time = |at: DateTime<Utc>| at.format("%H:%M:%S").to_string();
        let mut text = format!(
            "{} orders were affected from {} to {} UTC: {} refused (5xx or 499), {} settled after more than 5 s, {} with a \
             wrong total, {} with two outcomes. A client that tried again is counted again.",
            whole(self.orders()),
            time(from),
            time(until),
            whole(self.refused),
            whole(self.late),
            whole(self.wrong),
            whole(self.contradicted)
        );
        if let (Some(payment), Some(cents)) = (self.payment(), impact.cents) {
            text.push_str(&format!(
                " At ${payment:.2} each, the mean of completed payments, they are worth ${}.{:02}.",
                cents / 100,
                cents % 100
            ));
        }
        if let (Some(users), Some(active)) = (impact.users, self.active_users) {
            text.push_str(&format!(
                " About {users} users saw an error: {} bad requests, spread evenly over {} active users.",
                whole(self.bad),
                whole(active)
            ));
        }
        for (slo, share) in &impact.budgets {
            text.push_str(&format!(" {:.1} % of the error budget of {slo} is gone.", share * 100.0));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_reach_fewer_users_than_they_are_and_never_more_than_there_are() {
        assert_eq!(reached(0.0, 100.0), 0.0);
        assert!((reached(1.0, 100.0) - 1.0).abs() < 1e-9);
        assert_eq!(whole(reached(100.0, 100.0)), 63);
        assert_eq!(whole(reached(100_000.0, 100.0)), 100);
        assert_eq!(reached(10.0, 0.0), 0.0);
    }

    #[test]
    fn the_cost_is_explained_with_the_numbers_that_it_comes_from() {
        let counted = Counted {
            refused: 40.2,
            late: 9.8,
            wrong: 0.0,
            contradicted: 0.0,
            bad: 112.0,
            dollars: 3120.0,
            payments: 100.0,
            active_users: Some(480.0),
        };
        let impact = counted.impact(vec![("order-availability".to_owned(), 0.0624)]);
        assert_eq!((impact.orders, impact.cents, impact.users), (Some(50), Some(156_000), Some(100)));
        let at: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let text = counted.explain(&impact, at, at + TimeDelta::seconds(90));
        for part in [
            "50 orders were affected from 12:00:00 to 12:01:30 UTC: 40 refused",
            "At $31.20 each, the mean of completed payments, they are worth $1560.00.",
            "About 100 users saw an error: 112 bad requests, spread evenly over 480 active users.",
            "6.2 % of the error budget of order-availability is gone.",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let impact = Counted { refused: 3.0, ..Counted::default() }.impact(Vec::new());
        assert_eq!((impact.orders, impact.cents, impact.users), (Some(3), None, None));
    }
}
