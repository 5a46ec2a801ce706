//! The automatic stop: ends all faults as soon as a condition is met, because an exercise must never cost more than was agreed.
//!
//! It survives a restart of the control room. A condition that cannot be checked for half a minute counts as met: who flies blind
//! lands. It stays until it was met, somebody removes it, or all faults are ended by hand.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use incident::Source;
use serde::{Deserialize, Serialize};
use switchboard::Action;

use super::{Actions, Done, Task, token};
use crate::{
    error::{Error, Result},
    eyes::within,
    room::Room,
    store::Store,
};

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// A condition that could not be checked for this long counts as met.
const BLIND: TimeDelta = TimeDelta::seconds(30);
/// How often to try again where a service did not answer: it may have crashed and be back within half a minute.
const AGAIN: u32 = 45;
/// Longest query.
const LONGEST: usize = 1000;
/// Where it is kept.
const SETTING: &str = "actions.stop";

/// When to end all faults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// As soon as a series of the query is above the limit.
    Query {
        /// PromQL.
        query: String,
        /// The largest value that is all right.
        limit: f64,
    },
    /// As soon as less of an error budget is left.
    Budget {
        /// Name of the objective.
        slo: String,
        /// Share of its budget, 0 to 1.
        left: f64,
    },
}

/// An automatic stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// When to end all faults.
    pub condition: Condition,
    /// Who asked for it.
    pub by: String,
    /// Since when it watches.
    pub since: DateTime<Utc>,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When.
    pub at: DateTime<Utc>,
    /// The worst value, or why there is none; no value at all if the query has no series.
    pub value: std::result::Result<Option<f64>, String>,
    /// Since when there is none.
    blind: Option<DateTime<Utc>>,
}

impl Condition {
    /// Refuses what can never be met or read.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self, objectives: &[slo::Slo]) -> Result<()> {
        match self {
            Self::Query { query, limit } => {
                if query.trim().is_empty() || query.len() > LONGEST {
                    return Err(Error::field(
                        "stop_query",
                        format!("expected PromQL of 1 to {LONGEST} characters"),
                    ));
                }
                if !limit.is_finite() {
                    return Err(Error::field("stop_limit", format!("expected a number, found {limit}")));
                }
            }
            Self::Budget { slo, left } => {
                if !objectives.iter().any(|known| known.name == *slo) {
                    let known: Vec<&str> = objectives.iter().map(|known| known.name.as_str()).collect();
                    return Err(Error::NoSuch {
                        what: "objective",
                        name: slo.clone(),
                        known: known.join(", "),
                    });
                }
                if !(0.0..=1.0).contains(left) {
                    return Err(Error::field(
                        "stop_left",
                        format!("expected 0 to 100 %, found {:.0} %", left * 100.0),
                    ));
                }
            }
        }
        Ok(())
    }

    /// For people: `order-availability has less than 20 % of its budget left`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Query { query, limit } => format!("{query} is above {limit}"),
            Self::Budget { slo, left } => {
                format!("{slo} has less than {:.0} % of its budget left", left * 100.0)
            }
        }
    }

    fn query(&self) -> String {
        match self {
            Self::Query { query, .. } => query.clone(),
            Self::Budget { slo, .. } => format!("slo:error_budget_remaining:ratio{{slo=\"{slo}\"}}"),
        }
    }

    /// The value that is nearest to the condition.
    fn worst(&self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let values = values.filter(|value| !value.is_nan());
        match self {
            Self::Query { .. } => values.max_by(f64::total_cmp),
            Self::Budget { .. } => values.min_by(f64::total_cmp),
        }
    }

    fn is_met(&self, value: f64) -> bool {
        match self {
            Self::Query { limit, .. } => value > *limit,
            Self::Budget { left, .. } => value < *left,
        }
    }
}

impl Actions {
    /// The automatic stop, and what it read last.
    #[must_use]
    pub fn stop(&self) -> (Option<Stop>, Option<Reading>) {
        self.0.stop.lock().clone()
    }

    /// Sets the automatic stop, or removes it.
    ///
    /// # Errors
    /// When it cannot be kept: then the old one stays.
    pub async fn set_stop(&self, stop: Option<Stop>) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        match &stop {
            Some(stop) => {
                let insert = "INSERT INTO settings (name, value) VALUES (?, ?) \
                            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
                let text = serde_json::to_string(stop)?;
                sqlx::query(insert).bind(SETTING).bind(text).execute(&mut *writing).await?;
            }
            None => {
                sqlx::query("DELETE FROM settings WHERE name = ?")
                    .bind(SETTING)
                    .execute(&mut *writing)
                    .await?;
            }
        }
        writing.commit(&self.0.bus).await?;
        *self.0.stop.lock() = (stop, None);
        Ok(())
    }

    /// Looks once; `Some` with the reason if all faults have to end.
    async fn look(&self, room: &Room, now: DateTime<Utc>) -> Option<String> {
        let (stop, before) = self.stop();
        let stop = stop?;
        let query = stop.condition.query();
        let samples = within("Prometheus", room.eyes.prometheus.query(&query)).await;
        let value = match samples {
            Ok(samples) => Ok(stop.condition.worst(samples.iter().filter_map(|sample| sample.value()))),
            Err(error) => Err(error.to_string()),
        };
        let blind = value.is_err().then(|| before.and_then(|before| before.blind).unwrap_or(now));
        let reason = match (&value, blind) {
            (Ok(Some(value)), _) if stop.condition.is_met(*value) => {
                Some(format!("automatic stop: {} (it is {value})", stop.condition.words()))
            }
            (Err(error), Some(since)) if now - since >= BLIND => Some(format!(
                "automatic stop: its condition could not be checked for {} s: {error}",
                BLIND.num_seconds()
            )),
            _ => None,
        };
        let mut state = self.0.stop.lock();
        // Somebody may have set another one meanwhile.
        if state.0.as_ref() != Some(&stop) {
            return None;
        }
        state.1 = Some(Reading { at: now, value, blind });
        reason
    }

    /// Ends all faults, and continues if a service does not answer.
    async fn end_all(&self, room: &Room, why: String) -> Result<()> {
        let action = Action::EndFaults { target: None };
        let (by, why) = (Source::ControlRoom, Some(why));
        let task = Task { by, action: action.clone(), incident: None, why, wanted: None };
        let done: Done = self.perform(room, task).await?;
        self.set_stop(None).await?;
        let mut whole = done.failures().next().is_none();
        for _ in 0..AGAIN {
            if whole {
                return Ok(());
            }
            tokio::time::sleep(PERIOD).await;
            let results = action.run(&self.0.place, &room.eyes.tools, token(room)).await;
            whole = results.is_ok_and(|results| results.iter().all(|outcome| outcome.ok));
        }
        // Trainees may read the log: it does not say what this is about.
        tracing::warn!("not every service answered; what was switched on there ends by itself");
        Ok(())
    }
}

/// Starts to watch; takes up what was watched before a restart.
pub(super) fn start(room: &Room) {
    let (room, shutdown) = (room.clone(), room.chassis.shutdown.clone());
    let chassis = room.chassis.clone();
    chassis.spawn(async move {
        shutdown.run_until_cancelled(watch(&room)).await;
    });
}

async fn watch(room: &Room) {
    match kept(&room.store).await {
        Ok(stop) => {
            let mut state = room.actions.0.stop.lock();
            // One that was set since the start is newer.
            if state.0.is_none() {
                state.0 = stop;
            }
        }
        Err(error) => tracing::warn!(%error, "the automatic stop cannot be read"),
    }
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(why) = room.actions.look(room, Utc::now()).await
            && room.actions.end_all(room, why).await.is_err()
        {
            // It stays set, and the next tick tries again.
            tracing::warn!("no service answered");
        }
    }
}

async fn kept(store: &Store) -> Result<Option<Stop>> {
    let row: Option<(String,)> = sqlx::query_as("SELECT value FROM settings WHERE name = ?")
        .bind(SETTING)
        .fetch_optional(store.read())
        .await?;
    row.map(|(text,)| -> Result<Stop> { Ok(serde_json::from_str(&text)?) }).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_compared_with_the_worst_series() {
        let query = Condition::Query { query: "x".to_owned(), limit: 0.05 };
        assert_eq!(query.worst([0.01, f64::NAN, 0.2].into_iter()), Some(0.2));
        assert!(query.is_met(0.2) && !query.is_met(0.05));
        let budget = Condition::Budget { slo: "order-availability".to_owned(), left: 0.2 };
        assert_eq!(budget.worst([0.5, -1.0].into_iter()), Some(-1.0));
        assert!(budget.is_met(-1.0) && !budget.is_met(0.2));
        assert_eq!(budget.worst(std::iter::empty()), None);
        assert_eq!(budget.words(), "order-availability has less than 20 % of its budget left");
    }

    #[test]
    fn a_condition_that_can_never_be_read_is_refused() {
        let wrong = |condition: Condition| condition.check(&[]).unwrap_err().to_string();
        assert!(wrong(Condition::Query { query: " ".to_owned(), limit: 1.0 }).starts_with("stop_query: "));
        assert!(
            wrong(Condition::Query { query: "up".to_owned(), limit: f64::NAN }).starts_with("stop_limit: ")
        );
        assert!(wrong(Condition::Budget { slo: "x".to_owned(), left: 0.1 }).contains("no objective `x`"));
        assert!(Condition::Query { query: "up".to_owned(), limit: 0.0 }.check(&[]).is_ok());
    }
}
