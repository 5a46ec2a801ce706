//! One measurement: quiet, broken, firing, handled, quiet again, as before.

use anyhow::Result;
use tokio::time::Instant;

use super::{
    bench::Bench,
    fault::Fault,
    report::{Row, judge},
    script::Script,
    snapshot::Snapshot,
    way::Way,
};

/// How a run ends whose last proof held.
const SUCCEEDED: &str = "succeeded";

impl Bench<'_> {
    /// Measures once. What goes wrong is in the row. `vain`: the acts of the runbook are known not to end its alert.
    pub(super) async fn measure(&self, name: &str, fault: &Fault, way: Way, vain: bool) -> Row {
        let tried = self.tried(name, fault, way, vain).await;
        // Whatever has happened, no fault stays, and no run.
        let cleared = self.clear(fault).await;
        match tried.and_then(|row| cleared.map(|()| row)) {
            Ok(row) => row,
            Err(error) => Row::failed(name, way, format!("{error:#}")),
        }
    }

    async fn tried(&self, name: &str, fault: &Fault, way: Way, vain: bool) -> Result<Row> {
        self.calm(name, fault).await?;
        let before = Snapshot::take(&self.home, self.place, &self.alertmanager).await?;
        let broken = Instant::now();
        self.breaks(fault).await?;
        let labels = self.fires(name, fault, broken).await?;
        let fired = broken.elapsed();
        let played = match way {
            Way::Nobody | Way::Untried => None,
            Way::Manual | Way::Auto => {
                Some(Script::of(self, name, fault).play(way, vain, &labels, broken).await?)
            }
        };
        // When the cause is over at the latest, and whether it was this program that has ended it.
        let mut over = broken + fault.ttl;
        let mut removed = played.as_ref().is_some_and(|played| played.removed);
        if fault.forgets && way != Way::Nobody {
            self.repair(fault).await?;
            self.forget().await?;
            removed = true;
        } else if played.as_ref().is_some_and(|played| played.ending != SUCCEEDED) {
            // The run is over and has ended nothing: the rest of the fault shows nothing of it.
            self.repair(fault).await?;
            over = over.min(Instant::now());
            removed = true;
        }
        let ended = self.ends(name, fault, &labels, over).await?.duration_since(broken);
        self.repair(fault).await?;
        let left = before.differences(&self.after().await?);
        let verdict = judge(played.as_ref(), !removed && ended < fault.ttl);
        Ok(Row {
            runbook: name.to_owned(),
            way,
            fired: Some(fired.as_secs_f64()),
            ended: Some(ended.as_secs_f64()),
            cause: fault.ttl.as_secs_f64(),
            verdict,
            ending: played.map(|played| format!("{}: {}", played.ending, played.why)),
            left,
            problem: None,
        })
    }
}
