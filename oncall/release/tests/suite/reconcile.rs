//! The way from what runs to what should run: it arrives, and on the way no request goes where nobody answers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use release::desired::{
    Act, Applied, Canary, Cause, Decision, Desired, Drift, Failure, Health, Input, Seen, Service, Setting,
    Settings, reconcile,
};

use crate::{desired, support::after};

/// What runs, and what is known of the past.
#[derive(Debug, Default)]
struct Lab {
    live: BTreeMap<Setting, Seen>,
    applied: Option<Applied>,
    failures: BTreeMap<Setting, Failure>,
    seconds: i64,
    /// When the canary of a service was started.
    canaries: BTreeMap<String, i64>,
}

impl Lab {
    /// A lab that runs just this.
    fn running(desired: &Desired) -> Self {
        let settings = desired.settings();
        let seen = |(setting, value): (&Setting, &String)| (setting.clone(), Seen::Value(value.clone()));
        let live = settings.iter().map(seen).collect();
        let canaries = desired.services.keys().map(|service| (service.clone(), -10)).collect();
        let applied = Some(Applied { commit: "c0".to_owned(), settings });
        Self { live, applied, canaries, ..Self::default() }
    }

    fn decide(&self, desired: &Settings, drift: Drift) -> Decision {
        let mut live = self.live.clone();
        // What nobody has set is seen, too.
        let before = self.applied.iter().flat_map(|applied| applied.settings.keys());
        for setting in desired.keys().chain(before) {
            live.entry(setting.clone()).or_insert(Seen::Absent);
        }
        // A canary needs two seconds.
        let ready = self.canaries.iter().filter(|(_, since)| self.seconds - **since >= 2);
        let ready: BTreeSet<String> = ready.map(|(service, _)| service.clone()).collect();
        let (applied, failures) = (self.applied.as_ref(), &self.failures);
        let now = after(self.seconds);
        reconcile(&Input { desired, drift, applied, live: &live, ready: &ready, failures, now })
    }

    fn perform(&mut self, act: &Act) {
        if let Setting::Canary { service } = &act.setting {
            self.canaries.insert(service.clone(), self.seconds);
        }
        match &act.to {
            Some(to) => self.live.insert(act.setting.clone(), Seen::Value(to.clone())),
            None => self.live.remove(&act.setting),
        };
    }

    fn value(&self, setting: &Setting) -> &str {
        self.live.get(setting).and_then(Seen::value).unwrap_or("none")
    }

    /// No share of the requests goes to a canary that is not there or not ready.
    fn is_safe(&self) -> bool {
        self.canaries.keys().all(|service| {
            let weight = self.value(&Setting::Weight { service: service.clone() });
            let canary = self.value(&Setting::Canary { service: service.clone() });
            let ready = self.canaries.get(service).is_some_and(|since| self.seconds - since >= 2);
            weight == "none" || weight == "0" || (canary != "none" && ready)
        })
    }

    /// Until it is settled; the number of rounds.
    fn run(&mut self, desired: &Desired) -> Result<usize, String> {
        let settings = desired.settings();
        for round in 0..40 {
            let decision = self.decide(&settings, desired.drift);
            if decision.settled {
                self.applied = Some(Applied { commit: "c1".to_owned(), settings });
                return Ok(round);
            }
            for act in &decision.acts {
                self.perform(act);
                if !self.is_safe() {
                    return Err(format!("{act:?} sends requests nowhere: {:?}", self.live));
                }
            }
            self.seconds += 1;
        }
        Err(format!("it never settles: {:?}", self.decide(&settings, desired.drift)))
    }
}

fn state(version: &str, canary: Option<(&str, u32)>) -> Desired {
    let canary = canary.map(|(version, weight)| Canary { version: version.to_owned(), weight });
    let service = Service { version: version.to_owned(), canary, flags: BTreeMap::new() };
    Desired { services: BTreeMap::from([("order-api".to_owned(), service)]), ..Desired::default() }
}

/// The settings of each round, shortly.
fn rounds(lab: &mut Lab, desired: &Desired) -> Vec<String> {
    let mut rounds = Vec::new();
    for _ in 0..10 {
        let decision = lab.decide(&desired.settings(), desired.drift);
        let acts = decision.acts.iter().map(|act| {
            let to = act.to.as_deref().unwrap_or("nothing");
            format!("{}={to}", act.setting.to_string().trim_start_matches("services.order-api."))
        });
        rounds.extend(acts);
        decision.acts.iter().for_each(|act| lab.perform(act));
        lab.seconds += 1;
    }
    rounds
}

#[test]
fn a_release_goes_forth_and_back_in_the_order_that_keeps_requests_safe() {
    let (old, canary, new) = (state("v1", None), state("v1", Some(("v2", 50))), state("v2", None));
    let mut lab = Lab::running(&old);
    assert_eq!(rounds(&mut lab, &canary), ["canary.version=v2", "canary.weight=50"]);
    lab.applied = Some(Applied { commit: "c1".to_owned(), settings: canary.settings() });
    let mut other = Lab { live: lab.live.clone(), canaries: lab.canaries.clone(), ..Lab::default() };
    assert_eq!(rounds(&mut lab, &new), ["version=v2", "canary.weight=0", "canary.version=none"]);
    assert_eq!(rounds(&mut other, &old), ["canary.weight=0", "canary.version=none"]);
}

#[test]
fn a_promotion_is_taken_back_while_the_baseline_still_answers() {
    let (old, canary) = (state("v1", None), state("v1", Some(("v2", 50))));
    let version = Setting::Version { service: "order-api".to_owned() };
    for seen in [Seen::Value("v2".to_owned()), Seen::Absent] {
        let mut lab = Lab::running(&canary);
        lab.applied = None;
        lab.live.insert(version.clone(), seen);
        assert_eq!(rounds(&mut lab, &old), ["version=v1", "canary.weight=0", "canary.version=none"]);
    }
}

#[test]
fn another_canary_gets_its_requests_once_it_is_ready_even_where_drift_is_kept() {
    let keep = |desired| Desired { drift: Drift::Keep, ..desired };
    let (one, other) = (keep(state("v1", Some(("v2", 25)))), keep(state("v1", Some(("v3", 25)))));
    let mut lab = Lab::running(&one);
    assert_eq!(rounds(&mut lab, &other), ["canary.weight=0", "canary.version=v3", "canary.weight=25"]);
}

#[test]
fn what_was_changed_by_hand_is_healed_or_kept_and_shown_either_way() {
    let weight = Setting::Weight { service: "order-api".to_owned() };
    for (drift, cause, acts) in [(Drift::Heal, Cause::Healed, 1), (Drift::Keep, Cause::Kept, 0)] {
        let desired = Desired { drift, ..state("v1", Some(("v2", 5))) };
        let mut lab = Lab::running(&desired);
        assert_eq!(lab.decide(&desired.settings(), drift).health, Health::Synced);
        lab.live.insert(weight.clone(), Seen::Value("40".to_owned()));
        let decision = lab.decide(&desired.settings(), drift);
        assert_eq!(decision.health, Health::OutOfSync);
        assert_eq!((&decision.open[0].setting, &decision.open[0].cause), (&weight, &cause));
        assert_eq!((decision.acts.len(), decision.settled), (acts, drift == Drift::Keep));
        // A new commit about the same thing is not held up by it.
        let next = Desired { drift, ..state("v1", Some(("v2", 25))) };
        assert_eq!(lab.decide(&next.settings(), drift).acts.len(), 1, "{drift}");
    }
}

#[test]
fn what_cannot_be_seen_or_done_is_degraded_and_tried_again_later_each_time() {
    let (old, new) = (state("v1", None), state("v2", None));
    let version = Setting::Version { service: "order-api".to_owned() };
    let mut lab = Lab::running(&old);
    lab.live.insert(version.clone(), Seen::Unknown("connection refused".to_owned()));
    let decision = lab.decide(&new.settings(), Drift::Heal);
    assert_eq!((decision.health, decision.acts.len(), decision.settled), (Health::Degraded, 0, false));

    let mut lab = Lab::running(&old);
    for (times, pause) in [(1, 1), (2, 2), (3, 4), (9, 60), (4_000_000_000, 60)] {
        let failure = Failure { at: after(0), times, why: "no such binary".to_owned() };
        lab.failures.insert(version.clone(), failure);
        lab.seconds = pause - 1;
        let decision = lab.decide(&new.settings(), Drift::Heal);
        assert_eq!((decision.health, decision.acts.len()), (Health::Degraded, 0), "{times}");
        lab.seconds = pause;
        assert_eq!(lab.decide(&new.settings(), Drift::Heal).acts.len(), 1, "{times}");
    }
}

#[test]
fn one_thing_that_fails_does_not_hold_up_the_others() {
    let mut wanted = state("v2", Some(("v3", 5)));
    wanted.firewall = Some(true);
    let mut lab = Lab::running(&state("v1", None));
    let failure = |times| Failure { at: after(0), times, why: "it does not start".to_owned() };
    let canary = Setting::Canary { service: "order-api".to_owned() };
    lab.failures.insert(canary, failure(5));
    let decision = lab.decide(&wanted.settings(), Drift::Heal);
    let acts: Vec<String> = decision.acts.iter().map(|act| act.setting.to_string()).collect();
    assert_eq!((decision.health, acts), (Health::Degraded, vec!["firewall".to_owned()]));
}

#[test]
fn what_is_no_longer_decided_is_taken_back() {
    let mut before = state("v1", None);
    before.firewall = Some(false);
    let mut lab = Lab::running(&before);
    let decision = lab.decide(&state("v1", None).settings(), Drift::Heal);
    assert_eq!(decision.acts, [Act { setting: Setting::Firewall, to: None }]);
    lab.perform(&decision.acts[0]);
    lab.live.insert(Setting::Firewall, Seen::Absent);
    assert_eq!(lab.decide(&state("v1", None).settings(), Drift::Heal).health, Health::Synced);
}

#[test]
fn what_was_applied_is_the_same_after_it_was_kept() {
    let applied = Applied { commit: "c0".to_owned(), settings: state("v1", Some(("v2", 5))).settings() };
    let text = serde_json::to_string(&applied).unwrap();
    assert_eq!(serde_json::from_str::<Applied>(&text).unwrap(), applied);
}

proptest! {
    #[test]
    fn from_any_state_to_any_other_it_arrives_and_every_request_on_the_way_has_an_answer(
        before in desired::desired(), after in desired::desired(),
    ) {
        let after = Desired { drift: Drift::Heal, ..after };
        let mut lab = Lab::running(&before);
        let arrived = lab.run(&after);
        prop_assert!(arrived.is_ok(), "{arrived:?}");
        let decision = lab.decide(&after.settings(), Drift::Heal);
        prop_assert_eq!(decision.health, Health::Synced);
        prop_assert!(decision.acts.is_empty());
    }

    #[test]
    fn what_is_kept_by_choice_is_never_touched(state in desired::desired(), hand in any::<prop::sample::Index>()) {
        let state = Desired { drift: Drift::Keep, ..state };
        let mut lab = Lab::running(&state);
        let settings = state.settings();
        let (setting, _) = settings.iter().nth(hand.index(settings.len())).expect("a setting");
        lab.live.insert(setting.clone(), Seen::Value("by hand".to_owned()));
        let decision = lab.decide(&settings, Drift::Keep);
        prop_assert!(decision.acts.is_empty() && decision.settled);
        prop_assert_eq!(decision.health, Health::OutOfSync);
    }
}
