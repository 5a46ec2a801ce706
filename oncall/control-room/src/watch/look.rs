//! A look at Prometheus and Alertmanager: one at a time, every second on the lab's clock, every 15 on that of production.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use observe::prometheus::{Alert, Series};
use slo::Clock;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    Budget, InstanceSeen, Reach, ServiceSeen, note_failure, publish,
    queries::{self, Numbers, measured_as, what},
    restarts::Restarts,
    timeline,
};
use crate::{error::Result, eyes::within, objectives::Declared, room::Room};

/// Time and number of points of the curves of the map.
const SPARK: (TimeDelta, i32) = (TimeDelta::minutes(15), 60);

/// How often to look.
const fn period(clock: Clock) -> Duration {
    match clock {
        Clock::Lab => Duration::from_secs(1),
        Clock::Production => Duration::from_secs(15),
    }
}

/// What is remembered between two looks.
#[derive(Default)]
struct Memory {
    restarts: Restarts,
    /// When the curves were last asked for.
    sparks: Option<Instant>,
    /// When the restarts of the instances were last asked for.
    counted: Option<Instant>,
}

/// Time between two counts of restarts.
const COUNT: Duration = Duration::from_secs(5);

/// Looks until the end.
pub(super) async fn run(room: Room) {
    let mut memory = Memory::default();
    let mut ticks = interval(period(room.config.clock));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        once(&room, &mut memory).await;
    }
}

async fn once(room: &Room, memory: &mut Memory) {
    let counts = memory.counted.is_none_or(|last| last.elapsed() >= COUNT);
    let (eyes, query) = (&room.eyes, queries::look(room.config.clock, counts));
    let (samples, alerts, silences) = tokio::join!(
        within("Prometheus", eyes.prometheus.query(&query)),
        within("Prometheus", eyes.prometheus.alerts()),
        within("Alertmanager", eyes.alertmanager.silences()),
    );
    let now = Utc::now();
    let numbers = samples.as_ref().ok().map(|samples| Numbers::of(samples));
    publish(room, |seen| {
        seen.prometheus = Reach::of(&samples);
        seen.alertmanager = Reach::of(&silences);
        if let Ok(alerts) = &alerts {
            seen.alerts.clone_from(alerts);
            seen.alerts.extend(room.objectives.firing());
        }
        seen.services = services(room, numbers.as_ref(), std::mem::take(&mut seen.services));
        seen.budgets = budgets(room, numbers.as_ref());
        if numbers.is_some() {
            seen.at = Some(now);
        }
    });
    let Some(numbers) = numbers else { return };
    if counts {
        memory.counted = Some(Instant::now());
    }
    draw_sparks(room, memory, now).await;
    write_down(room, memory, &numbers, alerts.as_deref().unwrap_or_default(), now).await;
}

/// What a look means for the incidents.
async fn write_down(
    room: &Room,
    memory: &mut Memory,
    numbers: &Numbers,
    alerts: &[Alert],
    now: DateTime<Utc>,
) {
    for change in memory.restarts.look(numbers.instances(what::STARTED), now) {
        note_failure("a restart", room.changes.record_in(&room.desk, change).await);
    }
    note_failure("a pending alert", timeline::pending(room, alerts).await);
    note_failure("a recovery", timeline::recovered(room, numbers, now).await);
}

/// The services with new numbers, or without any if Prometheus does not answer. Readiness and curves are kept.
fn services(room: &Room, numbers: Option<&Numbers>, mut old: Vec<ServiceSeen>) -> Vec<ServiceSeen> {
    let mut take = |name: &str| {
        let at = old.iter().position(|service| service.name == name);
        at.map(|at| old.swap_remove(at)).unwrap_or_default()
    };
    let one = |name: String| {
        let (before, key) = (take(&name), measured_as(&name).to_owned());
        let get = |what: &str| numbers.and_then(|numbers| numbers.get(what, &key));
        let rate = get(what::RATE);
        // Without a series of failures there are none.
        let errors = rate.filter(|rate| *rate > 0.0).map(|rate| share(get(what::BAD).unwrap_or(0.0), rate));
        ServiceSeen {
            rate,
            errors,
            p95: get(what::P95),
            lag: get(what::LAG),
            instances: instances(room, numbers, &name, &before.instances),
            name,
            ..before
        }
    };
    room.eyes.services().into_iter().map(one).collect()
}

fn instances(
    room: &Room,
    numbers: Option<&Numbers>,
    service: &str,
    old: &[InstanceSeen],
) -> Vec<InstanceSeen> {
    let admins: Vec<_> = room.eyes.admins.iter().filter(|admin| admin.instance.service == service).collect();
    // Not each look asks for them.
    let counted = numbers.is_some_and(|numbers| numbers.instances(what::RESTARTS).next().is_some());
    let restarts = |address: &str| {
        let all = numbers.into_iter().flat_map(|numbers| numbers.instances(what::RESTARTS));
        // Prometheus may scrape a single instance under another address, such as that of its pod.
        let of =
            all.filter(|(name, instance, _)| *name == service && (*instance == address || admins.len() == 1));
        of.map(|(.., count)| count).sum::<f64>()
    };
    let one = |admin: &&crate::eyes::Admin| {
        let name = &admin.instance.name;
        let known = old.iter().find(|known| known.name == *name).cloned();
        let known = known.unwrap_or_else(|| InstanceSeen { name: name.clone(), ..InstanceSeen::default() });
        let restarts = if counted { restarts(&admin.address()) } else { known.restarts };
        InstanceSeen { restarts, ..known }
    };
    admins.iter().map(one).collect()
}

fn budgets(room: &Room, numbers: Option<&Numbers>) -> Vec<Budget> {
    let one = |slo: &slo::Slo| {
        let get = |what: &str| numbers.and_then(|numbers| numbers.get(what, &slo.name));
        Budget {
            slo: slo.name.clone(),
            title: slo.title.clone(),
            objective: slo.objective,
            remaining: get(what::REMAINING),
            burn: get(what::BURN),
            service: slo.service.clone(),
        }
    };
    let files = room.content.slos().iter().map(one);
    files.chain(room.objectives.all().iter().filter_map(|one| declared(room, one))).collect()
}

/// The budget of an objective that was declared; none if it is not in force.
fn declared(room: &Room, one: &Declared) -> Option<Budget> {
    let live = one.live(&room.content, room.config.clock)?;
    let (slo, measured) = (one.slo.as_ref().ok()?, room.objectives.measured(&one.name));
    Some(Budget {
        slo: slo.name.clone(),
        title: slo.title.clone(),
        objective: slo.objective,
        remaining: live.remaining(&measured),
        burn: live.current(&measured),
        service: slo.service.clone(),
    })
}

/// Renews the curves when their next point is due.
async fn draw_sparks(room: &Room, memory: &mut Memory, now: DateTime<Utc>) {
    let (time, points) = SPARK;
    let step = time / points;
    let due = memory.sparks.is_none_or(|last| last.elapsed().as_secs_f64() >= step.as_seconds_f64());
    if !due {
        return;
    }
    memory.sparks = Some(Instant::now());
    let query = queries::sparks(room.config.clock);
    // From one step later: both ends of a range have a point.
    let asked = room.eyes.prometheus.query_range(&query, now - time + step, now, step.as_seconds_f64());
    let answer: Result<Vec<Series>> = within("Prometheus", asked).await;
    let Ok(series) = answer else { return };
    publish(room, |seen| {
        for service in &mut seen.services {
            let key = measured_as(&service.name);
            let of = |name: &str| curve(&series, name, key);
            let bad = of(what::BAD);
            service.spark = of(what::RATE);
            service.error_spark = shares(&service.spark, &bad);
        }
    });
}

fn curve(series: &[Series], name: &str, service: &str) -> Vec<(f64, f64)> {
    let is = |series: &&Series| {
        series.metric.get("what").is_some_and(|what| what == name)
            && series.metric.get("service").is_some_and(|of| of == service)
    };
    let points = series.iter().find(is).into_iter().flat_map(Series::points);
    points.filter(|(_, value)| value.is_finite()).collect()
}

/// The share of failures at each point with traffic.
fn shares(rate: &[(f64, f64)], bad: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let at =
        |time: f64| bad.iter().find(|(other, _)| (other - time).abs() < 0.5).map_or(0.0, |(_, bad)| *bad);
    rate.iter().filter(|(_, rate)| *rate > 0.0).map(|(time, rate)| (*time, share(at(*time), *rate))).collect()
}

/// The share of failures. What found no connection has failed without having been a query, so there may be more failures than
/// queries.
fn share(bad: f64, rate: f64) -> f64 {
    bad / rate.max(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_failures_needs_traffic_and_counts_no_series_as_none() {
        let rate = [(0.0, 10.0), (15.0, 0.0), (30.0, 4.0)];
        assert_eq!(shares(&rate, &[(30.0, 1.0)]), [(0.0, 0.0), (30.0, 0.25)]);
        assert_eq!(shares(&rate, &[(30.0, 9.0)])[1], (30.0, 1.0), "never more than all");
    }
}
