//! Verdicts, and that no rules and no request take more steps than they were given.

use http::HeaderMap;
use proptest::prelude::*;

use super::*;
use crate::domain::waf::{COST, rule::Matcher};

fn rule(engine: Engine, pattern: &str, cost: u64, on_overrun: OnOverrun) -> Option<Arc<Rule>> {
    let matcher = Matcher::new(engine, pattern).ok()?;
    Some(Arc::new(Rule {
        id: "rule".to_owned(),
        title: String::new(),
        mode: Mode::Enforce,
        engine,
        targets: vec![Target::Query, Target::Body],
        pattern: pattern.to_owned(),
        cost,
        on_overrun,
        cases: Vec::new(),
        matcher,
    }))
}

fn judge(set: &RuleSet, body: &'static [u8], bounds: Bounds) -> Judgement {
    let (headers, body) = (HeaderMap::new(), Bytes::from_static(body));
    let texts = set.texts(&Asked { path: "/", query: "", headers: &headers, body: &body });
    set.judge(&texts, bounds, &mut Machine::default(), &mut ())
}

const GUARD: Bounds = Bounds { guard: true, budget: 1_000_000 };

#[test]
fn the_first_rule_that_enforces_refuses_and_those_that_simulate_are_counted() {
    let find = |pattern| rule(Engine::Linear, pattern, COST, OnOverrun::Pass).unwrap();
    let set = RuleSet::new([
        (find("off"), Mode::Off),
        (find("a"), Mode::Simulate),
        (find("b"), Mode::Enforce),
        (find("c"), Mode::Enforce),
    ]);
    let judged = judge(&set, b"off a b c", GUARD);
    assert_eq!(judged.verdict, Verdict::Block(1));
    let notes: Vec<_> = judged.notes.iter().map(|note| (note.rule, note.what)).collect();
    assert_eq!(notes, [(0, What::Simulated), (1, What::Blocked)]);
    assert_eq!(judge(&set, b"off a", GUARD).verdict, Verdict::Pass);
}

#[test]
fn a_runaway_passes_or_is_blocked_as_the_rule_says_and_is_counted() {
    for (on_overrun, verdict) in [(OnOverrun::Pass, Verdict::Pass), (OnOverrun::Block, Verdict::Block(0))] {
        let runaway = rule(Engine::Backtracking, r"\d+.*(?:.*=.*)", 2_000, on_overrun).unwrap();
        let set = RuleSet::new([(runaway, Mode::Enforce)]);
        let judged = judge(&set, &[b'7'; 300], GUARD);
        assert_eq!((judged.verdict, judged.steps), (verdict, 2_000));
        assert_eq!(judged.notes[0], Note { rule: 0, what: What::Overrun });
    }
}

#[test]
fn without_the_guard_a_runaway_takes_what_it_takes() {
    let runaway = rule(Engine::Backtracking, r"\d+.*(?:.*=.*)", 2_000, OnOverrun::Block).unwrap();
    let set = RuleSet::new([(runaway, Mode::Enforce)]);
    let judged = judge(&set, &[b'7'; 60], Bounds { guard: false, budget: 10 });
    assert_eq!(judged.verdict, Verdict::Pass);
    assert!(judged.steps > 100_000, "{}", judged.steps);
}

#[test]
fn rules_that_are_withdrawn_give_no_verdict() {
    struct Impatient;
    impl Watch for Impatient {
        fn begins(&mut self) -> bool {
            true
        }
        fn continues(&mut self, _: usize) -> bool {
            false
        }
        fn done(&mut self, _: usize, _: u64) {}
    }
    let runaway = rule(Engine::Backtracking, r"\d+.*(?:.*=.*)", 2_000, OnOverrun::Block).unwrap();
    let set = RuleSet::new([(runaway, Mode::Enforce)]);
    let texts = [Bytes::new(), Bytes::from_static(&[b'7'; 1000])];
    let bounds = Bounds { guard: false, budget: 0 };
    let judged = set.judge(&texts, bounds, &mut Machine::default(), &mut Impatient);
    assert_eq!(judged.verdict, Verdict::Withdrawn);
}

/// Patterns that a person, or somebody with bad intentions, might write.
fn pattern() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            r"\d+.*(?:.*=.*)",
            "(?:a*)*b",
            "(?:a|a)*b",
            "(?:.*)*=",
            "^(?:[a-z]+)*$",
            "(?i)select",
            "(?:a{0,30}){0,30}b",
        ])
        .prop_map(str::to_owned),
        "[a-c.*+?|()\\[\\]{}0-9,^$\\\\]{0,20}",
    ]
}

proptest! {
    #[test]
    fn no_rules_and_no_request_take_more_steps_than_the_budget(
        rules in prop::collection::vec((any::<bool>(), pattern(), 0_u64..5_000, any::<bool>()), 0..5),
        query in prop::collection::vec(any::<u8>(), 0..300),
        body in "[a-c0-9=]{0,600}",
        budget in 0_u64..10_000,
    ) {
        let rules = rules.iter().filter_map(|(linear, pattern, cost, block)| {
            let engine = if *linear { Engine::Linear } else { Engine::Backtracking };
            let on_overrun = if *block { OnOverrun::Block } else { OnOverrun::Pass };
            rule(engine, pattern, *cost, on_overrun)
        });
        let set = RuleSet::new(rules.map(|rule| (rule, Mode::Simulate)));
        let texts = [Bytes::from(query), Bytes::from(body)];
        let bounds = Bounds { guard: true, budget };
        let judged = set.judge(&texts, bounds, &mut Machine::default(), &mut ());
        prop_assert!(judged.steps <= budget, "{} of {budget}", judged.steps);
        prop_assert_eq!(judged.verdict, Verdict::Pass);
    }
}
