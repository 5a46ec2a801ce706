//! Releases under noise that a lab really had: `noise/*.jsonl`, which `lab release record-noise` writes.
//!
//! A *block bootstrap*: stretches of half a minute, drawn at random from the record and put in a row, so that a stall stays as long as
//! it was and hits both of the two as it did (Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of
//! Statistics 17(3), 1989; circular, as Politis and Romano have it). Both are of one version, so which of them is the canary is drawn,
//! too.

use std::{fs, path::Path};

use chrono::{DateTime, Utc};
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};
use release::{
    Block, Judge, Opinion, Verdict,
    judge::Arm,
    noise::Noise,
    run::{End, How},
};

use crate::{
    support::{GOOD, Version, after, policy, start},
    world::World,
};

/// Seconds of a stretch: longer than nearly every stall, and short enough for many in a record.
const STRETCH: usize = 30;
/// A record that is shorter than this shows too few stalls.
const SHORTEST: usize = 300;
/// Percent of the requests for each of the two while it was recorded: each had half of them.
const RECORDED: u32 = 50;

/// Every record, by its name.
fn records() -> Vec<(String, Noise)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("noise");
    let files = fs::read_dir(&folder).expect("the folder of the records").map(|entry| entry.expect("a file"));
    let files =
        files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"));
    let read = |text: &str, name: &str| Noise::read(text).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
    let mut all: Vec<(String, Noise)> = files
        .map(|path| {
            let name = path.display().to_string();
            let noise = read(&fs::read_to_string(&path).expect("a record"), &name);
            (name, noise)
        })
        .collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(!all.is_empty(), "no record in {}: its README.md says how to make one", folder.display());
    all
}

/// Traffic that is drawn from a record.
struct Drawn<'n> {
    noise: &'n Noise,
    rng: Xoshiro256PlusPlus,
    /// The next second of the record, and how many are left of the stretch.
    at: usize,
    left: usize,
    /// Whether the canary is the second of the two in this stretch.
    swapped: bool,
}

impl<'n> Drawn<'n> {
    fn new(noise: &'n Noise, seed: u64) -> Self {
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x0b00_7577);
        Self { noise, rng, at: 0, left: 0, swapped: false }
    }

    /// The second that ends at `until`, with `weight` percent for the canary and as many for the baseline.
    fn second(&mut self, until: DateTime<Utc>, weight: u32, canary: Version) -> Block {
        let (noise, count) = (self.noise, self.noise.seconds.len());
        if self.left == 0 {
            (self.at, self.left) = (self.rng.random_range(0..count), STRETCH);
            self.swapped = self.rng.random_bool(0.5);
        }
        let [one, other] = &noise.seconds[self.at % count].pair;
        (self.at, self.left) = (self.at + 1, self.left - 1);
        let everyone = one.requests.all + other.requests.all;
        let (new, old) = if self.swapped { (other, one) } else { (one, other) };
        let share = f64::from(weight.min(RECORDED)) / f64::from(RECORDED);
        let (mut new, old) = (self.thinned(new, share), self.thinned(old, share));
        self.worsen(&mut new, canary);
        Block { until, canary: new, baseline: old, everyone }
    }

    /// What an instance would have counted with a smaller share of the requests.
    fn thinned(&mut self, arm: &Arm, share: f64) -> Arm {
        let mut kept = arm.clone();
        for (_, count) in &mut kept.latency.buckets {
            *count = self.some(*count, share);
        }
        kept.latency.over = self.some(arm.latency.over, share);
        // A request may be counted a moment before its time is.
        kept.requests.all = kept.latency.all();
        kept.requests.bad = self.some(arm.requests.bad, share).min(kept.requests.all);
        kept
    }

    /// How many of these are chosen, if each is with this chance.
    fn some(&mut self, count: u64, chance: f64) -> u64 {
        (0..count).map(|_| u64::from(self.rng.random_bool(chance))).sum()
    }

    /// What a worse version would have made of the same requests.
    fn worsen(&mut self, arm: &mut Arm, version: Version) {
        let good = arm.requests.all - arm.requests.bad;
        // What fails by itself is in the record.
        arm.requests.bad += self.some(good, (version.errors - GOOD.errors).max(0.0));
        if version.slower > 1.0 {
            self.slow(arm, version.slower);
        }
        for full in arm.saturation.values_mut() {
            *full *= version.fuller;
        }
    }

    /// Each request takes this many times as long; where in its bucket it was is drawn.
    fn slow(&mut self, arm: &mut Arm, times: f64) {
        let before = arm.latency.buckets.clone();
        arm.latency.buckets.iter_mut().for_each(|(_, count)| *count = 0);
        let mut lower = 0.0;
        for (upper, count) in before {
            for _ in 0..count {
                let seconds = times * (lower + (upper - lower) * self.rng.random_range(0.0..1.0));
                match arm.latency.buckets.iter_mut().find(|(bound, _)| seconds <= *bound) {
                    Some((_, count)) => *count += 1,
                    None => arm.latency.over += 1,
                }
            }
            lower = upper;
        }
    }
}

/// A step of 5 %, until it is decided or out of patience.
fn step(noise: &Noise, seed: u64, canary: Version) -> Opinion {
    let (policy, mut drawn) = (policy(), Drawn::new(noise, seed));
    let mut judge = Judge::new(&policy, 3, start());
    for second in 1..policy.patience.as_secs().cast_signed() {
        judge.see(&drawn.second(after(second), 5, canary));
        let opinion = judge.opinion(after(second));
        if opinion.verdict != Verdict::Inconclusive {
            return opinion;
        }
    }
    judge.opinion(after(policy.patience.as_secs().cast_signed()))
}

/// A whole release.
fn release(noise: &Noise, seed: u64, canary: Version) -> End {
    let mut drawn = Drawn::new(noise, seed);
    let mut world = World::new(Box::new(move |until, weight| drawn.second(until, weight, canary)));
    world.release().expect("nobody kills it")
}

#[test]
fn the_noise_is_long_enough_and_complete() {
    for (name, noise) in records() {
        assert!(noise.seconds.len() >= SHORTEST, "{name}: {} s", noise.seconds.len());
        assert!(noise.header.bounds.contains(&policy().objective), "{name}: {:?}", noise.header.bounds);
        let rate = noise.rate();
        assert!(rate >= 50.0, "{name}: {rate:.0} requests per second to each are too few for a step of 5 %");
        for second in &noise.seconds {
            let full = second.pair.iter().all(|arm| arm.saturation.len() == 2 || arm.requests.all == 0);
            assert!(full, "{name}: {} s has no CPU or memory", second.until);
        }
    }
}

#[test]
fn what_is_drawn_is_what_was_recorded_in_stretches_and_no_more() {
    for (name, noise) in records() {
        let mut drawn = Drawn::new(&noise, 1);
        let (mut canary, mut baseline) = (0, 0);
        for second in 1..=3000 {
            let block = drawn.second(after(second), 5, GOOD);
            canary += block.canary.requests.all;
            baseline += block.baseline.requests.all;
        }
        // A tenth of what each had, and as many for one as for the other.
        let expected = noise.rate() * 3000.0 / 10.0;
        for count in [canary, baseline] {
            let ratio = count as f64 / expected;
            assert!((0.9..1.1).contains(&ratio), "{name}: {count} of {expected}");
        }
        let nothing = drawn.second(after(3001), 0, GOOD);
        assert_eq!(nothing.canary.requests.all + nothing.baseline.requests.all, 0, "{name}: no canary");
        assert!(nothing.everyone > 0, "{name}");
    }
}

#[test]
fn the_same_version_is_judged_worse_in_at_most_one_of_a_hundred_drawn_steps() {
    for (name, noise) in records() {
        let failed: Vec<String> = (0..100)
            .map(|seed| (seed, step(&noise, seed, GOOD)))
            .filter(|(_, opinion)| opinion.verdict == Verdict::Fail)
            .map(|(seed, opinion)| format!("seed {seed}: {}", opinion.why))
            .collect();
        // The policy allows a false alarm in one of a hundred releases.
        assert!(failed.len() <= 1, "{name}:\n{}", failed.join("\n"));
    }
}

#[test]
fn a_good_version_reaches_everyone_in_nine_of_ten_drawn_releases() {
    for (name, noise) in records() {
        let ends: Vec<End> = (0..20).map(|seed| release(&noise, seed, GOOD)).collect();
        let released = ends.iter().filter(|end| end.how == How::Released).count();
        let whys: Vec<&str> = ends.iter().map(|end| end.why.as_str()).collect();
        assert!(released >= 18, "{name}: {released} of 20: {whys:?}");
        let worse = ends.iter().filter(|end| end.why.starts_with("worse at ")).count();
        assert_eq!(worse, 0, "{name}: {whys:?}");
    }
}

#[test]
fn a_bad_version_never_reaches_everyone_in_drawn_releases() {
    let kinds = [
        Version { errors: 0.05, ..GOOD },
        Version { slower: 2.5, ..GOOD },
        Version { fuller: 2.0, ..GOOD },
        Version { errors: 0.05, slower: 2.0, ..GOOD },
    ];
    for (name, noise) in records() {
        for (seed, bad) in (0..5).flat_map(|seed| kinds.map(|bad| (seed, bad))) {
            let end = release(&noise, seed, bad);
            assert_eq!(end.how, How::RolledBack, "{name}, seed {seed}: {bad:?}: {end:?}");
        }
    }
}
