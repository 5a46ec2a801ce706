//! Where the rules come from: from files, and from people who change something at run time. What people set
//! outlives a change of the files, and ends with the process.

use std::{collections::BTreeMap, sync::Arc};

use tokio::task::AbortHandle;

use super::{
    current::{Current, Listed},
    warnings::Warnings,
};
use crate::{
    domain::waf::{Mode, Rule, RuleSet},
    metrics::{FirewallMetrics, RuleMeter},
};

/// Rules at most, pushed ones included.
const MOST_RULES: usize = 200;

/// Where the rules in force come from.
#[derive(Default)]
pub(super) struct Sources {
    enabled: bool,
    /// Whether the firewall is on unless somebody switched it.
    from_start: bool,
    /// Of the files.
    loaded: Vec<Arc<Rule>>,
    /// Set at run time; they replace those of the files.
    pushed: BTreeMap<String, Arc<Rule>>,
    /// Modes that were set at run time.
    modes: BTreeMap<String, Mode>,
    /// What ends pushed rules whose time is bounded.
    timers: BTreeMap<String, AbortHandle>,
    /// Of all rules that are ever in force.
    warnings: Arc<Warnings>,
}

/// A change at run time.
pub enum Change {
    /// On or off: the kill switch.
    Switch(bool),
    /// Another mode for a rule.
    Mode(String, Mode),
    /// A rule, in addition or in place of the one with its id.
    Push(Arc<Rule>),
    /// The end of what was set for a rule.
    Withdraw(String),
    /// The end of all that was set.
    Reset,
}

impl Sources {
    /// Of these rules.
    pub(super) fn new(enabled: bool, rules: Vec<Rule>) -> Self {
        let mut sources = Self { enabled, from_start: enabled, ..Self::default() };
        sources.load(rules);
        sources
    }

    /// Takes the rules of the files.
    pub(super) fn load(&mut self, rules: Vec<Rule>) {
        self.loaded = rules.into_iter().map(Arc::new).collect();
    }

    fn listed(&self) -> Vec<Listed> {
        let kept = self.loaded.iter().filter(|rule| !self.pushed.contains_key(&rule.id));
        let kept = kept.map(|rule| (rule, false));
        let all = kept.chain(self.pushed.values().map(|rule| (rule, true)));
        let listed = |(rule, pushed): (&Arc<Rule>, bool)| {
            let set = self.modes.get(&rule.id).copied();
            Listed {
                rule: Arc::clone(rule),
                mode: set.unwrap_or(rule.mode),
                pushed,
                mode_set: set.is_some(),
                of_file: self.loaded.iter().find(|loaded| loaded.id == rule.id).cloned(),
            }
        };
        all.map(listed).collect()
    }

    /// What they come to.
    pub(super) fn assemble(&self, metrics: &FirewallMetrics) -> Current {
        let all = self.listed();
        let rules = RuleSet::new(all.iter().map(|listed| (Arc::clone(&listed.rule), listed.mode)));
        let meters = rules.rules().map(|rule| RuleMeter::new(metrics, &rule.id)).collect();
        // The series of a rule that is off exist, too.
        all.iter().for_each(|listed| drop(RuleMeter::new(metrics, &listed.rule.id)));
        Current::new(self.enabled, rules, meters, all, Arc::clone(&self.warnings))
    }

    /// Changes something.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn change(&mut self, change: Change) -> Result<(), String> {
        match change {
            Change::Switch(on) => self.enabled = on,
            Change::Mode(id, mode) => {
                if !self.has(&id) {
                    return Err(format!("there is no rule `{id}`"));
                }
                self.modes.insert(id, mode);
            }
            Change::Push(rule) => {
                if self.listed().len() >= MOST_RULES && !self.has(&rule.id) {
                    return Err(format!("there are {MOST_RULES} rules already"));
                }
                self.modes.remove(&rule.id);
                self.stop_timer(&rule.id);
                self.pushed.insert(rule.id.clone(), rule);
            }
            Change::Withdraw(id) => {
                if !self.has(&id) {
                    return Err(format!("there is no rule `{id}`"));
                }
                self.pushed.remove(&id);
                self.modes.remove(&id);
                self.stop_timer(&id);
            }
            Change::Reset => {
                self.enabled = self.from_start;
                self.pushed.clear();
                self.modes.clear();
                std::mem::take(&mut self.timers).into_values().for_each(|timer| timer.abort());
            }
        }
        Ok(())
    }

    /// Keeps what will end a pushed rule, unless another one is in force already. It ends with the rule.
    pub(super) fn keep_timer(&mut self, rule: &Arc<Rule>, timer: AbortHandle) {
        if self.is_pushed(rule) {
            self.timers.insert(rule.id.clone(), timer);
        } else {
            timer.abort();
        }
    }

    fn stop_timer(&mut self, id: &str) {
        if let Some(timer) = self.timers.remove(id) {
            timer.abort();
        }
    }

    fn is_pushed(&self, rule: &Arc<Rule>) -> bool {
        self.pushed.get(&rule.id).is_some_and(|pushed| Arc::ptr_eq(pushed, rule))
    }

    /// Ends what was pushed, with its mode, if it is still this rule; whether it was.
    pub(super) fn expire(&mut self, rule: &Arc<Rule>) -> bool {
        let same = self.is_pushed(rule);
        if same {
            self.pushed.remove(&rule.id);
            self.modes.remove(&rule.id);
            self.timers.remove(&rule.id);
        }
        same
    }

    fn has(&self, id: &str) -> bool {
        self.pushed.contains_key(id) || self.loaded.iter().any(|rule| rule.id == id)
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinHandle;

    use super::*;
    use crate::domain::waf;

    const RULE: &str = "
id: no-tea
title: Coffee only
mode: enforce
engine: linear
targets: [query]
pattern: 'tea'
cases:
  - {what: tea, query: q=tea, verdict: block}
  - {what: coffee, query: q=coffee, verdict: pass}
";

    /// Pushes the rule with a timer that would never end.
    fn push(sources: &mut Sources) -> JoinHandle<()> {
        let rule = Arc::new(waf::read("no-tea.yaml", RULE).expect("a rule"));
        sources.change(Change::Push(Arc::clone(&rule))).expect("there is room");
        let timer = tokio::spawn(std::future::pending::<()>());
        sources.keep_timer(&rule, timer.abort_handle());
        timer
    }

    async fn ended(timer: JoinHandle<()>) -> bool {
        timer.await.is_err_and(|error| error.is_cancelled())
    }

    #[tokio::test]
    async fn the_timer_of_a_rule_ends_with_it() {
        let mut sources = Sources::default();
        let first = push(&mut sources);
        let second = push(&mut sources);
        assert!(ended(first).await, "it was replaced");
        sources.change(Change::Withdraw("no-tea".to_owned())).expect("it is there");
        assert!(ended(second).await, "it was withdrawn");
        let third = push(&mut sources);
        sources.change(Change::Reset).expect("always");
        assert!(ended(third).await, "everything was taken back");
        assert!(sources.timers.is_empty());
    }
}
