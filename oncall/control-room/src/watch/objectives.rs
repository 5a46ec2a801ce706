//! Objectives that were declared: Prometheus has no rules of them, so they are measured here, as often as it evaluates rules, and
//! what fires is told to Alertmanager as Prometheus would tell it. Silences, routes and people are the same from there on.
//!
//! Nothing is kept: after a restart, or if Prometheus does not answer, Alertmanager ends what is not told again. What is left of the
//! period is counted elsewhere (`budgets`), so that nobody is paged late because that takes long, or not at all because it fails.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use observe::prometheus::{Alert, Sample};
use serde_json::Map;
use slo::{
    Clock, Severity, Window,
    live::{LABEL, Live, Measured},
};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{error::Result, eyes::within, room::Room};

/// How many times an alert may be told late before Alertmanager ends it, as Prometheus has it, and the shortest time for that.
const LATE: i32 = 4;
const LEAST: TimeDelta = TimeDelta::minutes(1);

/// What is remembered between two looks.
#[derive(Default)]
struct Memory {
    looks: BTreeMap<String, Look>,
    /// What fired at the last look, by objective and long window.
    told: BTreeMap<(String, Window), Alert>,
    /// Whether Alertmanager did not take it.
    deaf: bool,
}

/// What is known of one objective.
struct Look {
    /// When it was declared.
    of: DateTime<Utc>,
    /// Events over the windows of alerts.
    measured: Measured,
    /// When those of tickets were last counted.
    tickets: Option<Instant>,
}

impl Look {
    fn new(of: DateTime<Utc>) -> Self {
        Self { of, measured: Measured::default(), tickets: None }
    }

    /// Counts what is due: windows of pages always, those of tickets as often as their rules are evaluated.
    async fn renew(&mut self, room: &Room, live: &Live<'_>) -> Result<()> {
        let (clock, now) = (room.config.clock, Instant::now());
        let mut windows = of(clock, Severity::Page);
        if self.tickets.is_none_or(|last| now - last >= lasting(clock.slow_evaluation())) {
            windows.extend(of(clock, Severity::Ticket));
            windows.sort_unstable();
            windows.dedup();
            self.tickets = Some(now);
        }
        let query = live.query(&windows);
        let samples = within("Prometheus", room.eyes.prometheus.query(&query)).await?;
        live.read(&windows, counts(&samples), &mut self.measured);
        Ok(())
    }
}

/// What the samples of an answer count.
pub(super) fn counts(samples: &[Sample]) -> impl Iterator<Item = (&str, f64)> {
    samples.iter().filter_map(|sample| {
        let name = sample.metric.get(LABEL)?;
        Some((name.as_str(), sample.value()?))
    })
}

/// The windows of the pairs of one severity.
fn of(clock: Clock, severity: Severity) -> Vec<Window> {
    let pairs = clock.pairs().into_iter().filter(|pair| pair.severity == severity);
    pairs.flat_map(|pair| [pair.short, pair.long]).collect()
}

pub(super) fn lasting(window: Window) -> Duration {
    Duration::from_secs(window.as_secs())
}

/// Measures until the end.
pub(super) async fn run(room: Room) {
    let mut memory = Memory::default();
    let mut ticks = interval(lasting(room.config.clock.evaluation()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        once(&room, &mut memory).await;
    }
}

async fn once(room: &Room, memory: &mut Memory) {
    let (declared, now) = (room.objectives.all(), Utc::now());
    memory.looks.retain(|name, look| declared.iter().any(|one| one.name == *name && one.at == look.of));
    let mut firing = BTreeMap::new();
    for one in &declared {
        let Some(live) = one.live(&room.content, room.config.clock) else { continue };
        let look = memory.looks.entry(one.name.clone()).or_insert_with(|| Look::new(one.at));
        if let Err(error) = look.renew(room, &live).await {
            tracing::debug!(%error, objective = one.name, "not measured");
            // Neither that it fires nor that it has ended is known.
            *look = Look::new(one.at);
            memory.told.retain(|(name, _), _| *name != one.name);
            room.objectives.keep(one, |known| *known = Measured::default());
        }
        room.objectives.keep(one, |known| {
            known.over.retain(|window, _| *window == live.period());
            known.over.extend(&look.measured.over);
        });
        for (pair, ratio) in live.firing(&look.measured) {
            let key = (one.name.clone(), pair.long);
            let since = memory.told.get(&key).and_then(|told| told.active_at).unwrap_or(now);
            let told = live.alert(&pair, ratio);
            let alert = Alert {
                labels: told.labels,
                annotations: told.annotations,
                state: "firing".to_owned(),
                active_at: Some(since),
                rest: Map::new(),
            };
            firing.insert(key, alert);
        }
    }
    let alerts: Vec<Alert> = firing.values().cloned().collect();
    let before = std::mem::replace(&mut memory.told, firing);
    let ended = before.into_iter().filter(|(key, _)| !memory.told.contains_key(key));
    let ended: Vec<Alert> = ended.map(|(_, alert)| alert).collect();
    tell(room, &alerts, &ended, &mut memory.deaf).await;
    room.objectives.fire(alerts);
}

/// Tells Alertmanager what fires and what has ended. An end that does not arrive comes by itself, a little later.
async fn tell(room: &Room, firing: &[Alert], ended: &[Alert], deaf: &mut bool) {
    let (alertmanager, now) = (&room.eyes.alertmanager, Utc::now());
    let each = TimeDelta::from_std(lasting(room.config.clock.evaluation())).unwrap_or(LEAST);
    let ends = now + (each * LATE).max(LEAST);
    let told = async {
        alertmanager.fire(firing, ends).await?;
        alertmanager.fire(ended, now).await
    };
    let answer = within("Alertmanager", told).await;
    if let (Err(error), false) = (&answer, *deaf) {
        tracing::warn!(%error, "alerts of declared objectives reach nobody");
    }
    *deaf = answer.is_err();
}
