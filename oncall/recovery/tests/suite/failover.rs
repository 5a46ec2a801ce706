//! Failover in a model of two servers, in which anything may crash, restart or be started by hand at any moment: never two
//! servers that accept writes, and never a dead end that a person cannot leave.

use proptest::{collection::vec, prelude::*};
use recovery::failover::{
    Facts, MOST_BEHIND, MOST_STALE, Primary, Replica, Seen, Start, Step, Stuck, admit, at_start, is_complete,
    next, unfence,
};

/// A lab with a replica that streams.
const FINE: Facts = Facts {
    primary: Primary::Usable,
    primary_runs: true,
    replica: Replica::Standby,
    replica_runs: true,
    aside: false,
};

const STREAMS: Seen = Seen { streaming: true, sync: false, behind_bytes: 100 };

/// What a step does to a world in which nothing fails.
fn carry_out(step: Step, facts: Facts) -> Facts {
    match step {
        Step::Stop => Facts { primary_runs: false, ..facts },
        Step::Fence => Facts { primary: Primary::Fenced, ..facts },
        Step::Promote => Facts { replica: Replica::Promoted, ..facts },
        Step::StopReplica => Facts { replica_runs: false, ..facts },
        Step::PutAside => Facts { primary: Primary::Missing, aside: true, ..facts },
        Step::Move => Facts { primary: Primary::Usable, replica: Replica::Missing, aside: true, ..facts },
        Step::Done => Facts { primary_runs: true, ..facts },
    }
}

/// How many servers accept writes.
fn writers(facts: Facts) -> usize {
    usize::from(facts.primary_runs) + usize::from(facts.replica == Replica::Promoted && facts.replica_runs)
}

#[test]
fn a_failover_stops_fences_promotes_and_moves_in_this_order() {
    let (mut facts, mut steps) = (FINE, Vec::new());
    while steps.last() != Some(&Step::Done) {
        let step = next(facts).expect("a next step");
        facts = carry_out(step, facts);
        steps.push(step);
    }
    let wanted =
        [Step::Stop, Step::Fence, Step::Promote, Step::StopReplica, Step::PutAside, Step::Move, Step::Done];
    assert_eq!(steps, wanted);
}

#[test]
fn a_loss_needs_force_and_a_replica_that_cannot_be_promoted_is_refused_even_then() {
    assert_eq!(admit(FINE, Some((STREAMS, 1.0)), false), Ok(()));
    assert_eq!(admit(FINE, None, false), Err(Stuck::Unseen));
    let far = Seen { behind_bytes: MOST_BEHIND + 1, ..STREAMS };
    assert!(matches!(admit(FINE, Some((far, 1.0)), false), Err(Stuck::Behind { .. })));
    assert!(matches!(admit(FINE, Some((STREAMS, MOST_STALE + 1.0)), false), Err(Stuck::Stale { .. })));
    let lost = Seen { streaming: false, ..STREAMS };
    assert!(matches!(admit(FINE, Some((lost, 1.0)), false), Err(Stuck::Stale { .. })));
    for seen in [None, Some((far, 1.0)), Some((lost, 999.0))] {
        assert_eq!(admit(FINE, seen, true), Ok(()));
    }
    let without = Facts { replica: Replica::Missing, ..FINE };
    assert_eq!(admit(without, None, true), Err(Stuck::NoReplica));
    let earlier = Facts { primary_runs: false, aside: true, ..without };
    assert_eq!(
        admit(earlier, None, true),
        Err(Stuck::NoReplica),
        "the fenced data are of an earlier failover"
    );
    let down = Facts { replica_runs: false, ..FINE };
    assert_eq!(admit(down, None, true), Err(Stuck::ReplicaDown));
    let two = Facts { replica: Replica::Promoted, ..FINE };
    assert_eq!(admit(two, None, true), Err(Stuck::SplitBrain));
}

#[test]
fn a_synchronous_replica_has_everything_however_long_ago_it_was_seen() {
    let sync = Seen { sync: true, behind_bytes: 9 * MOST_BEHIND, ..STREAMS };
    assert_eq!(admit(FINE, Some((sync, 3_600.0)), false), Ok(()));
    let lost = Seen { streaming: false, ..sync };
    assert!(admit(FINE, Some((lost, 3_600.0)), false).is_err());
}

#[test]
fn only_a_replica_that_streams_has_everything_of_a_primary_that_stopped_in_order() {
    let lost = Seen { streaming: false, ..STREAMS };
    assert!(is_complete(Some((STREAMS, 1.0)), true, true));
    for (seen, answered, in_order) in [
        (None, true, true),
        (Some((lost, 1.0)), true, true),
        (Some((STREAMS, MOST_STALE + 1.0)), true, true),
        (Some((STREAMS, 1.0)), false, true),
        (Some((STREAMS, 1.0)), true, false),
    ] {
        assert!(!is_complete(seen, answered, in_order), "{seen:?} {answered} {in_order}");
    }
}

#[test]
fn a_failover_from_data_that_were_wiped_is_finished_by_the_next_start() {
    let wiped = Facts { primary: Primary::Missing, primary_runs: false, ..FINE };
    assert_eq!(next(wiped), Ok(Step::Promote));
    let promoted = Facts { replica_runs: false, ..carry_out(Step::Promote, wiped) };
    assert_eq!(at_start(promoted), Start::Finish);
    assert_eq!(next(promoted), Ok(Step::Move));
    assert_eq!(next(carry_out(Step::Move, promoted)), Ok(Step::Done));
}

#[test]
fn a_replica_that_was_told_to_promote_keeps_the_fence_until_it_has_ended() {
    let fenced = Facts { primary: Primary::Fenced, primary_runs: false, ..FINE };
    assert_eq!(unfence(fenced), Ok(()));
    let told = Facts { replica: Replica::Promoting, ..fenced };
    assert_eq!(unfence(told), Err(Stuck::Promoting));
    assert_eq!(next(told), Ok(Step::Promote), "once more");
    assert_eq!(unfence(meddle(Meddling::ReplicaCrashes, told)), Ok(()));
}

#[test]
fn refusals_are_sentences_with_what_to_do() {
    for (stuck, said) in [
        (Stuck::NoReplica, "lab up --replica"),
        (Stuck::ReplicaDown, "lab status"),
        (Stuck::SplitBrain, "lab failover rebuild"),
        (Stuck::Unseen, "--force"),
        (Stuck::Stale { age_seconds: 20.4, streaming: false }, "20 s ago, and it did not receive the stream"),
        (Stuck::Behind { behind_bytes: 5, limit_bytes: 4 }, "5 bytes behind, more than 4"),
        (Stuck::Promoted, "must stay fenced"),
        (Stuck::Promoting, "`lab down` and then `lab failover abort`"),
    ] {
        assert!(stuck.to_string().contains(said), "{stuck}");
    }
}

/// What may happen between two steps, besides the failover itself.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The next step of the failover is carried out.
    Step,
    /// The next step is decided, then something else happens, and only then it is carried out.
    StepLate(Meddling),
    /// The replica is told to promote, and the failover ends before it has.
    StepHalf,
    Meddling(Meddling),
}

#[derive(Debug, Clone, Copy)]
enum Meddling {
    PrimaryCrashes,
    /// The supervisor, or a person, starts it; a fence makes that fail.
    PrimaryStarts,
    ReplicaCrashes,
    ReplicaStarts,
    /// One that was told to promote.
    PromotionEnds,
    /// The whole machine: everything ends, and the lab is started again.
    Reboot,
    /// A person removes the fence, if that is allowed.
    Unfence,
}

/// PostgreSQL forgets that it was told to promote when it ends.
const fn ended(replica: Replica) -> Replica {
    match replica {
        Replica::Promoting => Replica::Standby,
        other => other,
    }
}

fn meddle(meddling: Meddling, facts: Facts) -> Facts {
    match meddling {
        Meddling::PrimaryCrashes => Facts { primary_runs: false, ..facts },
        Meddling::PrimaryStarts => Facts { primary_runs: facts.primary == Primary::Usable, ..facts },
        Meddling::ReplicaCrashes => Facts { replica: ended(facts.replica), replica_runs: false, ..facts },
        Meddling::PromotionEnds if facts.replica == Replica::Promoting => {
            Facts { replica: Replica::Promoted, ..facts }
        }
        Meddling::PromotionEnds => facts,
        Meddling::ReplicaStarts => Facts { replica_runs: facts.replica != Replica::Missing, ..facts },
        Meddling::Reboot => {
            let replica = ended(facts.replica);
            start(Facts { primary_runs: false, replica, replica_runs: false, ..facts })
        }
        Meddling::Unfence if unfence(facts).is_ok() => Facts { primary: Primary::Usable, ..facts },
        Meddling::Unfence => facts,
    }
}

/// A start of the lab while nothing runs.
fn start(mut facts: Facts) -> Facts {
    match at_start(facts) {
        Start::Go => Facts {
            primary_runs: facts.primary == Primary::Usable,
            replica_runs: facts.replica == Replica::Standby,
            ..facts
        },
        Start::Finish => {
            while facts.replica == Replica::Promoted {
                facts = carry_out(next(facts).expect("it can be finished"), facts);
            }
            Facts { primary_runs: true, ..facts }
        }
        Start::Fenced | Start::SplitBrain => facts,
    }
}

fn meddling() -> impl Strategy<Value = Meddling> {
    prop_oneof![
        Just(Meddling::PrimaryCrashes),
        Just(Meddling::PrimaryStarts),
        Just(Meddling::ReplicaCrashes),
        Just(Meddling::ReplicaStarts),
        Just(Meddling::PromotionEnds),
        Just(Meddling::Reboot),
        Just(Meddling::Unfence),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Step),
        2 => meddling().prop_map(Event::Meddling),
        1 => meddling().prop_map(Event::StepLate),
        1 => Just(Event::StepHalf),
    ]
}

/// While a step is carried out, the supervisor holds the part and the lock keeps others out: what can still happen is that
/// processes end.
const fn while_held(meddling: Meddling) -> bool {
    matches!(meddling, Meddling::PrimaryCrashes | Meddling::ReplicaCrashes)
}

proptest! {
    /// Whatever crashes or starts in between, no two servers accept writes, and no data that was promoted is given up.
    #[test]
    fn there_are_never_two_primaries(events in vec(event(), 0..40)) {
        let mut facts = FINE;
        for event in events {
            let before = facts;
            facts = match event {
                Event::Meddling(meddling) => meddle(meddling, facts),
                Event::Step => next(facts).map_or(facts, |step| carry_out(step, facts)),
                Event::StepHalf if next(facts) == Ok(Step::Promote) => {
                    Facts { replica: Replica::Promoting, ..facts }
                }
                Event::StepHalf => facts,
                Event::StepLate(meddling) => {
                    let step = next(facts);
                    let later = if while_held(meddling) { meddle(meddling, facts) } else { facts };
                    step.map_or(later, |step| carry_out(step, later))
                }
            };
            prop_assert!(writers(facts) <= 1, "{before:?} {event:?} {facts:?}");
            prop_assert!(
                facts.replica != Replica::Promoted || facts.primary != Primary::Usable,
                "a promoted replica beside data that a server may be started on: {facts:?}"
            );
        }
    }

    /// From every state that a failover can be interrupted in, it can be finished or taken back.
    #[test]
    fn an_interrupted_failover_can_always_be_finished_or_taken_back(steps in 0..7_usize, crash in meddling()) {
        let mut facts = FINE;
        for _ in 0..steps {
            facts = carry_out(next(facts).expect("a next step"), facts);
        }
        facts = meddle(crash, facts);
        facts = meddle(Meddling::Reboot, facts);
        if at_start(facts) == Start::Fenced {
            prop_assert_eq!(unfence(facts), Ok(()));
            facts = start(Facts { primary: Primary::Usable, ..facts });
        }
        prop_assert_eq!(writers(facts), 1, "{:?}", facts);
        prop_assert!(facts.primary_runs, "at the address that clients use: {:?}", facts);
    }

    /// The replica is promoted only when the old primary is fenced, or put aside, and has ended.
    #[test]
    fn a_promotion_needs_a_fence_and_an_end(
        primary in prop_oneof![Just(Primary::Missing), Just(Primary::Usable), Just(Primary::Fenced)],
        replica in prop_oneof![
            Just(Replica::Missing), Just(Replica::Standby), Just(Replica::Promoting), Just(Replica::Promoted),
        ],
        primary_runs in any::<bool>(), replica_runs in any::<bool>(), aside in any::<bool>(),
    ) {
        let facts = Facts { primary, primary_runs, replica, replica_runs, aside };
        if next(facts) == Ok(Step::Promote) {
            prop_assert!(primary != Primary::Usable && !primary_runs && replica_runs, "{facts:?}");
        }
        if unfence(facts).is_ok() {
            prop_assert!(!matches!(replica, Replica::Promoting | Replica::Promoted));
        }
    }
}
