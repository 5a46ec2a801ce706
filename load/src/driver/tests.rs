//! The driver against targets with known behaviour, on paused time: minutes of load run in milliseconds.

use std::sync::Mutex;

use chassis_telemetry::metrics::Metrics;

use super::*;
use crate::{mix::Mix, record::LoadMetrics, summary::Summary};

/// Responds after a time that depends on the time of the request; records requests and their times.
struct Fake<F> {
    started: Instant,
    answers_after: F,
    asked: Mutex<Vec<(Duration, Operation)>>,
}

impl<F: Fn(Duration) -> Duration> Fake<F> {
    fn new(answers_after: F) -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), answers_after, asked: Mutex::default() })
    }

    fn times(&self) -> Vec<Duration> {
        self.asked.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }
}

impl<F: Fn(Duration) -> Duration + Send + Sync + 'static> Target for Fake<F> {
    async fn send(&self, operation: Operation) -> Reply {
        let now = self.started.elapsed();
        let reply = Reply { operation: operation.kind(), outcome: Outcome::Ok };
        self.asked.lock().unwrap().push((now, operation));
        tokio::time::sleep((self.answers_after)(now)).await;
        reply
    }
}

fn recorder() -> Arc<Recorder> {
    Arc::new(Recorder::new(LoadMetrics::new(&Metrics::default()), Duration::ZERO))
}

fn plan(pace: Pace, seconds: u64) -> Plan {
    Plan {
        pace,
        workload: Workload::new(Mix::profile("shop").unwrap(), 1.0, 5).unwrap(),
        seed: 5,
        timeout: Duration::from_secs(10),
        duration: Some(Duration::from_secs(seconds)),
        drain: Duration::from_secs(20),
    }
}

fn open(arrivals: Arrivals, rate: &watch::Sender<f64>) -> Pace {
    Pace::Open { arrivals, rate: rate.subscribe(), max_in_flight: 10_000 }
}

fn rate(rps: f64) -> watch::Sender<f64> {
    watch::Sender::new(rps)
}

async fn drive<T: Target>(plan: Plan, target: &Arc<T>) -> Summary {
    let recorder = recorder();
    run(plan, Arc::clone(target), Arc::clone(&recorder), CancellationToken::new()).await;
    Summary::of(&recorder.measured())
}

#[tokio::test(start_paused = true)]
async fn requests_arrive_at_the_rate_however_long_responses_take() {
    for answer in [Duration::from_millis(1), Duration::from_secs(3)] {
        let target = Fake::new(move |_| answer);
        let summary = drive(plan(open(Arrivals::Constant, &rate(200.0)), 60), &target).await;
        assert_eq!(summary.total.requests + 1, 60 * 200, "the one due at the very end is not sent");
        assert_eq!(summary.dropped, 0);
    }
    let target = Fake::new(|_| Duration::ZERO);
    let summary = drive(plan(open(Arrivals::Poisson, &rate(200.0)), 60), &target).await;
    // 12,000 expected with a standard deviation of 110.
    assert!((11_560..12_440).contains(&summary.total.requests), "{} requests", summary.total.requests);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_sends_the_same_requests_at_the_same_times() {
    let fast = Fake::new(|_| Duration::ZERO);
    drive(plan(open(Arrivals::Poisson, &rate(100.0)), 20), &fast).await;
    let slow = Fake::new(|_| Duration::from_secs(1));
    drive(plan(open(Arrivals::Poisson, &rate(100.0)), 20), &slow).await;

    let (fast, slow) = (fast.asked.lock().unwrap(), slow.asked.lock().unwrap());
    assert!(fast.len() > 1_900, "{} requests", fast.len());
    for (fast, slow) in fast.iter().zip(slow.iter()) {
        assert_eq!(fast, slow);
    }
}

/// A server that responds in 1 ms, but freezes from second 10 to second 12.
fn frozen(now: Duration) -> Duration {
    let (from, to) = (Duration::from_secs(10), Duration::from_secs(12));
    let held = if (from..to).contains(&now) { to - now } else { Duration::ZERO };
    held + Duration::from_millis(1)
}

#[tokio::test(start_paused = true)]
async fn a_freeze_of_two_seconds_shows_in_the_percentiles_of_the_open_loop_only() {
    let open_loop = drive(plan(open(Arrivals::Constant, &rate(100.0)), 20), &Fake::new(frozen)).await;
    // 10 % of the requests were due during the freeze and waited evenly from 0 to 2 s: p99 is 1.8 s.
    let seen = open_loop.total.response_ms;
    assert!((1_700.0..1_900.0).contains(&seen.p99), "{seen:?}");
    assert!((1_950.0..2_050.0).contains(&seen.max), "{seen:?}");
    assert!(seen.p50 < 5.0, "{seen:?}");

    let closed_loop = drive(plan(Pace::Closed { concurrency: 4 }, 20), &Fake::new(frozen)).await;
    assert!(closed_loop.total.response_ms.p99 < 5.0, "{:?}", closed_loop.total.response_ms);
}

#[tokio::test(start_paused = true)]
async fn the_rate_changes_at_run_time() {
    let (rate, target) = (rate(10.0), Fake::new(|_| Duration::ZERO));
    let running = {
        let (plan, target) = (plan(open(Arrivals::Constant, &rate), 30), Arc::clone(&target));
        tokio::spawn(async move { drive(plan, &target).await })
    };
    tokio::time::sleep(Duration::from_secs(10)).await;
    rate.send_replace(100.0);
    tokio::time::sleep(Duration::from_secs(10)).await;
    rate.send_replace(0.0);
    running.await.unwrap();

    let within = |from, to| {
        let span = Duration::from_secs(from)..Duration::from_secs(to);
        target.times().iter().filter(|at| span.contains(at)).count()
    };
    assert!((98..=101).contains(&within(0, 10)), "{}", within(0, 10));
    assert!((995..=1_002).contains(&within(10, 20)), "{}", within(10, 20));
    assert!(within(20, 30) <= 1, "{}", within(20, 30));
}

#[tokio::test(start_paused = true)]
async fn requests_above_the_limit_in_flight_are_dropped_and_counted() {
    let rate = rate(100.0);
    let pace = Pace::Open { arrivals: Arrivals::Constant, rate: rate.subscribe(), max_in_flight: 50 };
    let target = Fake::new(|_| Duration::from_secs(1));
    let summary = drive(plan(pace, 10), &target).await;
    // 50 slots, each busy for 1 s: half of 100 requests per second.
    assert!((490..=510).contains(&summary.total.requests), "{}", summary.total.requests);
    assert_eq!(summary.total.requests + summary.dropped, 999);
}

#[tokio::test(start_paused = true)]
async fn a_request_over_its_timeout_is_counted_with_the_time_it_took() {
    let rate = rate(10.0);
    let plan = Plan { timeout: Duration::from_millis(500), ..plan(open(Arrivals::Constant, &rate), 5) };
    let summary = drive(plan, &Fake::new(|_| Duration::from_secs(3_600))).await;
    assert_eq!(summary.total.outcomes["timeout"], summary.total.requests);
    assert!((495.0..520.0).contains(&summary.total.response_ms.p50), "{:?}", summary.total.response_ms);
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_requests_in_flight_and_abandons_those_that_outlive_the_drain() {
    let (stop, rate, recorder) = (CancellationToken::new(), rate(10.0), recorder());
    // Every second request would take an hour.
    let slow = |now: Duration| {
        Duration::from_secs(if (now.as_millis() / 100).is_multiple_of(2) { 3_600 } else { 2 })
    };
    let plan = Plan {
        duration: None,
        timeout: Duration::from_secs(7_200),
        drain: Duration::from_secs(5),
        ..plan(open(Arrivals::Constant, &rate), 0)
    };
    let run = tokio::spawn(run(plan, Fake::new(slow), Arc::clone(&recorder), stop.clone()));
    tokio::time::sleep(Duration::from_millis(1_950)).await;
    let stopped = Instant::now();
    stop.cancel();
    run.await.unwrap();

    assert_eq!(stopped.elapsed().as_secs(), 5, "the drain is bounded");
    let total = Summary::of(&recorder.measured()).total;
    assert_eq!(total.requests, 19);
    assert_eq!(total.outcomes["ok"] + total.outcomes["abandoned"], 19);
    assert!(total.outcomes["ok"] >= 9, "{:?}", total.outcomes);
}
