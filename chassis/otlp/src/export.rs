//! Export of spans: OTLP over HTTP, counted, and dropped as the point `trace-drop` says.

use std::time::Duration;

use opentelemetry::{
    Context, KeyValue, TraceId,
    trace::{Link, SpanKind, TracerProvider as _},
};
use opentelemetry_otlp::{Protocol, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Sampler, SamplingResult, SdkTracer, SdkTracerProvider, ShouldSample, SpanData, SpanExporter},
};
use prometheus::IntCounter;

use chassis_faults::FaultPoint;
use chassis_telemetry::Chassis;
use chassis_telemetry::catalogue::TRACE_DROP;

/// Time that one export may take; the backend is optional and must not delay a shutdown.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// The provider of one process and its tracer. Without an endpoint spans have ids but are not exported.
///
/// # Errors
/// If the exporter cannot be built.
pub(crate) fn provider(chassis: &Chassis) -> anyhow::Result<(SdkTracerProvider, SdkTracer)> {
    let service = chassis.service;
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service.name),
            KeyValue::new("service.version", service.version),
            KeyValue::new("service.instance.id", uuid::Uuid::now_v7().to_string()),
            KeyValue::new("telemetry.sdk.language", "rust"),
            KeyValue::new("telemetry.sdk.name", "opentelemetry"),
        ])
        .build();
    let mut builder = SdkTracerProvider::builder().with_resource(resource).with_sampler(
        Sampler::ParentBased(Box::new(Roots(Sampler::TraceIdRatioBased(chassis.telemetry.trace_ratio)))),
    );
    if let Some(endpoint) = &chassis.telemetry.otlp_endpoint {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        builder = builder.with_batch_exporter(Counted::new(exporter, chassis));
    }
    let provider = builder.build();
    let tracer = provider.tracer(service.name);
    Ok((provider, tracer))
}

/// Samples spans that begin a trace. For inbound requests the HTTP stack has already decided, which saves the
/// span of an unsampled one; everything else (a relay's turn, a background task) is decided here.
#[derive(Debug, Clone)]
struct Roots(Sampler);

impl ShouldSample for Roots {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let sampler = if *kind == SpanKind::Server { &Sampler::AlwaysOn } else { &self.0 };
        sampler.should_sample(parent, trace, name, kind, attributes, links)
    }
}

/// Counts exported and lost spans, around the real exporter.
#[derive(Debug)]
struct Counted<E> {
    real: E,
    exported: IntCounter,
    dropped: IntCounter,
    lost: Lost,
}

/// The `trace-drop` point, if the service has it.
struct Lost(Option<FaultPoint>);

impl std::fmt::Debug for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lost")
    }
}

impl<E> Counted<E> {
    fn new(real: E, chassis: &Chassis) -> Self {
        Self {
            real,
            exported: chassis.metrics.counter("traces_exported_total", "Spans that the trace backend took."),
            dropped: chassis
                .metrics
                .counter("traces_dropped_total", "Spans that were lost before the backend."),
            lost: Lost(chassis.faults.find(&TRACE_DROP)),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let all = batch.len();
        if let Some(point) = &self.lost.0 {
            batch.retain(|_| point.strike().is_none());
        }
        let sent = batch.len() as u64;
        self.dropped.inc_by(all as u64 - sent);
        let result = if batch.is_empty() { Ok(()) } else { self.real.export(batch).await };
        if result.is_ok() {
            self.exported.inc_by(sent)
        } else {
            self.dropped.inc_by(sent)
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.real.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.real.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.real.set_resource(resource);
    }
}
