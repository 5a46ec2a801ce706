//! A running store on free ports, and real exporters that send to it.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use chassis_service::lifecycle::Running;
use clap::Parser;
use lab_traces::{SERVICE, build, config::TracesConfig};
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use serde_json::Value;

/// The transports of OTLP.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Transport {
    /// OTLP/HTTP.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

/// A running store.
pub(crate) struct Store {
    /// Address of OTLP/HTTP.
    pub(crate) otlp_http: SocketAddr,
    /// Address of OTLP/gRPC.
    pub(crate) otlp_grpc: SocketAddr,
    /// Address of the query API and the UI.
    pub(crate) query: SocketAddr,
    /// Address of the admin port.
    pub(crate) admin: SocketAddr,
    running: Running,
}

impl Store {
    /// On free ports.
    pub(crate) async fn start(extra: &[&str]) -> Self {
        let free = ["--otlp-http-addr", "--otlp-grpc-addr", "--ui-addr", "--admin-addr"]
            .into_iter()
            .flat_map(|flag| [flag, "127.0.0.1:0"]);
        let args = ["lab-traces"].into_iter().chain(free).chain(extra.iter().copied());
        let config = TracesConfig::try_parse_from(args).expect("valid flags");
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let running = Running::start(build(&config, chassis)).await.expect("free ports");
        let port = |name| running.port(name).expect("a port of the store");
        let (otlp_http, otlp_grpc, query) = (port("otlp-http"), port("otlp-grpc"), port("ui"));
        Self { otlp_http, otlp_grpc, query, admin: running.admin, running }
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

/// `GET path` on the query port: the status and the JSON.
pub(crate) async fn get(store: &Store, path: &str) -> (u16, Value) {
    let url = format!("http://{}{path}", store.query);
    let response = reqwest::get(url).await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// One span to send.
pub(crate) struct Sent {
    /// Operation.
    pub(crate) name: &'static str,
    /// Span kind.
    pub(crate) kind: SpanKind,
    /// How long ago it started.
    pub(crate) ago: Duration,
    /// Its duration.
    pub(crate) took: Duration,
    /// Whether it failed.
    pub(crate) error: bool,
    /// Its attributes.
    pub(crate) attributes: Vec<KeyValue>,
    /// The span that it links to.
    pub(crate) link: Option<SpanContext>,
}

impl Sent {
    /// A span of 10 ms that started a minute ago.
    pub(crate) fn new(name: &'static str, kind: SpanKind) -> Self {
        let (ago, took) = (Duration::from_secs(60), Duration::from_millis(10));
        Self { name, kind, ago, took, error: false, attributes: Vec::new(), link: None }
    }
}

/// A service with OpenTelemetry's exporter.
pub(crate) struct Service {
    provider: SdkTracerProvider,
}

impl Service {
    /// A service that sends to `store`.
    pub(crate) async fn new(name: &'static str, store: &Store, transport: Transport) -> Self {
        let (http, grpc) = (store.otlp_http, store.otlp_grpc);
        let exporter = match transport {
            // It contains a blocking client, which must not be created inside the runtime.
            Transport::Http => tokio::task::spawn_blocking(move || {
                SpanExporter::builder().with_http().with_endpoint(format!("http://{http}/v1/traces")).build()
            })
            .await
            .expect("no panic"),
            Transport::Grpc => {
                SpanExporter::builder().with_tonic().with_endpoint(format!("http://{grpc}")).build()
            }
        };
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", name),
                KeyValue::new("service.instance.id", "one"),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter.expect("an exporter"))
            .build();
        Self { provider }
    }

    /// Records a span below `parent`, or in a new trace.
    pub(crate) fn record(&self, parent: Option<&SpanContext>, sent: Sent) -> SpanContext {
        let tracer = self.provider.tracer("tests");
        let start = SystemTime::now() - sent.ago;
        let context = parent
            .map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent.clone()));
        let mut span = tracer
            .span_builder(sent.name)
            .with_kind(sent.kind)
            .with_start_time(start)
            .with_attributes(sent.attributes)
            .start_with_context(&tracer, &context);
        if let Some(link) = sent.link {
            span.add_link(link, Vec::new());
        }
        if sent.error {
            span.set_status(Status::error("no connection"));
            span.add_event("exception", vec![KeyValue::new("exception.type", "Timeout")]);
        }
        span.end_with_timestamp(start + sent.took);
        let context = span.span_context().clone();
        assert_ne!(context.span_id(), SpanId::INVALID);
        context
    }

    /// Sends the recorded spans and waits for the response.
    pub(crate) async fn flush(self) {
        tokio::task::spawn_blocking(move || {
            self.provider.force_flush().expect("exported");
            self.provider.shutdown().expect("shut down");
        })
        .await
        .expect("no panic");
    }
}
