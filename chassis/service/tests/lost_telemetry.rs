//! The faults of telemetry itself, and what telemetry shows of faults. One test: a process has one subscriber.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::{
    io::{self, Write},
    sync::Arc,
};

use axum::{Router, routing::get};
use chassis_http::catalogue::HTTP_ERROR;
use chassis_otlp::TelemetryGuard;
use chassis_service::{App, lifecycle::Running};
use chassis_telemetry::catalogue::{LOG_DROP, TRACE_DROP};
use parking_lot::Mutex;
use testkit::{Http, Scrape, TraceSink};

const POINTS: chassis_faults::Catalogue = &[&HTTP_ERROR, &TRACE_DROP, &LOG_DROP];

/// Captured log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// The lines written since the last call.
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn app(arguments: &[&str]) -> App {
    let public = Router::new().route("/ok", get(|| async { "ok" }));
    support::app(arguments, POINTS).serving(public, &[("GET", "/ok")])
}

struct Lab {
    blind: Running,
    public: Http,
    lines: Lines,
    sink: TraceSink,
    guard: Arc<TelemetryGuard>,
}

impl Lab {
    async fn start() -> Self {
        let sink = TraceSink::start().await;
        // Everything that the chassis itself logs, at every level.
        let level = "--log-level=info,chassis=trace";
        let app = app(&[&format!("--otlp-endpoint={}", sink.endpoint()), level]);
        let lines = Lines::default();
        let guard = Arc::new(chassis_otlp::init_with(&app.chassis, Box::new(lines.clone())).unwrap());
        // The hook that was just installed would log a failing assertion into `lines`.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
        let blind = Running::start(app).await.unwrap();
        let public = Http::to(blind.public.unwrap());
        Self { blind, public, lines, sink, guard }
    }

    fn set(&self, name: &str, query: &str) {
        self.blind.chassis.faults.set(name, query).unwrap();
    }

    fn clear(&self) {
        self.blind.chassis.faults.clear_all();
    }

    /// Spans that arrived at the backend since `work` started.
    async fn spans_of(&self, work: impl Future<Output = ()>) -> Vec<testkit::Span> {
        let before = self.sink.all().len();
        work.await;
        let guard = Arc::clone(&self.guard);
        tokio::task::spawn_blocking(move || guard.flush()).await.unwrap();
        self.sink.all().split_off(before)
    }

    async fn requests(&self, count: usize) {
        for _ in 0..count {
            self.public.get("/ok").await;
        }
    }
}

fn names_a_fault(text: &str) -> bool {
    ["fault", "http-error", "inject", "chaos", "simulat"].iter().any(|word| text.contains(word))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telemetry_is_lost_as_planned_and_never_says_why() {
    let lab = Lab::start().await;
    assert!(lab.blind.chassis.faults.unclaimed().is_empty(), "starting traces and logs claims their points");
    traces_are_lost_and_come_back(&lab).await;
    lines_are_lost_and_come_back(&lab);
    a_failure_reads_like_a_real_one(&lab).await;
    an_instructor_sees_the_name(&lab).await;
}

async fn traces_are_lost_and_come_back(lab: &Lab) {
    assert_eq!(lab.spans_of(lab.requests(20)).await.len(), 20);
    lab.set("trace-drop", "");
    assert_eq!(lab.spans_of(lab.requests(20)).await.len(), 0);
    assert_eq!(Scrape::of(lab.blind.admin).await.value("traces_dropped_total", &[]), 20.0);
    lab.set("trace-drop", "rate=0.5");
    let some = lab.spans_of(lab.requests(40)).await.len();
    assert!((8..32).contains(&some), "{some}");
    lab.clear();
    assert_eq!(lab.spans_of(lab.requests(5)).await.len(), 5);
}

fn lines_are_lost_and_come_back(lab: &Lab) {
    lab.lines.take();
    lab.set("log-drop", "");
    tracing::error!("a line while it is on");
    lab.clear();
    tracing::error!("a line afterwards");
    let text = lab.lines.take();
    assert!(text.contains("afterwards") && !text.contains("while it is on"), "{text}");
}

async fn a_failure_reads_like_a_real_one(lab: &Lab) {
    lab.lines.take();
    let admin = Http::to(lab.blind.admin);
    admin.put("/faults/http-error?ttl=10m").await.expect_status(200);
    let spans = lab.spans_of(lab.requests(1)).await;
    admin.delete("/faults/http-error").await.expect_status(200);
    assert_eq!(spans.len(), 1);
    assert!(spans[0].error && !names_a_fault(&format!("{spans:?}")), "{spans:?}");
    let text = lab.lines.take();
    assert!(text.contains("request failed") && !names_a_fault(&text), "{text}");
}

async fn an_instructor_sees_the_name(lab: &Lab) {
    let revealing = Running::start(app(&["--faults-reveal=true"])).await.unwrap();
    lab.lines.take();
    revealing.chassis.faults.set("http-error", "").unwrap();
    let public = Http::to(revealing.public.unwrap());
    let spans = lab
        .spans_of(async {
            public.get("/ok").await;
        })
        .await;
    assert!(format!("{spans:?}").contains("http-error"), "{spans:?}");
    assert!(lab.lines.take().contains("http-error"));
}
