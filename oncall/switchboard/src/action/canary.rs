//! A rule that is pushed to one edge first. The others get it only if it costs little there; otherwise it is taken back.
//!
//! What it costs is what the edge itself counts for the rule: searches that were ended at their cost, and processor
//! time. The test cases of a rule only say what it finds.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Outcome, firewall, time};
use crate::{Counts, Error, Place, Replica, Result};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// How often to try to take the rule back: an edge that is busy may not answer at once.
const TRIES: u32 = 5;
/// What is told of a rule that costs too much.
const COSTLY: &str = "costs too much, and was taken back: ";
/// Share of one processor that a rule may take: as in the alert `WafRollout`, for an edge with a single thread.
const MOST: f64 = 0.33;
/// Processor time below which the share says nothing, in seconds.
const LITTLE: f64 = 0.2;

/// Pushes a rule: `target`, its name and its file.
///
/// # Errors
/// When there is no such edge. What an edge refuses is in its [`Outcome`].
pub(super) async fn push(
    place: &Place,
    token: Option<&str>,
    (target, rule, file): (&str, &str, &str),
    lasts: Duration,
) -> Result<Vec<Outcome>> {
    let mut edges = place.replicas(Some(target), token).await?.into_iter();
    let Some(first) = edges.next() else { return Ok(Vec::new()) };
    let name = first.to_string();
    if let Err(why) = tried(&first, rule, file, lasts).await {
        let spared = |edge: Replica| Outcome::bad(edge.to_string(), format!("was spared: {name} was first"));
        let mut outcomes = vec![Outcome::bad(name.clone(), why)];
        outcomes.extend(edges.map(spared));
        return Ok(outcomes);
    }
    let well = format!("the rule {rule} is in force: it cost little for {}", time::words(lasts));
    let mut outcomes = vec![Outcome::good(name, well)];
    for edge in edges {
        let name = edge.to_string();
        outcomes.push(match edge.push_rule(rule, file.to_owned()).await {
            Ok(pushed) => Outcome::good(name, firewall::now(&pushed)),
            Err(error) => Outcome::bad(name, error.to_string()),
        });
    }
    Ok(outcomes)
}

/// Pushes the rule to one edge and looks at what it costs there; why no other one gets it.
async fn tried(edge: &Replica, rule: &str, file: &str, lasts: Duration) -> std::result::Result<(), String> {
    let before = match edge.push_rule(rule, file.to_owned()).await {
        Ok(pushed) => pushed.counts,
        Err(error @ Error::Peer(observe::Error::Refused { .. })) => return Err(error.to_string()),
        // It may be in force although the edge has not said so.
        Err(error) => return Err(taken_back(edge, rule, "was taken back: ", &error.to_string()).await),
    };
    let begun = Instant::now();
    let mut worked = false;
    while begun.elapsed() < lasts {
        sleep(LOOK.min(lasts)).await;
        let now = match edge.rule(rule).await {
            Ok(now) => now.counts,
            Err(error) => {
                let why = format!("nothing is known of it: {error}");
                return Err(taken_back(edge, rule, "was taken back: ", &why).await);
            }
        };
        if let Some(cost) = costs(before, now, begun.elapsed()) {
            return Err(taken_back(edge, rule, COSTLY, &cost).await);
        }
        worked = now.cpu_seconds > before.cpu_seconds;
    }
    if worked {
        return Ok(());
    }
    // Nothing costs nothing.
    let why = format!("no request was checked against it in {}", time::words(lasts));
    Err(taken_back(edge, rule, "was taken back: ", &why).await)
}

/// Takes the rule back, and says why.
async fn taken_back(edge: &Replica, rule: &str, how: &str, why: &str) -> String {
    let mut tries = 1;
    loop {
        match edge.restore_rule(rule).await {
            // A process that has just started does not have it.
            Ok(_) | Err(Error::Peer(observe::Error::Refused { status: 404, .. })) => {
                return format!("the rule {rule} {how}{why}");
            }
            Err(_) if tries < TRIES => tries += 1,
            Err(error) => {
                return format!("the rule {rule} is still in force ({why}), take it back: {error}");
            }
        }
        sleep(LOOK).await;
    }
}

impl Outcome {
    /// Whether a first step has shown that a rule costs too much, and has taken it back: the step has done what it is
    /// for.
    #[must_use]
    pub fn is_too_costly(&self) -> bool {
        !self.ok && self.text.contains(COSTLY)
    }
}

/// What is too much of what a rule has cost in the time that has passed since it was pushed, in a sentence: a search that was ended at
/// its cost, or more than a third of one processor. None if it is little, or nobody can say yet.
#[must_use]
pub fn costs(before: Counts, now: Counts, passed: Duration) -> Option<String> {
    let overruns = now.overruns.saturating_sub(before.overruns);
    if overruns > 0 {
        return Some(format!("{overruns} of its searches had to be ended at their cost"));
    }
    let seconds = now.cpu_seconds - before.cpu_seconds;
    let share = seconds / passed.as_secs_f64().max(f64::MIN_POSITIVE);
    (seconds > LITTLE && share > MOST)
        .then(|| format!("it took {:.0} % of a processor, the limit is {:.0} %", share * 100.0, MOST * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(overruns: u64, cpu_seconds: f64) -> Counts {
        Counts { blocked: 1, simulated: 2, overruns, cpu_seconds }
    }

    #[test]
    fn a_rule_is_stopped_for_what_it_costs_and_not_for_what_it_finds() {
        let after = |overruns, cpu, seconds| {
            costs(counts(3, 10.0), counts(overruns, cpu), Duration::from_secs_f64(seconds))
        };
        assert_eq!(after(3, 10.1, 0.1), None, "too little to judge");
        assert_eq!(after(3, 11.0, 10.0), None);
        assert_eq!(after(5, 10.0, 1.0).as_deref(), Some("2 of its searches had to be ended at their cost"));
        let burnt = after(3, 11.9, 2.0).unwrap();
        assert_eq!(burnt, "it took 95 % of a processor, the limit is 33 %");
        // A counter that started over is a new process, and says nothing.
        assert_eq!(after(0, 0.0, 1.0), None);
    }
}
