//! Does `load compare` find a regression of a tenth, and does it leave an unchanged system alone? Two servers in this process, of which B
//! takes 10 % longer for each request: ten comparisons of A with B, and twenty of A with itself, by the p99 and by the throughput.
//!
//! The times of service vary as those of a real service do (log-normal), so that the p99 of a block is a sample with an error of its
//! own, and this machine adds its noise. Blocks are shorter and busier than the defaults of `load compare`, for the same number of
//! requests per block in less time. Three comparisons run at once: each is noise for the other two, so this is harder than one alone.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use axum::{Router, extract::State, routing::get};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, LogNormal};
use tokio::{net::TcpListener, process::Command, task::JoinSet};

use crate::report::Bars;

/// Median time of service in seconds, and the standard deviation of its logarithm.
const SERVICE: (f64, f64) = (0.020, 0.2);
/// What B takes longer.
const SLOWER: f64 = 1.10;
/// Comparisons with B, and least number of them that find it.
const REGRESSIONS: (u32, f64) = (10, 9.0);
/// Comparisons of A with itself, and most of them that fail.
const EQUALS: (u32, f64) = (20, 1.0);
const BLOCK: &str = "300ms";
/// Comparisons at once. Each sends at most 1,600 requests per second, and two cores have time for many more.
const AT_ONCE: usize = 3;

/// One way to look for a regression.
#[derive(Debug, Clone, Copy)]
struct Look {
    metric: &'static str,
    /// Requests per second.
    rate: &'static str,
    /// Rounds of four blocks.
    rounds: &'static str,
    /// Requests in flight at most.
    most: u32,
}

/// A block has 300 requests, and its p99 a standard error of 4 %: of 24 rounds the mean has less than 1 %, and an interval of 95 %
/// around 10 % is far above the budget of 5 %, even if this machine doubles the noise. Throughput is what 16 callers that never wait
/// get done: of more, the rest is skipped. It has a third of the noise.
const LOOKS: [Look; 2] = [
    Look { metric: "p99", rate: "1000", rounds: "24", most: 2_048 },
    Look { metric: "throughput", rate: "1600", rounds: "8", most: 16 },
];

/// How often each exit code of `load compare` came.
#[derive(Debug, Default)]
struct Seen {
    worse: u32,
    not_worse: u32,
    inconclusive: u32,
}

/// Compares thirty times by each metric, and prints a table. Takes about eight minutes.
pub(crate) async fn run(bars: &mut Bars) -> Result<()> {
    println!("regression: `load compare` of two servers, of which B takes 10 % longer");
    let began = Instant::now();
    let (a, b) = (serve(1.0, 1).await?, serve(SLOWER, 2).await?);
    let scenario = std::env::temp_dir().join(format!("bench-regression-{}.yaml", std::process::id()));
    let mut table = Vec::new();
    for look in &LOOKS {
        fs::write(&scenario, look.scenario())?;
        let slower = look.repeated(REGRESSIONS.0, (a, b), "A with B", &scenario).await?;
        let equal = look.repeated(EQUALS.0, (a, a), "A with A", &scenario).await?;
        table.push((look.metric, slower, equal));
    }
    fs::remove_file(&scenario)?;
    println!("  {:24}{:>8}{:>12}{:>14}", "", "worse", "not worse", "inconclusive");
    for (metric, slower, equal) in &table {
        for (what, Seen { worse, not_worse, inconclusive }) in [("A with B", slower), ("A with A", equal)] {
            println!("  {:24}{worse:>8}{not_worse:>12}{inconclusive:>14}", format!("{metric}, {what}"));
        }
    }
    println!("  took {:.0} minutes\n", began.elapsed().as_secs_f64() / 60.0);
    for (metric, slower, equal) in &table {
        let (count, least) = REGRESSIONS;
        let what = format!("regressions of 10 % in {metric} that were found, of {count}");
        bars.check(&what, f64::from(slower.worse), least, true);
        let (count, most) = EQUALS;
        let what = format!("comparisons of A with A by {metric} that failed, of {count}");
        bars.check(&what, f64::from(equal.worse), most, false);
    }
    Ok(())
}

impl Look {
    fn scenario(&self) -> String {
        format!(
            "description: Reads.\n\
             targets: {{server: 'http://127.0.0.1:1'}}\n\
             max_in_flight: {}\n\
             stages: [{{kind: hold, for: 1s, rate: 1}}]\n\
             journeys: [{{name: read, steps: [{{name: read, path: /}}]}}]\n",
            self.most
        )
    }

    /// Compares two servers `count` times, [`AT_ONCE`] side by side, and prints each result.
    async fn repeated(
        self,
        count: u32,
        servers: (SocketAddr, SocketAddr),
        what: &str,
        scenario: &Path,
    ) -> Result<Seen> {
        let (mut seen, mut begun, mut ended) = (Seen::default(), 0, 0);
        // Dropped with what it runs.
        let mut running = JoinSet::new();
        loop {
            while begun < count && running.len() < AT_ONCE {
                running.spawn(self.compare(servers, scenario.to_owned()));
                begun += 1;
            }
            let Some(comparison) = running.join_next().await else { return Ok(seen) };
            let (code, said) = comparison??;
            ended += 1;
            println!("  {what} {ended}/{count}: {said}");
            match code {
                Some(0) => seen.not_worse += 1,
                Some(1) => seen.worse += 1,
                Some(3) => seen.inconclusive += 1,
                _ => bail!("load compare ended with {code:?}: {said}"),
            }
        }
    }

    /// The exit code of one comparison, and what it says.
    async fn compare(
        self,
        (a, b): (SocketAddr, SocketAddr),
        scenario: PathBuf,
    ) -> Result<(Option<i32>, String)> {
        let program = std::env::current_exe()?.with_file_name("load");
        let mut load = Command::new(program);
        load.arg("compare").args([format!("http://{a}"), format!("http://{b}")]);
        load.arg("--scenario").arg(scenario).args(["--metric", self.metric, "--rate", self.rate]);
        load.args(["--rounds", self.rounds, "--block", BLOCK]);
        let output = load.kill_on_drop(true).output().await;
        let output = output.context("load, which is built next to this program")?;
        let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        Ok((output.status.code(), String::from_utf8_lossy(&said).trim().to_owned()))
    }
}

/// How long requests take.
#[derive(Clone)]
struct Service {
    times: LogNormal<f64>,
    random: Arc<Mutex<Xoshiro256PlusPlus>>,
    factor: f64,
}

impl Service {
    fn time(&self) -> Duration {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_secs_f64(self.times.sample(&mut *random) * self.factor)
    }
}

async fn work(State(service): State<Service>) {
    tokio::time::sleep(service.time()).await;
}

/// Starts a server whose times of service are `factor` times the usual ones.
async fn serve(factor: f64, seed: u64) -> Result<SocketAddr> {
    let (median, spread) = SERVICE;
    let times = LogNormal::new(median.ln(), spread).context("the times of service")?;
    let random = Arc::new(Mutex::new(Xoshiro256PlusPlus::seed_from_u64(seed)));
    let routes = Router::new().route("/", get(work)).with_state(Service { times, random, factor });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_takes_a_tenth_longer_at_its_median_and_at_its_p99() {
        let (median, spread) = SERVICE;
        let times = |factor| {
            let service = Service {
                times: LogNormal::new(median.ln(), spread).unwrap(),
                random: Arc::new(Mutex::new(Xoshiro256PlusPlus::seed_from_u64(7))),
                factor,
            };
            let mut times: Vec<f64> = (0..10_000).map(|_| service.time().as_secs_f64()).collect();
            times.sort_by(f64::total_cmp);
            [times[5_000], times[9_900]]
        };
        let (a, b) = (times(1.0), times(SLOWER));
        assert!((a[0] / median - 1.0).abs() < 0.02 && a[1] > 1.5 * a[0], "{a:?}");
        assert!(a.iter().zip(b).all(|(a, b)| (b / a - SLOWER).abs() < 1e-6), "{a:?} {b:?}");
    }
}
