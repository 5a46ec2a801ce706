//! One pass of an experiment: steady, broken, steady again. Whatever happens, what was begun is ended.

use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub(super) use super::found::{Ending, Pass};
use super::{file::Experiment, found::LOOK, hands::Hands, pair::Pair, step::Step};
use crate::{
    commands::chaos::{
        blow::Blow,
        eyes::{Budgets, Eyes, burned, most},
    },
    installation::Installation,
    terminal::say,
};

/// Longest first step of a push.
const MOST_FIRST: Duration = Duration::from_secs(60);
/// How long to wait for a healthy system.
const HEALTHY: Duration = Duration::from_secs(180);
/// How long it has to be steady after the last step.
pub(super) const AFTER: Duration = Duration::from_secs(5);

/// The longest time that all passes of an experiment can take.
pub(super) fn longest(experiment: &Experiment) -> Duration {
    let one = HEALTHY + experiment.holds + MOST_FIRST + experiment.length() + experiment.recover;
    if experiment.pair.is_some() { 2 * one } else { one }
}

/// What is needed for a pass.
pub(super) struct Stage<'s> {
    pub(super) place: &'s Installation,
    pub(super) eyes: Eyes,
    pub(super) hands: Option<Hands>,
    pub(super) experiment: &'s Experiment,
    pub(super) stop: CancellationToken,
}

impl Stage<'_> {
    /// One pass; with `without`, that is missing from its first step to its last.
    ///
    /// # Errors
    /// When Prometheus or the control room does not answer, or a step cannot be taken back.
    pub(super) async fn pass(&self, without: Option<&Pair>) -> Result<Pass> {
        say(format_args!(
            "waiting until everything has been steady for {} s",
            self.experiment.holds.as_secs()
        ));
        let calm = self.steady(self.experiment.holds, HEALTHY).await?;
        let mut pass = Pass::before(calm.outcome.err().or_else(|| self.stopped()));
        if pass.why.is_some() {
            return Ok(pass);
        }
        let budgets = self.eyes.budgets().await?;
        if let Some(hands) = &self.hands {
            hands.switch(without != Some(&Pair::Automation)).await?;
        }
        let (off, steps) = (self.off(without), self.steps(without));
        let mut bad = None;
        let broken = match self.weaken(&off).await {
            Ok(()) => {
                // Nothing that automation began before counts.
                pass.from = Utc::now();
                self.break_it(&steps, &mut pass, &budgets, &mut bad).await
            }
            Err(error) => Err(error),
        };
        // Even after a failure, leave nothing behind.
        self.undo(&off).await?;
        let stopped = broken?;
        pass.until = Utc::now();
        let begun = Instant::now();
        let recovered = self.steady(AFTER, self.experiment.recover).await?;
        pass.recovered_after = recovered.outcome.is_ok().then(|| begun.elapsed().as_secs_f64());
        pass.restored_after = (!recovered.condition).then(|| pass.restored(recovered.bad.or(bad)));
        pass.burned = burned(&budgets, &self.eyes.budgets().await?);
        if let Some(hands) = &self.hands {
            pass.deeds = Some(hands.deeds(pass.from).await?);
        }
        (pass.ending, pass.why) = match (stopped, recovered.outcome) {
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

    /// The steps of a pass; without the first step of a push, every edge gets its rule at once, and without the judge of a
    /// release, a person decides: the end of the step.
    fn steps(&self, without: Option<&Pair>) -> Vec<Step> {
        let mut steps = self.experiment.steps.clone();
        for blow in steps.iter_mut().flat_map(|step| &mut step.blows) {
            match without {
                Some(Pair::Canary) => *blow = blow.all_at_once(),
                Some(Pair::Judge) => *blow = blow.unjudged(),
                _ => {}
            }
        }
        steps
    }

    async fn weaken(&self, off: &[Blow]) -> Result<()> {
        // A first step of a push takes up to a minute, and belongs to no step's length.
        let lasts = self.experiment.length() + MOST_FIRST;
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

    /// Does the steps; why it was stopped, if it was.
    async fn break_it(
        &self,
        steps: &[Step],
        pass: &mut Pass,
        budgets: &Budgets,
        bad: &mut Option<DateTime<Utc>>,
    ) -> Result<Option<String>> {
        for step in steps {
            if let Some(why) = self.stopped() {
                return Ok(Some(why));
            }
            self.strike(step).await?;
            let endured = self.endure(step, pass, budgets, bad).await;
            // Even after a failure, leave nothing behind.
            self.undo(&step.blows).await?;
            if let Some(why) = endured? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// Takes all of it back, even after something that fails: what can be ended is. The first error is why.
    async fn undo(&self, blows: &[Blow]) -> Result<()> {
        let mut all = Ok(());
        for blow in blows {
            all = all.and(blow.undo(self.place).await);
        }
        all
    }

    /// Begins a step. If a part of it cannot begin, what was begun before is ended.
    async fn strike(&self, step: &Step) -> Result<()> {
        for (begun, blow) in step.blows.iter().enumerate() {
            say(format_args!("{blow} for {} s", step.lasts.as_secs()));
            if let Err(error) = blow.strike(self.place, step.lasts).await {
                for before in step.blows.iter().take(begun) {
                    // The error of the one that did not begin is why.
                    let _ = before.undo(self.place).await;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Looks on while a step lasts; why it was stopped, if it was.
    async fn endure(
        &self,
        step: &Step,
        pass: &mut Pass,
        budgets: &Budgets,
        bad: &mut Option<DateTime<Utc>>,
    ) -> Result<Option<String>> {
        let begun = Instant::now();
        while begun.elapsed() < step.lasts {
            if self.stop.run_until_cancelled(sleep(LOOK)).await.is_none() {
                return Ok(self.stopped());
            }
            if step.returns {
                for blow in &step.blows {
                    blow.renew(self.place, step.lasts.saturating_sub(begun.elapsed())).await?;
                }
            }
            if let Some(hands) = &self.hands {
                hands.approve(pass.from).await?;
            }
            for check in &self.experiment.steady {
                let (holds, seen) = self.eyes.holds(&check.query).await?;
                if !holds {
                    *bad = Some(Utc::now());
                    pass.deviate(check, seen);
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
}
