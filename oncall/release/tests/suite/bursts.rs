//! The judge on a machine that stalls: requests that wait for the same thing are slow, or fail, together.

use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};
use release::{
    Block, Judge, Opinion, Verdict,
    judge::{Arm, evidence::Evidence},
};

use crate::support::{GOOD, Traffic, Version, after, policy, start};

/// Percent of the requests for each of the two: ten requests per second.
const WEIGHT: u32 = 5;
/// Chance per second that everything stalls: a disk, a lock of the database, a core that others use.
const SHARED: f64 = 0.05;
/// Chance that such a stall hits one of the two. By chance it hits one alone, or one for longer.
const HIT: f64 = 0.6;
/// Chance per second that one of the two stalls alone.
const OWN: f64 = 0.01;
/// Mean length of a stall, in seconds.
const LENGTH: f64 = 1.5;
/// Share of the requests of a stalled second that are slow.
const SLOW: f64 = 0.8;
/// Share of the slow ones that fail.
const FAIL: f64 = 0.2;

/// Traffic whose requests are not independent.
struct Bursts {
    rng: Xoshiro256PlusPlus,
    traffic: Traffic,
    /// Seconds that are left of the stall of each of the two.
    stalls: [f64; 2],
}

impl Bursts {
    fn new(seed: u64) -> Self {
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x5eed_0000);
        Self { rng, traffic: Traffic::new(seed), stalls: [0.0; 2] }
    }

    fn second(&mut self, second: i64, canary: Version, old: Version) -> Block {
        let mut block = self.traffic.second(after(second), WEIGHT, canary, old);
        let shared = self.rng.random_bool(SHARED).then(|| self.length());
        for place in 0..2 {
            if let Some(length) = shared
                && self.rng.random_bool(HIT)
            {
                let part: f64 = self.rng.random_range(0.3..1.7);
                self.stalls[place] = self.stalls[place].max(length * part);
            }
            if self.stalls[place] <= 0.0 && self.rng.random_bool(OWN) {
                self.stalls[place] = self.length();
            }
            let share = self.stalls[place].clamp(0.0, 1.0);
            self.stalls[place] -= 1.0;
            let arm = if place == 0 { &mut block.canary } else { &mut block.baseline };
            stall(&mut self.rng, arm, share * SLOW);
        }
        block
    }

    /// Of a stall, in seconds: most are short, a few are long.
    fn length(&mut self) -> f64 {
        let place: f64 = self.rng.random_range(0.000_001..1.0);
        -LENGTH * place.ln()
    }
}

/// Makes this share of the requests slow: up to the last bounds of the histogram, and beyond them.
fn stall(rng: &mut Xoshiro256PlusPlus, arm: &mut Arm, share: f64) {
    let last = arm.latency.buckets.len();
    for bucket in 0..last {
        for _ in 0..arm.latency.buckets[bucket].1 {
            if !rng.random_bool(share) {
                continue;
            }
            arm.latency.buckets[bucket].1 -= 1;
            match rng.random_range(5..=last) {
                slow if slow < last => arm.latency.buckets[slow].1 += 1,
                _ => arm.latency.over += 1,
            }
            if rng.random_bool(FAIL) && arm.requests.bad < arm.requests.all {
                arm.requests.bad += 1;
            }
        }
    }
}

/// Judges a step until it is decided or out of patience; with the seconds it took.
fn step(mut second: impl FnMut(i64) -> Block) -> (Opinion, i64) {
    let policy = policy();
    let (patience, mut judge) = (policy.patience.as_secs().cast_signed(), Judge::new(&policy, 3, start()));
    for now in 1..patience {
        judge.see(&second(now));
        let opinion = judge.opinion(after(now));
        if opinion.verdict != Verdict::Inconclusive {
            return (opinion, now);
        }
    }
    (judge.opinion(after(patience)), patience)
}

/// Whether a test that takes each request for independent is ever sure that more requests of the canary are slow.
fn fools_a_test_of_requests(seed: u64) -> bool {
    let (policy, mut bursts, mut evidence) = (policy(), Bursts::new(seed), Evidence::default());
    let sure = -(policy.alpha / 6.0).ln();
    (1..policy.patience.as_secs().cast_signed()).any(|second| {
        let block = bursts.second(second, GOOD, GOOD);
        let slow = |arm: &Arm| arm.latency.slower_than(policy.objective);
        evidence.see(slow(&block.canary), slow(&block.baseline));
        evidence.ln() >= sure
    })
}

#[test]
fn stalls_fool_a_test_of_requests_and_not_the_judge() {
    let fooled = (0..20).filter(|seed| fools_a_test_of_requests(*seed)).count();
    assert!(fooled >= 3, "these stalls are too easy: only {fooled} of 20");
    let mut passed = 0;
    for seed in 0..20 {
        let mut bursts = Bursts::new(seed);
        let (opinion, seconds) = step(|second| bursts.second(second, GOOD, GOOD));
        assert_ne!(opinion.verdict, Verdict::Fail, "seed {seed}, after {seconds} s: {}", opinion.why);
        passed += u32::from(opinion.verdict == Verdict::Pass);
    }
    assert!(passed >= 16, "{passed} of 20 passed");
}

#[test]
fn a_bad_version_is_found_among_stalls_too() {
    for (name, bad, bound) in [
        ("errors and twice the latency", Version { errors: 0.05, slower: 2.0, ..GOOD }, 180),
        ("everything takes twice as long", Version { slower: 2.0, ..GOOD }, 180),
    ] {
        for seed in 0..20 {
            let mut bursts = Bursts::new(seed);
            let (opinion, seconds) = step(|second| bursts.second(second, bad, GOOD));
            assert_eq!(opinion.verdict, Verdict::Fail, "{name}, seed {seed}: {}", opinion.why);
            assert!(seconds <= bound, "{name}, seed {seed}: {seconds} s");
        }
    }
}

/// A factor that moves slowly around 1: an autoregressive process of its logarithm.
struct Drift {
    now: f64,
    /// What is left of it after a second.
    keeps: f64,
    /// The standard deviation of the logarithm.
    deviation: f64,
}

impl Drift {
    fn next(&mut self, rng: &mut Xoshiro256PlusPlus) -> f64 {
        // The sum of twelve even ones is close to a normal one with the variance 1.
        let noise = (0..12).map(|_| rng.random_range(0.0..1.0_f64)).sum::<f64>() - 6.0;
        self.now = self.keeps * self.now + self.deviation * (1.0 - self.keeps * self.keeps).sqrt() * noise;
        self.now.exp()
    }
}

/// A step under latency that depends on the second before: of everything, and of each of the two.
fn drifting(seed: u64, canary: Version) -> (Opinion, i64) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0xd21f);
    let mut traffic = Traffic::new(seed);
    let mut all = Drift { now: 0.0, keeps: 0.95, deviation: 0.5 };
    let own = || Drift { now: 0.0, keeps: 0.7, deviation: 0.3 };
    let (mut new, mut old) = (own(), own());
    step(|second| {
        let load = all.next(&mut rng);
        let (new, old) = (load * new.next(&mut rng), load * old.next(&mut rng));
        let canary = Version { slower: canary.slower * new, ..canary };
        traffic.second(after(second), WEIGHT, canary, Version { slower: old, ..GOOD })
    })
}

#[test]
fn latency_that_depends_on_the_second_before_fails_nobody_who_is_no_worse() {
    for seed in 0..20 {
        let (opinion, seconds) = drifting(seed, GOOD);
        assert_ne!(opinion.verdict, Verdict::Fail, "seed {seed}, after {seconds} s: {}", opinion.why);
        let (opinion, seconds) = drifting(seed, Version { slower: 2.0, ..GOOD });
        assert_eq!(opinion.verdict, Verdict::Fail, "seed {seed}: {}", opinion.why);
        assert!(seconds <= 180, "seed {seed}: {seconds} s");
    }
}
