//! The outbound client during an outage of its peer: how many calls each protection saves.

mod support;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Path, routing::get};
use chassis_client::{ClientConfig, ClientError, PeerClient};
use chassis_faults::protection::Protection;
use chassis_http::Server;
use chassis_telemetry::Chassis;
use futures::future::join_all;
use http::StatusCode;
use testkit::Scrape;
use tokio::{sync::Semaphore, time::Instant};

/// A peer that counts the calls that reach it.
struct Peer {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
    _server: Server,
}

impl Peer {
    async fn start() -> Self {
        let (calls, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (counted, gated) = (Arc::clone(&calls), Arc::clone(&gate));
        let status = move |Path(status): Path<u16>| async move {
            counted.fetch_add(1, Ordering::SeqCst);
            (StatusCode::from_u16(status).expect("a status"), "\"answer\"")
        };
        let counted = Arc::clone(&calls);
        let wait = move || async move {
            counted.fetch_add(1, Ordering::SeqCst);
            gated.acquire().await.expect("an open gate").forget();
            "\"late\""
        };
        let routes = Router::new().route("/status/{status}", get(status)).route("/wait", get(wait));
        let settings = chassis_serve::Settings::new(&chassis_serve::Limits::default(), 0);
        let server = Server::bind(([127, 0, 0, 1], 0).into(), routes, settings).await.expect("a free port");
        Self { address: server.address, calls, gate, _server: server }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn client(chassis: &Chassis, peer: &Peer, timeout: Duration) -> PeerClient {
    let config = ClientConfig {
        peer: "peer",
        base: format!("http://{}", peer.address).parse().expect("a URL"),
        timeout,
        max_concurrent: 4,
        attempts: 3,
    };
    PeerClient::new(config, chassis)
}

fn scrape(chassis: &Chassis) -> Scrape {
    Scrape::parse(&String::from_utf8(chassis.metrics.render(None).1).expect("UTF-8"))
}

/// A chassis with only these protections of the client on, so that each is measured alone.
fn with_only(protections: &[Protection]) -> Chassis {
    let chassis = support::chassis(&[]);
    for protection in [
        Protection::CircuitBreaker,
        Protection::RetryBudget,
        Protection::HedgedReads,
        Protection::Bulkhead,
        Protection::Timeout,
    ] {
        chassis.protections.set(protection, protections.contains(&protection));
    }
    chassis
}

/// Calls that reach a failing peer, out of 40 attempts.
async fn calls_during_outage(chassis: &Chassis) -> usize {
    let peer = Peer::start().await;
    let client = client(chassis, &peer, Duration::from_secs(5));
    for _ in 0..40 {
        client.get::<String>("/status/{status}", "/status/500").await.expect_err("an outage");
    }
    peer.calls()
}

#[tokio::test]
async fn without_protections_an_outage_triples_the_calls() {
    let chassis = with_only(&[]);
    assert_eq!(calls_during_outage(&chassis).await, 120);
    let scrape = scrape(&chassis);
    assert_eq!(scrape.value("http_client_requests_total", &[("outcome", "server_error")]), 120.0);
    assert_eq!(scrape.value("http_client_retries_total", &[("peer", "peer")]), 80.0);
}

#[tokio::test]
async fn the_retry_budget_bounds_the_added_calls() {
    let chassis = with_only(&[Protection::RetryBudget]);
    let calls = calls_during_outage(&chassis).await;
    // A fifth of the calls (8) and one for each second of the window (10) as a floor, instead of twice the calls (80).
    assert!((48..=60).contains(&calls), "{calls}");
    assert_eq!(scrape(&chassis).value("http_client_retries_total", &[]), (calls - 40) as f64);
}

#[tokio::test]
async fn the_circuit_breaker_ends_the_calls() {
    let chassis = with_only(&[Protection::CircuitBreaker]);
    assert_eq!(calls_during_outage(&chassis).await, 20, "the minimum for a failure rate");
    let scrape = scrape(&chassis);
    assert_eq!(scrape.value("circuit_breaker_state", &[("peer", "peer")]), 2.0);
    assert!(scrape.value("http_client_refused_total", &[("peer", "peer")]) >= 20.0);
}

#[tokio::test]
async fn the_bulkhead_bounds_concurrent_calls() {
    for (protections, at_once) in [(&[Protection::Bulkhead][..], 4), (&[][..], 10)] {
        let chassis = with_only(protections);
        let peer = Peer::start().await;
        let client = client(&chassis, &peer, Duration::from_secs(5));
        let calls = join_all((0..10).map(|_| client.get::<String>("/wait", "/wait")));
        let release = async {
            testkit::eventually(Duration::from_secs(5), || async {
                (peer.calls() == at_once).then_some(()).ok_or(format!("{} calls", peer.calls()))
            })
            .await;
            peer.gate.add_permits(10);
        };
        let (answers, ()) = tokio::join!(calls, release);
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), at_once);
        assert_eq!(peer.calls(), at_once);
        for refused in answers.into_iter().filter_map(Result::err) {
            assert!(matches!(refused, ClientError::Refused { .. }), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn the_deadline_frees_a_caller_whose_peer_hangs() {
    let chassis = with_only(&[Protection::Timeout]);
    let peer = Peer::start().await;
    let client = client(&chassis, &peer, Duration::from_millis(100));
    let started = Instant::now();
    let error = client.get::<String>("/wait", "/wait").await.expect_err("no answer");
    assert!(matches!(error, ClientError::Timeout { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());

    chassis.protections.set(Protection::Timeout, false);
    let hanging = client.get::<String>("/wait", "/wait");
    let answer = tokio::time::timeout(Duration::from_millis(400), hanging).await;
    assert!(answer.is_err(), "four deadlines later it still waits: {answer:?}");
}

#[tokio::test]
async fn a_late_answer_is_asked_for_once_more_and_the_first_one_counts() {
    for (protections, calls) in
        [(&[Protection::HedgedReads, Protection::RetryBudget][..], 2), (&[Protection::RetryBudget][..], 1)]
    {
        let chassis = with_only(protections);
        let peer = Peer::start().await;
        let client = client(&chassis, &peer, Duration::from_millis(600));
        // Only one of the attempts is ever answered.
        let call = client.get::<String>("/wait", "/wait");
        let release = async {
            testkit::eventually(Duration::from_secs(5), || async {
                (peer.calls() == calls).then_some(()).ok_or(format!("{} calls", peer.calls()))
            })
            .await;
            peer.gate.add_permits(1);
        };
        let (answer, ()) = tokio::join!(call, release);
        assert_eq!(answer.expect("an answer").as_deref(), Some("late"), "{protections:?}");
        assert_eq!(scrape(&chassis).value("http_client_retries_total", &[]), (calls - 1) as f64);
    }
}

#[tokio::test]
async fn late_answers_of_a_slow_peer_are_asked_for_within_the_retry_budget() {
    let chassis = with_only(&[Protection::HedgedReads, Protection::RetryBudget, Protection::Timeout]);
    let peer = Peer::start().await;
    let client = client(&chassis, &peer, Duration::from_millis(300));
    for _ in 0..4 {
        let calls = (0..10).map(|_| client.get::<String>("/wait", "/wait"));
        assert!(join_all(calls).await.iter().all(Result::is_err));
    }
    // A fifth of the calls (8) and one for each second of the window (10) as a floor.
    assert!((41..=60).contains(&peer.calls()), "{}", peer.calls());
}

#[tokio::test]
async fn a_missing_thing_is_none_and_a_refusal_of_the_peer_is_not_retried() {
    let chassis = support::chassis(&[]);
    let peer = Peer::start().await;
    let client = client(&chassis, &peer, Duration::from_secs(5));
    let get =
        async |status: u16| client.get::<String>("/status/{status}", &format!("/status/{status}")).await;
    assert_eq!(get(200).await.expect("an answer").as_deref(), Some("answer"));
    assert_eq!(get(404).await.expect("an answer"), None);
    let before = peer.calls();
    for _ in 0..50 {
        let error = get(409).await.expect_err("a refusal");
        assert!(matches!(error, ClientError::Status { status: 409, .. }), "{error:?}");
    }
    assert_eq!(peer.calls() - before, 50);
    assert_eq!(scrape(&chassis).value("circuit_breaker_state", &[]), 0.0);
}

#[tokio::test]
async fn upstream_faults_fail_like_the_real_thing_without_reaching_the_peer() {
    let chassis = with_only(&[]);
    let peer = Peer::start().await;
    let client = client(&chassis, &peer, Duration::from_secs(5));
    let get = async || client.get::<String>("/status/{status}", "/status/200").await;

    chassis.faults.set("upstream-error", "status=502").expect("a plan");
    let error = get().await.expect_err("an error");
    assert!(matches!(error, ClientError::Status { status: 502, .. }), "{error:?}");
    chassis.faults.clear("upstream-error").expect("a point");

    chassis.faults.set("upstream-unreachable", "").expect("a plan");
    let error = get().await.expect_err("an error");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
    chassis.faults.clear("upstream-unreachable").expect("a point");
    assert_eq!(peer.calls(), 0);

    chassis.faults.set("upstream-latency", "delay=200ms").expect("a plan");
    let started = Instant::now();
    get().await.expect("an answer");
    assert!(started.elapsed() >= Duration::from_millis(200));
    chassis.faults.clear("upstream-latency").expect("a point");
    assert_eq!(peer.calls(), 1);
}
