//! What is remembered from look to look: what was put into force, and what failed. Asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use release::desired::{Act, Applied, Decision, Failure, Input, Seen, Setting, reconcile};

use super::{edges::DIFFERS, wanted::Wanted};

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Book {
    applied: Applied,
    failures: BTreeMap<Setting, Failure>,
}

impl Book {
    /// What is decided, and what was and has to be taken back.
    pub(super) fn known(&self, wanted: &Wanted) -> BTreeSet<Setting> {
        wanted.settings.keys().chain(self.applied.settings.keys()).cloned().collect()
    }

    /// What to do now.
    pub(super) fn decide(&self, wanted: &Wanted, live: &BTreeMap<Setting, Seen>) -> Decision {
        reconcile(&Input {
            desired: &wanted.settings,
            drift: wanted.drift,
            applied: Some(&self.applied),
            live,
            ready: &BTreeSet::new(),
            failures: &self.failures,
            now: Utc::now(),
        })
    }

    /// Another commit: what failed before may well work now.
    pub(super) fn renew(&mut self) {
        self.failures.clear();
    }

    /// An act is in force.
    pub(super) fn done(&mut self, act: Act) {
        self.failures.remove(&act.setting);
        match act.to {
            Some(value) => drop(self.applied.settings.insert(act.setting, value)),
            None => drop(self.applied.settings.remove(&act.setting)),
        }
    }

    /// The text of a rule is on its way, in one edge first: whatever a later commit says, it has to be set or taken back.
    pub(super) fn begun(&mut self, setting: Setting) {
        if matches!(setting, Setting::Rule { .. }) {
            self.applied.settings.insert(setting, DIFFERS.to_owned());
        }
    }

    /// What was put into force last, if it is everywhere.
    pub(super) fn in_force(&self, setting: &Setting) -> Option<&str> {
        self.applied.settings.get(setting).map(String::as_str).filter(|value| *value != DIFFERS)
    }

    /// An act failed, maybe not everywhere: whatever a later commit says, the setting has to be set or taken back.
    pub(super) fn failed(&mut self, act: Act, why: String) {
        if let Setting::Rule { rule } = &act.setting {
            // A push ends the mode of its rule.
            let mode = self.applied.settings.get_mut(&Setting::Mode { rule: rule.clone() });
            mode.into_iter().for_each(|mode| DIFFERS.clone_into(mode));
        }
        self.applied.settings.insert(act.setting.clone(), DIFFERS.to_owned());
        let times = self.failures.get(&act.setting).map_or(0, |failure| failure.times);
        let failure = Failure { at: Utc::now(), times: times.saturating_add(1), why };
        self.failures.insert(act.setting, failure);
    }

    /// An edge does not have these any more, and nobody has changed them by hand.
    pub(super) fn lost(&mut self, settings: BTreeSet<Setting>) {
        self.applied.settings.extend(settings.into_iter().map(|setting| (setting, DIFFERS.to_owned())));
    }

    /// All of it is in force.
    pub(super) fn settled(&mut self, wanted: &Wanted) {
        self.applied = Applied { commit: wanted.commit.clone(), settings: wanted.settings.clone() };
    }
}

#[cfg(test)]
mod tests {
    use release::desired::{Cause, Drift, Settings};

    use super::*;

    const LIMIT: &str = "rps=20 burst=40";

    fn wanted(limit: Option<&str>) -> Wanted {
        let settings: Settings = limit.map(|limit| (Setting::Limit, limit.to_owned())).into_iter().collect();
        Wanted { commit: "c1".to_owned(), settings, services: Vec::new(), drift: Drift::Keep }
    }

    fn limit(to: Option<&str>) -> Act {
        Act { setting: Setting::Limit, to: to.map(str::to_owned) }
    }

    fn seen(limit: &str) -> BTreeMap<Setting, Seen> {
        BTreeMap::from([(Setting::Limit, Seen::Value(limit.to_owned()))])
    }

    #[test]
    fn what_failed_on_one_edge_is_taken_back_once_no_commit_asks_for_it() {
        let mut book = Book::default();
        book.failed(limit(Some(LIMIT)), "edge-2: no".to_owned());
        let none = wanted(None);
        assert!(book.known(&none).contains(&Setting::Limit));
        assert!(book.decide(&none, &seen(DIFFERS)).acts.is_empty(), "it waits after a failure");
        book.renew();
        assert_eq!(book.decide(&none, &seen(DIFFERS)).acts, [limit(None)], "another commit does not wait");
        book.done(limit(None));
        assert!(book.known(&none).is_empty());
    }

    #[test]
    fn what_an_edge_has_lost_is_set_again_and_what_was_changed_by_hand_stays() {
        let mut book = Book::default();
        let all = wanted(Some(LIMIT));
        book.settled(&all);
        let decision = book.decide(&all, &seen(DIFFERS));
        assert_eq!((decision.acts.len(), &decision.open[0].cause), (0, &Cause::Kept));
        book.lost(book.known(&all));
        let decision = book.decide(&all, &seen(DIFFERS));
        assert_eq!((decision.acts, decision.settled), (vec![limit(Some(LIMIT))], false));
    }

    #[test]
    fn a_rule_that_one_edge_has_is_taken_back_there_if_the_commit_is_reverted_meanwhile() {
        let file = || Setting::Rule { rule: "scanners".to_owned() };
        let mut book = Book::default();
        book.done(Act { setting: file(), to: Some("id: scanners\n".to_owned()) });
        assert_eq!(book.in_force(&file()), Some("id: scanners\n"));
        book.begun(file());
        assert_eq!(book.in_force(&file()), None);
        let none = wanted(None);
        let live = BTreeMap::from([(file(), Seen::Value(DIFFERS.to_owned()))]);
        assert!(book.known(&none).contains(&file()));
        assert_eq!(book.decide(&none, &live).acts, [Act { setting: file(), to: None }]);
    }

    #[test]
    fn a_rule_that_failed_may_have_lost_its_mode() {
        let (rule, mode) = (|| "scanners".to_owned(), "simulate".to_owned());
        let (file, mode_of) = (Setting::Rule { rule: rule() }, Setting::Mode { rule: rule() });
        let settings = Settings::from([(file.clone(), "id: scanners\n".to_owned()), (mode_of.clone(), mode)]);
        let all = Wanted { settings, ..wanted(None) };
        let mut book = Book::default();
        book.settled(&all);
        book.failed(Act { setting: file, to: Some("id: scanners\n".to_owned()) }, "no".to_owned());
        let live = BTreeMap::from([(mode_of.clone(), Seen::Value("enforce".to_owned()))]);
        let act = Act { setting: mode_of, to: Some("simulate".to_owned()) };
        assert_eq!(book.decide(&all, &live).acts, [act]);
    }
}
