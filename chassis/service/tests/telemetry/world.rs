//! One service with telemetry, shared by the tests of this process: a subscriber can be installed only once.

use std::{
    io::Write,
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use chassis_client::{ClientConfig, PeerClient};
use chassis_faults::scope::Scope;
use chassis_http::{Json, Problem, access::TARGET, problems::INTERNAL};
use chassis_otlp::TelemetryGuard;
use chassis_telemetry::Chassis;
use http::Method;
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use testkit::{Answer, Scrape, Span, TraceSink};
use tokio::runtime::Runtime;

use crate::support::{self, Service};

pub(crate) struct World {
    pub(crate) sink: TraceSink,
    pub(crate) telemetry: TelemetryGuard,
    service: Service,
    lines: Lines,
    runtime: Runtime,
    /// Telemetry faults hit the whole process: one test at a time.
    turn: Mutex<()>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::start);

/// The world, for one test at a time.
pub(crate) fn enter() -> Turn {
    Turn { world: &WORLD, _turn: WORLD.turn.lock() }
}

pub(crate) struct Turn {
    world: &'static World,
    _turn: MutexGuard<'static, ()>,
}

impl std::ops::Deref for Turn {
    type Target = World;
    fn deref(&self) -> &World {
        self.world
    }
}

/// A separate W3C parent for test `n`: the trace id and the header.
pub(crate) fn trace_parent(n: u8, sampled: bool) -> (String, (&'static str, String)) {
    let trace = format!("{:032x}", 0x4bf9_2f35_77b3_0000_u128 + u128::from(n));
    let header = format!("00-{trace}-00f067aa0ba902b7-0{}", u8::from(sampled));
    (trace, ("traceparent", header))
}

impl World {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let lines = Lines::default();
        let (sink, telemetry, service) = runtime.block_on(async {
            let sink = TraceSink::start().await;
            let endpoint = format!("--otlp-endpoint={}", sink.endpoint());
            let app = support::app(&[&endpoint], support::CATALOGUE);
            let chassis = app.chassis.clone();
            // A failing assertion would otherwise be a line among those that are asserted on, and nobody would see it.
            let init = || chassis_otlp::init_with(&chassis, Box::new(lines.clone()));
            let telemetry = testkit::panics_shown(init).expect("telemetry");
            let peer = support::start(whoami(), &[]).await;
            let address = peer.running.public.expect("a public port");
            // It lives as long as the process.
            std::mem::forget(peer);
            let routes = routes(&chassis, address);
            (sink, telemetry, support::start_app(app, routes).await)
        });
        Self { sink, telemetry, service, lines, runtime, turn: Mutex::new(()) }
    }

    pub(crate) fn get(&self, path: &str, header: &(&'static str, String)) -> Answer {
        self.send(Method::GET, path, std::slice::from_ref(header))
    }

    pub(crate) fn send(&self, method: Method, path: &str, headers: &[(&'static str, String)]) -> Answer {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.runtime.block_on(self.service.public.send(method, path, &headers, String::new()))
    }

    /// The spans of a trace, once those named have arrived.
    pub(crate) fn spans(&self, trace: &str, names: &[&str]) -> Vec<Span> {
        self.telemetry.flush();
        self.runtime.block_on(self.sink.wait_for(trace, names, Duration::from_secs(5)))
    }

    /// The log lines of a trace, without those of the access log; each is written before its answer.
    pub(crate) fn lines_of(&self, trace: &str) -> Vec<Value> {
        let lines = self.log().into_iter();
        lines.filter(|line| line["trace_id"] == trace && line["target"] != TARGET).collect()
    }

    /// The lines of a trace in the access log; each is written before its answer.
    pub(crate) fn access_of(&self, trace: &str) -> Vec<Value> {
        let lines = self.log().into_iter();
        lines.filter(|line| line["trace_id"] == trace && line["target"] == TARGET).collect()
    }

    /// All lines.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = self.lines.0.lock().clone();
        let text = String::from_utf8(text).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// Waits for `work`, which may use the ports of the service.
    pub(crate) fn wait<T>(&self, work: impl AsyncFnOnce(&Service) -> T) -> T {
        self.runtime.block_on(work(&self.service))
    }

    pub(crate) fn scrape(&self) -> Scrape {
        self.runtime.block_on(self.service.scrape())
    }

    pub(crate) fn open_metrics(&self) -> String {
        let accept = [("accept", "application/openmetrics-text")];
        let answer = self.service.admin.send(Method::GET, "/metrics", &accept, String::new());
        self.runtime.block_on(answer).body
    }

    pub(crate) fn fault(&self, name: &str, query: &str) {
        self.service.running.chassis.faults.set(name, query).expect("a plan");
    }

    pub(crate) fn end(&self, name: &str) {
        self.service.running.chassis.faults.clear(name).expect("a point");
    }
}

fn routes(chassis: &Chassis, peer: std::net::SocketAddr) -> Router {
    let broken = || async {
        let cause = std::io::Error::other("the disk is on fire");
        Err::<(), _>(Problem::new(&INTERNAL, "It failed.").because(&cause))
    };
    let panics = || async {
        if true {
            panic!("a mistake");
        }
    };
    let config = ClientConfig {
        peer: "whoami",
        base: format!("http://{peer}").parse().expect("a URL"),
        timeout: Duration::from_secs(5),
        max_concurrent: 8,
        attempts: 1,
    };
    let relay = |State(peer): State<PeerClient>| async move {
        let answer = peer.get::<String>("/whoami", "/whoami").await;
        Json(answer.expect("an answer").expect("not 404"))
    };
    Router::new()
        .route("/things/{id}", get(|| async { "thing" }))
        .route("/broken", get(broken))
        .route("/panic", get(panics))
        .route("/never", get(std::future::pending::<()>))
        .route("/relay", get(relay))
        .with_state(PeerClient::new(config, chassis))
}

fn whoami() -> Router {
    Router::new().route("/whoami", get(|| async { Json(format!("{:?}", Scope::current())) }))
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
