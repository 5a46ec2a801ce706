//! Tries a rule with the cases of its own file: the verdict of each, and what it costs. A rule whose verdicts
//! are right can still take more time than there is; so a case that runs over the rule's cost fails, whatever
//! its verdict.

use std::{sync::Arc, time::Duration};

use super::{
    machine::Machine,
    rule::{Case, Mode, Rule},
    set::{Bounds, RuleSet, What},
    target::Asked,
};

/// What is wrong with each case that fails.
#[must_use]
pub fn check(rule: &Arc<Rule>) -> Vec<String> {
    let set = RuleSet::new([(Arc::clone(rule), Mode::Simulate)]);
    rule.cases.iter().filter_map(|case| failure(&set, rule, case)).collect()
}

fn failure(set: &RuleSet, rule: &Rule, case: &Case) -> Option<String> {
    let Case { what, path, query, headers, body, found } = case;
    let texts = set.texts(&Asked { path, query, headers, body });
    let bounds = Bounds { guard: true, budget: u64::MAX, time: Duration::MAX };
    let judged = set.judge(&texts, bounds, &mut Machine::default(), &mut ());
    let noted = |what| judged.notes.iter().any(|note| note.what == what);
    if noted(What::Overrun) {
        return Some(format!("{}: {what}: takes more than {} steps", rule.id, rule.cost));
    }
    let (is, expected) = match (noted(What::Simulated), *found) {
        (true, false) => ("block", "pass"),
        (false, true) => ("pass", "block"),
        _ => return None,
    };
    Some(format!("{}: {what}: the verdict is {is}, and has to be {expected}", rule.id))
}
