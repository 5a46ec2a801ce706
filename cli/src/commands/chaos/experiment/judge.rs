//! What an experiment states about automation and about the time until everything is well, compared with its passes.

use super::{
    automation::{Automation, Restored},
    file::Experiment,
    pair::Pair,
    pass::{Ending, Pass},
};

/// How many times as long the second pass took until everything was well; infinite, if it never was.
pub(super) fn longer(passes: &[Pass]) -> Option<f64> {
    let [first, second] = passes else { return None };
    let with = first.restored_after?;
    match (second.ending, second.restored_after) {
        (Ending::Invalid, _) => None,
        // Nothing was bad with it.
        (_, Some(without)) if with <= 0.0 => (without > 0.0).then_some(f64::INFINITY),
        (_, without) => Some(without.map_or(f64::INFINITY, |without| without / with)),
    }
}

/// What is not as the file says about automation, and about the time until everything is well.
pub(super) fn unmet(experiment: &Experiment, passes: &[Pass]) -> Vec<String> {
    let mut unmet = Vec::new();
    // What did not run to its end says nothing about automation.
    let ran = |pass: &&Pass| matches!(pass.ending, Ending::Steady | Ending::Lost);
    if let Some(restored) = &experiment.restored
        && let Some(first) = passes.first().filter(ran)
    {
        let compared = passes.get(1).is_some_and(|second| second.ending != Ending::Invalid);
        unmet.extend(late(restored, first, longer(passes)));
        if restored.least.is_some() && compared && longer(passes).is_none() && first.restored_after.is_some()
        {
            unmet.push("nothing was bad in either pass: it compares nothing".to_owned());
        }
    }
    if let Some(automation) = &experiment.automation {
        unmet.extend(passes.first().filter(ran).into_iter().flat_map(|pass| did(automation, pass)));
        let second = passes.get(1).and_then(|pass| pass.deeds.as_ref());
        let acted =
            second.filter(|deeds| experiment.pair == Some(Pair::Automation) && !deeds.acted.is_empty());
        unmet.extend(acted.map(|deeds| format!("automation acted while it was off: {}", deeds.words())));
    }
    unmet
}

fn did(automation: &Automation, pass: &Pass) -> Vec<String> {
    pass.deeds.as_ref().map_or_else(Vec::new, |deeds| deeds.wrong(automation))
}

fn late(restored: &Restored, first: &Pass, longer: Option<f64>) -> Vec<String> {
    let mut late = Vec::new();
    let within = restored.within.as_secs_f64();
    match first.restored_after {
        None => late.push(format!("it was never well again, stated is within {within:.0} s")),
        Some(after) if after > within => {
            late.push(format!("it was well again after {after:.0} s, stated is within {within:.0} s"));
        }
        Some(_) => {}
    }
    if let (Some(least), Some(factor)) = (restored.least, longer)
        && factor < least
    {
        late.push(format!("it took {factor:.1} times as long without, stated is at least {least} times"));
    }
    late
}

/// A pair of automation, for tests.
#[cfg(test)]
pub(super) const HANGS: &str = "\
title: A worker hangs
hypothesis: It is restarted.
scope: {services: [order-worker], budget: 100%}
steady_state: [{name: orders are settled, query: up}]
method: [{fault: {service: order-worker, fault: consumer-pause}, lasts: 2m}]
pair: {without: automation}
automation: {runbooks: [ConsumerLagGrowing], least: 1}
restored: {within: 60s, least: 2}
";

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::commands::chaos::{
        experiment::{file, hands::Deeds},
        eyes::Budgets,
    };

    fn pass(restored_after: Option<f64>, acted: usize) -> Pass {
        let line = "RUN-1 of ConsumerLagGrowing: succeeded, every step is done".to_owned();
        Pass {
            ending: Ending::Steady,
            why: None,
            from: Utc::now(),
            until: Utc::now(),
            deviations: Vec::new(),
            alerts: Vec::new(),
            burned: Budgets::new(),
            recovered_after: Some(5.0),
            restored_after,
            deeds: Some(Deeds { acted: vec![line; acted], ..Deeds::default() }),
        }
    }

    fn found(passes: &[Pass]) -> Vec<String> {
        unmet(&file::read("x.yaml", HANGS).unwrap(), passes)
    }

    #[test]
    fn automation_has_to_be_sooner_than_nobody() {
        assert_eq!(found(&[pass(Some(30.0), 1), pass(Some(121.0), 0)]), Vec::<String>::new());
        assert_eq!(
            found(&[pass(Some(0.0), 1), pass(Some(121.0), 0)]),
            Vec::<String>::new(),
            "users felt nothing"
        );
        assert_eq!(found(&[pass(Some(30.0), 1), pass(None, 0)]), Vec::<String>::new(), "without, never");
        for (passes, said) in [
            (vec![pass(Some(70.0), 1), pass(Some(200.0), 0)], "after 70 s, stated is within 60 s"),
            (
                vec![pass(Some(50.0), 1), pass(Some(80.0), 0)],
                "1.6 times as long without, stated is at least 2",
            ),
            (vec![pass(None, 1), pass(None, 0)], "never well again"),
            (vec![pass(Some(0.0), 1), pass(Some(0.0), 0)], "compares nothing"),
            (vec![pass(Some(30.0), 0), pass(Some(121.0), 0)], "0 runs of ConsumerLagGrowing"),
            (vec![pass(Some(30.0), 1), pass(Some(121.0), 1)], "automation acted while it was off"),
        ] {
            let found = found(&passes);
            assert!(found.len() == 1 && found[0].contains(said), "{said}: {found:?}");
        }
    }

    #[test]
    fn a_pass_that_was_stopped_says_nothing() {
        let mut stopped = pass(None, 0);
        stopped.ending = Ending::Aborted;
        assert_eq!(found(&[stopped]), Vec::<String>::new());
    }
}
