//! One pass of an experiment: steady, broken, steady again. Whatever happens, what was begun is ended.

use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::file::{Check, Experiment, Pair, Step};
use crate::{
    commands::chaos::{
        blow::Blow,
        eyes::{Budgets, Eyes, burned, most},
    },
    installation::Installation,
    terminal::say,
};

/// Pause between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Longest first step of a push.
const MOST_FIRST: Duration = Duration::from_secs(60);
/// How long to wait for a healthy system.
const HEALTHY: Duration = Duration::from_secs(180);

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ending {
    /// Steady again.
    Steady,
    /// It was not healthy before, so nothing was done.
    Invalid,
    /// The condition to abort, the budget, or a person stopped it.
    Aborted,
    /// It did not become steady again in time.
    Lost,
}

/// A condition that did not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Deviation {
    pub(super) name: String,
    pub(super) query: String,
    /// Seconds after the first step.
    pub(super) after: f64,
    /// Seconds altogether, as far as it was looked at.
    pub(super) lasted: f64,
    /// What came back at first.
    pub(super) seen: String,
}

/// One pass.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Pass {
    pub(super) ending: Ending,
    /// Why it was stopped, or what was not healthy.
    pub(super) why: Option<String>,
    /// When the first step began, and when the last one ended.
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) deviations: Vec<Deviation>,
    pub(super) alerts: Vec<String>,
    pub(super) burned: Budgets,
    /// Seconds from the end of the last step until everything was steady.
    pub(super) recovered_after: Option<f64>,
}

/// What is needed for a pass.
pub(super) struct Stage<'s> {
    pub(super) place: &'s Installation,
    pub(super) eyes: Eyes,
    pub(super) experiment: &'s Experiment,
    pub(super) stop: CancellationToken,
}

impl Stage<'_> {
    /// One pass; with `without`, that is missing from its first step to its last.
    ///
    /// # Errors
    /// When Prometheus does not answer, or a step cannot be taken back.
    pub(super) async fn pass(&self, without: Option<&Pair>) -> Result<Pass> {
        say(format_args!(
            "waiting until everything has been steady for {} s",
            self.experiment.holds.as_secs()
        ));
        let why = self.steady(self.experiment.holds, HEALTHY).await?.err().or_else(|| self.stopped());
        let now = Utc::now();
        let mut pass = Pass {
            ending: Ending::Invalid,
            why,
            from: now,
            until: now,
            deviations: Vec::new(),
            alerts: Vec::new(),
            burned: Budgets::new(),
            recovered_after: None,
        };
        if pass.why.is_some() {
            return Ok(pass);
        }
        let budgets = self.eyes.budgets().await?;
        let off = self.off(without);
        let broken = match self.weaken(&off).await {
            Ok(()) => self.break_it(&mut pass, &budgets, without == Some(&Pair::Canary)).await,
            Err(error) => Err(error),
        };
        // Even after a failure, leave nothing behind.
        for off in &off {
            off.undo(self.place).await?;
        }
        let stopped = broken?;
        pass.until = Utc::now();
        let begun = Instant::now();
        let recovered = self.steady(Duration::from_secs(5), self.experiment.recover).await?;
        pass.recovered_after = recovered.is_ok().then(|| begun.elapsed().as_secs_f64());
        pass.burned = burned(&budgets, &self.eyes.budgets().await?);
        (pass.ending, pass.why) = match (stopped, recovered) {
            (Some(why), _) => (Ending::Aborted, Some(why)),
            (None, Ok(())) => (Ending::Steady, None),
            (None, Err(why)) => (Ending::Lost, Some(why)),
        };
        Ok(pass)
    }

    /// The protections that are off in a pass.
    fn off(&self, without: Option<&Pair>) -> Vec<Blow> {
        let mut off = self.experiment.weakened.clone();
        if let Some(Pair::Protection { service, protection }) = without {
            off.push(Blow::Unprotect { service: service.clone(), protection: protection.clone() });
        }
        off
    }

    async fn weaken(&self, off: &[Blow]) -> Result<()> {
        // A first step of a push takes up to a minute, and belongs to no step's length.
        let lasts = self.length() + MOST_FIRST;
        for off in off {
            say(off);
            off.strike(self.place, lasts).await?;
        }
        Ok(())
    }

    /// Why nothing more may be done, if a person wants that.
    fn stopped(&self) -> Option<String> {
        self.stop.is_cancelled().then(|| "stopped from the terminal".to_owned())
    }

    /// All steps.
    fn length(&self) -> Duration {
        self.experiment.steps.iter().map(|step| step.lasts).sum()
    }

    /// Does the steps; why it was stopped, if it was.
    async fn break_it(
        &self,
        pass: &mut Pass,
        budgets: &Budgets,
        all_at_once: bool,
    ) -> Result<Option<String>> {
        for step in &self.experiment.steps {
            if let Some(why) = self.stopped() {
                return Ok(Some(why));
            }
            let blow = step.blow.as_ref();
            let blow = blow.map(|blow| if all_at_once { blow.all_at_once() } else { blow.clone() });
            if let Some(blow) = &blow {
                say(format_args!("{blow} for {} s", step.lasts.as_secs()));
                blow.strike(self.place, step.lasts).await?;
            }
            let endured = self.endure(step, pass, budgets).await;
            // Even after a failure, leave nothing behind.
            if let Some(blow) = &blow {
                blow.undo(self.place).await?;
            }
            if let Some(why) = endured? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// Looks on while a step lasts; why it was stopped, if it was.
    async fn endure(&self, step: &Step, pass: &mut Pass, budgets: &Budgets) -> Result<Option<String>> {
        let begun = Instant::now();
        while begun.elapsed() < step.lasts {
            if self.stop.run_until_cancelled(sleep(LOOK)).await.is_none() {
                return Ok(self.stopped());
            }
            for check in &self.experiment.steady {
                let (holds, seen) = self.eyes.holds(&check.query).await?;
                if !holds {
                    deviate(pass, check, seen);
                }
            }
            for alert in self.eyes.firing(true).await? {
                if !pass.alerts.contains(&alert) {
                    pass.alerts.push(alert);
                }
            }
            for check in &self.experiment.abort {
                let (holds, seen) = self.eyes.holds(&check.query).await?;
                if holds {
                    return Ok(Some(format!("{} (seen: {seen})", check.name)));
                }
            }
            let share = most(&burned(budgets, &self.eyes.budgets().await?));
            if share > self.experiment.scope.budget {
                return Ok(Some(format!("{:.1} % of an error budget is burned", share * 100.0)));
            }
        }
        Ok(None)
    }

    /// Waits until every condition has held for so long, and no page fires; or what does not hold.
    async fn steady(&self, holds: Duration, within: Duration) -> Result<std::result::Result<(), String>> {
        let begun = Instant::now();
        let mut since = None;
        loop {
            match self.unsteady().await? {
                None => {
                    let since = *since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= holds {
                        return Ok(Ok(()));
                    }
                }
                Some(why) if begun.elapsed() >= within || self.stop.is_cancelled() => return Ok(Err(why)),
                Some(_) => since = None,
            }
            sleep(LOOK).await;
        }
    }

    /// What is not steady now.
    async fn unsteady(&self) -> Result<Option<String>> {
        for check in &self.experiment.steady {
            let (holds, seen) = self.eyes.holds(&check.query).await?;
            if !holds {
                return Ok(Some(format!("{}: {} (seen: {seen})", check.name, check.query)));
            }
        }
        Ok(self.eyes.firing(false).await?.into_iter().next().map(|page| format!("{page} pages")))
    }
}

fn deviate(pass: &mut Pass, check: &Check, seen: String) {
    let after = (Utc::now() - pass.from).as_seconds_f64();
    let step = LOOK.as_secs_f64();
    match pass.deviations.iter_mut().find(|one| one.name == check.name) {
        Some(known) => known.lasted += step,
        None => {
            let (name, query) = (check.name.clone(), check.query.clone());
            pass.deviations.push(Deviation { name, query, after, lasted: step, seen });
        }
    }
}
