//! Verdicts, and that no rules and no request take more steps than they were given.

use http::HeaderMap;
use proptest::prelude::*;

use super::*;
use crate::domain::waf::{COST, TIME, machine::PART, rule::Matcher};

fn rule(engine: Engine, pattern: &str, cost: u64, on_overrun: OnOverrun) -> Option<Arc<Rule>> {
    let matcher = Matcher::new(engine, pattern).ok()?;
    Some(Arc::new(Rule {
        id: "rule".to_owned(),
        fingerprint: String::new(),
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

const GUARD: Bounds = Bounds { guard: true, budget: 1_000_000, time: TIME };

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
    let judged = judge(&set, &[b'7'; 60], Bounds { guard: false, budget: 10, time: Duration::ZERO });
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
        fn spent(&self) -> Duration {
            Duration::ZERO
        }
    }
    let runaway = rule(Engine::Backtracking, r"\d+.*(?:.*=.*)", 2_000, OnOverrun::Block).unwrap();
    let set = RuleSet::new([(runaway, Mode::Enforce)]);
    let texts = [Bytes::new(), Bytes::from_static(&[b'7'; 1000])];
    let bounds = Bounds { guard: false, budget: 0, time: TIME };
    let judged = set.judge(&texts, bounds, &mut Machine::default(), &mut Impatient);
    assert_eq!(judged.verdict, Verdict::Withdrawn);
}

/// A clock on which each step takes the same time.
#[derive(Default)]
struct Slow {
    step: Duration,
    /// Of the rules that are through, and of the one at work until its last part.
    before: u64,
    parts: u64,
}

impl Slow {
    fn at(&self, steps: u64) -> Duration {
        self.step * u32::try_from(steps).unwrap()
    }
}

impl Watch for Slow {
    fn begins(&mut self) -> bool {
        true
    }
    fn continues(&mut self, _: usize) -> bool {
        self.parts += PART;
        true
    }
    fn done(&mut self, _: usize, steps: u64) {
        self.before += steps;
        self.parts = 0;
    }
    fn spent(&self) -> Duration {
        self.at(self.before + self.parts)
    }
}

#[test]
fn rules_end_when_the_time_is_over_although_they_have_steps_left() {
    let slow = |on_overrun| rule(Engine::Backtracking, r"\d+.*(?:.*=.*)", u64::MAX, on_overrun).unwrap();
    let linear = rule(Engine::Linear, "7", COST, OnOverrun::Pass).unwrap();
    let set = RuleSet::new([
        (slow(OnOverrun::Pass), Mode::Enforce),
        (linear, Mode::Enforce),
        (slow(OnOverrun::Block), Mode::Enforce),
    ]);
    // Two parts are 52 ms; the first text of the rule ends inside the first part.
    let texts = [Bytes::from_static(&[b'7'; 20]), Bytes::from_static(&[b'7'; 1000])];
    let mut watch = Slow { step: Duration::from_nanos(400), ..Slow::default() };
    let bounds = Bounds { budget: u64::MAX, ..GUARD };
    let judged = set.judge(&texts, bounds, &mut Machine::default(), &mut watch);
    assert_eq!((judged.verdict, judged.steps), (Verdict::Block(2), 2 * PART));
    let notes: Vec<_> = judged.notes.iter().map(|note| (note.rule, note.what)).collect();
    let overrun = |rule| (rule, What::Overrun);
    assert_eq!(notes, [overrun(0), overrun(1), overrun(2), (2, What::Blocked)]);
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
        let bounds = Bounds { guard: true, budget, time: TIME };
        let judged = set.judge(&texts, bounds, &mut Machine::default(), &mut ());
        prop_assert!(judged.steps <= budget, "{} of {budget}", judged.steps);
        prop_assert_eq!(judged.verdict, Verdict::Pass);
    }

    /// With a step of 20 ns, which is slow, a part is 1.3 ms.
    #[test]
    fn no_rules_and_no_request_take_more_than_a_part_beyond_the_time(
        rules in prop::collection::vec((any::<bool>(), pattern(), 1_u64..200_000), 1..4),
        body in prop_oneof!["[a-c0-9=]{0,600}", "7{300,600}"],
        nanoseconds in 300_u64..2_000,
    ) {
        let rules = rules.iter().filter_map(|(linear, pattern, cost)| {
            let engine = if *linear { Engine::Linear } else { Engine::Backtracking };
            rule(engine, pattern, *cost, OnOverrun::Pass)
        });
        let set = RuleSet::new(rules.map(|rule| (rule, Mode::Simulate)));
        let texts = [Bytes::from(body.clone()), Bytes::from(body)];
        let mut watch = Slow { step: Duration::from_nanos(nanoseconds), ..Slow::default() };
        let judged = set.judge(&texts, GUARD, &mut Machine::default(), &mut watch);
        prop_assert!(watch.spent() <= TIME + watch.at(PART), "{:?} for {}", watch.spent(), judged.steps);
    }
}
