//! `load compare A B`

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use statistics::compare::{Comparison, Four, LEAST, Outcome, Worse, compare};
use tokio_util::sync::CancellationToken;

use super::{
    Stop, results,
    results::{Archive, Figure, Kept},
    run, say,
    store::Store,
    targets,
};
use crate::{
    report::Report,
    run::Live,
    scenario::{Scenario, Stage, Stages},
};

/// Compares B with A.
///
/// Two URLs are measured now, in blocks in the order A B B A, so that drift of the machine cancels out. Two kept runs (a baseline, a
/// folder, a report.json) are compared by their curves; changes of the machine between them are part of the result.
///
/// Exit code 0 if B is not worse, 1 if the whole interval of the ratio is beyond the budget, 3 if it is too noisy to say.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// URL of system A, or a kept run
    a: String,
    /// URL of system B, or a kept run
    b: String,
    /// What to compare
    #[arg(long, value_enum, default_value_t = Metric::P99)]
    metric: Metric,
    /// Accepted change in percent
    #[arg(long, default_value_t = 5.0, value_name = "PERCENT", value_parser = crate::config::percent)]
    budget: f64,
    /// For URLs: the scenario whose journeys are used
    #[arg(long, default_value = "average")]
    scenario: String,
    /// For URLs: journeys per second
    #[arg(long, default_value_t = 50.0, value_name = "N", value_parser = crate::config::rate)]
    rate: f64,
    /// For URLs: length of a block
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    block: Duration,
    /// For URLs: number of rounds A B B A
    #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u32).range(LEAST as i64..=1_000))]
    rounds: u32,
    /// Where runs are kept
    #[arg(long, env = "LOAD_FOLDER", default_value = ".lab/load", value_name = "FOLDER")]
    folder: PathBuf,
    /// Also keep the result in the checkout, for `load results`
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true, default_missing_value = results::FOLDER)]
    keep: Option<PathBuf>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Metric {
    /// Median of the response time
    P50,
    /// 99th percentile of the response time
    P99,
    /// Requests per second that succeed
    Throughput,
}

impl Metric {
    const fn worse(self) -> Worse {
        match self {
            Self::P50 | Self::P99 => Worse::Higher,
            Self::Throughput => Worse::Lower,
        }
    }
}

impl Compare {
    pub(super) async fn live(self) -> Result<u8, Stop> {
        let live = |name: &str| name.contains("://");
        let pair = match (live(&self.a), live(&self.b)) {
            (true, true) => self.measure().await?,
            (false, false) => {
                let store = Store::at(&self.folder);
                let (a, b) = (store.find(&self.a)?, store.find(&self.b)?);
                if a.scenario != b.scenario {
                    let (a, b) = (a.scenario, b.scenario);
                    return Err(Stop::Usage(format!(
                        "A is a run of {a}, B of {b}: only like can be compared with like"
                    )));
                }
                let failed = [&a, &b].map(|report| (report.total.errors, report.total.count));
                Pair { fours: kept(&a, &b, self.metric), failed }
            }
            _ => return Err(Stop::Usage("A and B have to be two URLs, or two kept runs".to_owned())),
        };
        let comparison = compare(&pair.fours, self.metric.worse(), self.budget / 100.0, 1);
        let sentence = self.sentence(&comparison, pair.fours.len());
        say(&sentence);
        if let Some(kept) = &self.keep {
            Archive::at(kept).keep(&self.kept(&comparison, sentence))?;
        }
        // A failure is quick: what answers with errors would look like an improvement.
        let [a, b] = pair.shares();
        if b > a + MORE_ERRORS {
            say(&format!("B fails {:.2} % of its requests, A {:.2} %: worse", b * 100.0, a * 100.0));
            return Ok(1);
        }
        Ok(match comparison.outcome {
            Outcome::Worse => 1,
            Outcome::Better | Outcome::Same => 0,
            Outcome::Inconclusive => super::EXIT_INCONCLUSIVE,
        })
    }

    /// The result as it is kept: what B is above A, with its interval, in percent.
    fn kept(&self, comparison: &Comparison, sentence: String) -> Kept {
        let ratio = comparison.ratio;
        let ends = [("B against A", ratio.estimate), ("at least", ratio.low), ("at most", ratio.high)];
        let figure = |(end, ratio): (&str, f64)| {
            Figure::of(format!("{:?}, {end}, percent", self.metric), (ratio - 1.0) * 100.0)
        };
        let sides = format!("A is {}, B is {}", self.a, self.b);
        Kept::now("compare", ends.map(figure).to_vec(), vec![sentence, sides])
    }

    fn sentence(&self, comparison: &Comparison, rounds: usize) -> String {
        let change = |ratio: f64| (ratio - 1.0) * 100.0;
        let (ratio, budget) = (comparison.ratio, self.budget);
        let what = match comparison.outcome {
            Outcome::Worse => "worse",
            Outcome::Better => "better",
            Outcome::Same => "not worse",
            Outcome::Inconclusive => "inconclusive: measure more rounds or longer blocks",
        };
        format!(
            "{:?}: B is {:+.1} % ({:+.1} to {:+.1} % with a confidence of 95 %, {rounds} rounds), budget {budget} %: {what}",
            self.metric,
            change(ratio.estimate),
            change(ratio.low),
            change(ratio.high)
        )
    }

    /// Blocks in the order A B B A. Both blocks of a pair send the same.
    async fn measure(&self) -> Result<Pair, Stop> {
        let scenario = run::find(&self.scenario)?;
        let stop = run::stop_on_signal()?;
        let side = |url: &String| {
            let mut scenario = scenario.clone();
            targets::replace(&mut scenario, std::slice::from_ref(url))?;
            let stage = Stage::ramp("block", self.rate, self.rate, self.block.as_secs_f64().max(0.1));
            scenario.stages = Stages(vec![stage]);
            scenario.warmup = Duration::ZERO;
            Ok::<_, Stop>(scenario)
        };
        let (a, b) = (side(&self.a)?, side(&self.b)?);
        targets::check(&a).await?;
        targets::check(&b).await?;
        // The first connections, caches and just-in-time compilers are nobody's fault.
        for scenario in [&a, &b] {
            block(scenario, 0, self.metric, &stop).await;
        }
        let mut pair = Pair { fours: Vec::new(), failed: [(0, 0); 2] };
        for round in 1..=self.rounds {
            let seed = u64::from(round);
            let mut values = [0.0; 4];
            for (value, (side, scenario)) in values.iter_mut().zip([(0, &a), (1, &b), (1, &b), (0, &a)]) {
                let (seen, errors, count) = block(scenario, seed, self.metric, &stop).await;
                *value = seen;
                pair.failed[side].0 += errors;
                pair.failed[side].1 += count;
            }
            if stop.is_cancelled() {
                break;
            }
            let [first, second, third, fourth] = values;
            pair.fours.push(Four { a: [first, fourth], b: [second, third] });
            eprintln!("round {round}/{}: A {first:.2} {fourth:.2}, B {second:.2} {third:.2}", self.rounds);
        }
        Ok(pair)
    }
}

/// B may fail this much more than A, as a share of its requests.
const MORE_ERRORS: f64 = 0.001;

/// What is compared, and how much of it failed.
struct Pair {
    fours: Vec<Four>,
    /// Of A and B: failures, and all requests.
    failed: [(u64, u64); 2],
}

impl Pair {
    /// Shares of failures of A and B.
    fn shares(&self) -> [f64; 2] {
        self.failed.map(|(errors, count)| errors as f64 / count.max(1) as f64)
    }
}

/// Runs one block and returns its value, its failures and its requests.
async fn block(scenario: &Scenario, seed: u64, metric: Metric, stop: &CancellationToken) -> (f64, u64, u64) {
    let finished = Live::new(Scenario { seed, ..scenario.clone() }).run(stop).await;
    let total = &finished.board.total;
    let value = match metric {
        Metric::P50 => total.quantile_ms(0.5),
        Metric::P99 => total.quantile_ms(0.99),
        Metric::Throughput => total.good.len() as f64 / finished.seconds.max(0.001),
    };
    (value, total.errors(), total.count())
}

/// Pieces of the curves of two runs, in pairs. What is not part of both is left out.
fn kept(a: &Report, b: &Report, metric: Metric) -> Vec<Four> {
    let values = |report: &Report| -> Vec<f64> {
        let value = |point: &crate::run::board::Point| match metric {
            Metric::P50 => point.p50,
            Metric::P99 => point.p99,
            Metric::Throughput => point.rate - point.errors,
        };
        report.curve.iter().filter(|point| point.rate > 0.0).map(value).collect()
    };
    let (a, b) = (values(a), values(b));
    let pairs = a.chunks_exact(2).zip(b.chunks_exact(2));
    pairs.map(|(a, b)| Four { a: [a[0], a[1]], b: [b[0], b[1]] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_run_is_like_itself_and_unlike_a_slower_one() {
        let run = crate::report::example();
        let same = compare(&kept(&run, &run, Metric::P99), Worse::Higher, 0.05, 1);
        assert_eq!(same.outcome, Outcome::Same, "{same:?}");
        let mut slower = run.clone();
        slower.curve.iter_mut().for_each(|point| point.p99 *= 1.3);
        let worse = compare(&kept(&run, &slower, Metric::P99), Worse::Higher, 0.05, 1);
        assert_eq!(worse.outcome, Outcome::Worse, "{worse:?}");
        assert_eq!(compare(&kept(&run, &slower, Metric::P50), Worse::Higher, 0.05, 1).outcome, Outcome::Same);
    }
}
