//! Where the time of a run went.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Phase, Run};

/// The actions before the baseline, and what their time is called.
const PREPARED: [(&str, &str); 2] = [("forget", "forget"), ("set-load", "load")];

/// A part of a run, and how long it took. All of a run add up to its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lap {
    /// `forget`, `load`, `healthy`, `injection`, `observe`, `wrong action 1`, `step 1`, `recover` or `reset`.
    pub name: String,
    /// In seconds.
    pub seconds: f64,
}

impl Run {
    /// The parts of a run that ended then, in their order.
    pub(super) fn laps(&self, ended: DateTime<Utc>) -> Vec<Lap> {
        let mut marks: Vec<(String, DateTime<Utc>)> = Vec::new();
        let ends = self.phases.iter().skip(1).map(|(_, at)| *at).chain([ended]);
        for ((phase, _), end) in self.phases.iter().zip(ends) {
            match phase {
                Phase::Baseline => {
                    let done = |(id, name): (&str, &str)| Some((name.to_owned(), *self.done.get(id)?));
                    marks.extend(PREPARED.into_iter().filter_map(done));
                    marks.push(("healthy".to_owned(), end));
                }
                Phase::Observe => {
                    marks.extend(self.injected.map(|at| ("injection".to_owned(), at)));
                    marks.push((phase.to_string(), end));
                }
                Phase::Finished => {}
                phase => marks.push((phase.to_string(), end)),
            }
        }
        let mut from = self.start.at;
        let lap = |(name, at): (String, DateTime<Utc>)| {
            let seconds = (at - from).as_seconds_f64().max(0.0);
            from = from.max(at);
            Lap { name, seconds }
        };
        marks.into_iter().map(lap).collect()
    }
}
