//! One measurement: quiet, broken, firing, handled, quiet again, as before.

use anyhow::Result;
use tokio::time::Instant;

use super::{
    bench::Bench,
    fault::Fault,
    report::{Row, judge},
    script::{Played, Script},
    snapshot::Snapshot,
    way::Way,
};

/// How a run ends whose last proof held.
const SUCCEEDED: &str = "succeeded";

/// What becomes of the budget that a measurement spends. To spend one takes seven minutes, so two ways share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Budget {
    /// It is spent for this measurement, and forgotten after it.
    Own,
    /// It is spent for this measurement, and stays spent for the next one.
    Keep,
    /// The measurement before has spent it: the alert fires already.
    Kept,
}

/// How to measure.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) way: Way,
    /// The acts of the runbook are known not to end its alert.
    pub(super) vain: bool,
    pub(super) budget: Budget,
}

impl Bench<'_> {
    /// Measures once. What goes wrong is in the row.
    pub(super) async fn measure(&self, name: &str, fault: &Fault, how: How) -> Row {
        let tried = self.tried(name, fault, how).await;
        // Whatever has happened, no fault stays, and no run.
        let cleared = self.clear(fault).await;
        match tried.and_then(|row| cleared.map(|()| row)) {
            Ok(row) => row,
            Err(error) => Row::failed(name, how.way, format!("{error:#}")),
        }
    }

    async fn tried(&self, name: &str, fault: &Fault, how: How) -> Result<Row> {
        let way = how.way;
        let kept = how.budget == Budget::Kept;
        if !kept {
            self.calm(name, fault).await?;
        }
        let before = Snapshot::take(&self.home, self.place, &self.alertmanager).await?;
        let broken = Instant::now();
        self.breaks(fault).await?;
        let labels = if kept {
            self.fires_again(name, fault, broken).await?
        } else {
            self.fires(name, fault, broken).await?
        };
        let fired = (!kept).then(|| broken.elapsed().as_secs_f64());
        let played = match way {
            Way::Nobody | Way::Untried => None,
            Way::Manual | Way::Auto => {
                Some(Script::of(self, name, fault).play(way, how.vain, &labels, broken).await?)
            }
        };
        let over = self.over(fault, how, broken, played.as_ref()).await?;
        // What the run has seen comes first: it may go on for longer than its alert.
        let ended = match played.as_ref().and_then(|played| played.quiet) {
            Some(quiet) => Some(quiet),
            None if how.budget == Budget::Keep && !over.forgotten => None,
            None => Some(self.ends(name, fault, &labels, over.cause).await?),
        };
        let ended = ended.map(|ended| ended.duration_since(broken));
        self.repair(fault).await?;
        let left = before.differences(&self.after().await?);
        let early = !over.removed && ended.is_some_and(|ended| ended < fault.ttl);
        Ok(Row {
            runbook: name.to_owned(),
            way,
            fired,
            ended: ended.map(|ended| ended.as_secs_f64()),
            cause: fault.ttl.as_secs_f64(),
            verdict: judge(played.as_ref(), early),
            ending: played.map(|played| format!("{}: {}", played.ending, played.why)),
            left,
            problem: None,
        })
    }

    /// Ends what lasts although the run is over, and says how the cause has ended.
    async fn over(&self, fault: &Fault, how: How, broken: Instant, played: Option<&Played>) -> Result<Over> {
        let removed = played.is_some_and(|played| played.removed);
        let mut over = Over { cause: broken + fault.ttl, removed, forgotten: false };
        let fine = played.is_none_or(|played| played.ending == SUCCEEDED);
        if fault.forgets && how.way != Way::Nobody && !(fine && how.budget == Budget::Keep) {
            self.repair(fault).await?;
            self.forget().await?;
            (over.removed, over.forgotten) = (true, true);
        } else if !fine {
            // The run is over and has ended nothing: the rest of the fault shows nothing of it.
            self.repair(fault).await?;
            over.cause = over.cause.min(Instant::now());
            over.removed = true;
        }
        Ok(over)
    }
}

/// How a cause has ended.
struct Over {
    /// When, at the latest.
    cause: Instant,
    /// Whether it was this program that has ended it.
    removed: bool,
    /// Whether what it spent is forgotten.
    forgotten: bool,
}
