//! A trace store for one machine: receives OTLP, keeps traces within a memory limit, responds like Jaeger.
//!
//! * [`receive`] -- OTLP over HTTP and gRPC. Bad input is refused, never fatal.
//! * [`store`] -- the traces. Never exceeds its limit; drops ordinary traces before failed and slow ones.
//! * [`jaeger`] -- Jaeger's query API, as its UI and Grafana use it.
//! * [`ui`] -- the Jaeger UI itself.
//! * [`metrics`], [`config`] -- the process.

pub mod config;
pub mod jaeger;
mod life;
pub mod metrics;
pub mod receive;
pub mod store;
pub mod ui;

use std::sync::Arc;

use chassis_serve::{Protocol, whole_requests};
use chassis_service::{App, Chassis, Port, ServiceInfo};
use tonic::service::Routes;

pub use life::live;

use crate::{config::TracesConfig, metrics::TraceMetrics, receive::Intake, store::Store};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "lab-traces", version: env!("CARGO_PKG_VERSION") };

/// Assembles the store with its three ports, `otlp-http`, `otlp-grpc` and `ui`. Ready means: running, since they are open before
/// the admin port answers.
#[must_use]
pub fn build(config: &TracesConfig, chassis: Chassis) -> App {
    let store = Arc::new(Store::new(config.memory, config.slow));
    let metrics = TraceMetrics::register(&chassis.metrics, Arc::clone(&store));
    let intake = Intake::new(Arc::clone(&store), metrics);
    App::new(&config.common(), chassis)
        .listening(Port {
            name: "otlp-http",
            variable: "OTLP_HTTP_ADDR",
            address: config.otlp_http_addr,
            protocol: Protocol::Http1,
            routes: receive::http::router(intake.clone()),
        })
        .listening(Port {
            name: "otlp-grpc",
            variable: "OTLP_GRPC_ADDR",
            address: config.otlp_grpc_addr,
            protocol: Protocol::Http2,
            routes: Routes::new(receive::grpc::service(intake)).into_axum_router(),
        })
        .listening(Port {
            name: "ui",
            variable: "UI_ADDR",
            address: config.ui_addr,
            protocol: Protocol::Http1,
            routes: whole_requests(jaeger::router(store).merge(ui::router())),
        })
}
