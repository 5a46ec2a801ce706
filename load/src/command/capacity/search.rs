//! How `load capacity` looks for the knee: from the lowest load upwards, then closer, then checked, and once more if
//! the check says something else.

use std::time::Instant;

use super::{
    super::{
        Stop,
        sweep::{Climb, Sweep},
    },
    Measure,
};
use crate::capacity::{Step, confirms, knee};

/// The search is only repeated if less than this share of the time has passed: a repetition takes about a third of it.
const REPEATED: f64 = 0.65;

impl Measure {
    /// What was seen, the knee, and the steps at 90 % and 110 % of it.
    pub(super) async fn found(&self, sweep: &Sweep<'_>) -> Result<(Climb, f64, Vec<Step>), Stop> {
        let (began, mut climb) = (Instant::now(), sweep.begin().await);
        let mut knee = self.search(sweep, &mut climb, self.from).await?;
        let mut validation = sweep.validate(knee).await?;
        let doubtful = validation.len() == 2 && !confirms(&validation, &sweep.objective);
        if doubtful && began.elapsed() < self.within.mul_f64(REPEATED) {
            eprintln!("{knee:.0} journeys/s are not confirmed: looking once more");
            if let Some(found) = self.once_more(sweep, &mut climb, &validation).await? {
                knee = found;
                validation = sweep.validate(knee).await?;
            }
        }
        Ok((climb, knee, validation))
    }

    /// Climbs from the last of the rates that is at most `from`, looks closer where the objective stops holding, and returns
    /// the knee.
    pub(super) async fn search(&self, sweep: &Sweep<'_>, climb: &mut Climb, from: f64) -> Result<f64, Stop> {
        sweep.climb(climb, beginning(&self.rates(), from)).await?;
        sweep.narrow(climb).await?;
        knee(&climb.steps, &sweep.objective).ok_or_else(|| Stop::Nothing(self.unfound(&climb.steps)))
    }

    /// The knee with the steps that contradict the one before it; `None` if there is none up to the last rate.
    async fn once_more(
        &self,
        sweep: &Sweep<'_>,
        climb: &mut Climb,
        contradiction: &[Step],
    ) -> Result<Option<f64>, Stop> {
        contradiction.iter().for_each(|step| climb.add(step.clone()));
        let highest = climb.steps.last().filter(|step| step.good(&sweep.objective));
        if let Some(highest) = highest.map(|step| step.offered) {
            let higher: Vec<f64> = self.rates().into_iter().filter(|rate| *rate > highest).collect();
            sweep.climb(climb, &higher).await?;
        }
        sweep.narrow(climb).await?;
        Ok(knee(&climb.steps, &sweep.objective))
    }

    /// Each higher than the one before by the same factor.
    pub(super) fn rates(&self) -> Vec<f64> {
        let last = f64::from(self.steps - 1);
        (0..self.steps).map(|n| self.from * (self.to / self.from).powf(f64::from(n) / last)).collect()
    }

    fn unfound(&self, steps: &[Step]) -> String {
        let (from, to) = (self.from, self.to);
        if !steps.iter().any(|step| step.good(&self.objective())) {
            format!(
                "the objective does not even hold at {from:.0} journeys per second: try a smaller --from, or `load run smoke`"
            )
        } else {
            format!("the objective still holds at {to:.0} journeys per second: try a larger --to")
        }
    }
}

/// The rates from the last one on that is at most `from`; all of them if none is.
fn beginning(rates: &[f64], from: f64) -> &[f64] {
    &rates[rates.iter().rposition(|rate| *rate <= from).unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_begins_at_or_below_where_it_was_told_to() {
        let rates = [50.0, 100.0, 200.0, 400.0];
        assert_eq!(beginning(&rates, 50.0), rates);
        assert_eq!(beginning(&rates, 150.0), [100.0, 200.0, 400.0]);
        assert_eq!(beginning(&rates, 10.0), rates, "never above the first");
    }
}
