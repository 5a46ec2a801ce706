//! A small service without a business: its configuration, and it running on free ports.
#![allow(dead_code, reason = "each test binary uses its part")]

use axum::Router;
use chassis::{
    App, Chassis, CommonConfig, ServiceInfo,
    fault::{FaultSpec, catalogue},
    lifecycle::Running,
};
use clap::Parser;
use testkit::{Http, Scrape};

/// Points that act on requests and on telemetry.
pub(crate) const CATALOGUE: &[&FaultSpec] = &[
    &catalogue::HTTP_ERROR,
    &catalogue::HTTP_ABORT,
    &catalogue::METRICS_GONE,
    &catalogue::TRACE_DROP,
    &catalogue::LOG_DROP,
    &catalogue::UPSTREAM_ERROR,
    &catalogue::UPSTREAM_LATENCY,
    &catalogue::UPSTREAM_UNREACHABLE,
];

/// Methods and templates of [`start`]'s routes need not be complete: those missing appear with their first request.
pub(crate) const ROUTES: &[(&str, &str)] = &[("GET", "/things/{id}"), ("POST", "/things")];

/// The configuration that these arguments give.
pub(crate) fn config(arguments: &[&str]) -> CommonConfig {
    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        common: CommonConfig,
    }
    Arguments::parse_from(std::iter::once(&"test").chain(arguments)).common
}

/// A chassis for the test service.
pub(crate) fn chassis(arguments: &[&str]) -> Chassis {
    chassis_with(arguments, CATALOGUE)
}

/// As [`chassis`], with other fault points.
pub(crate) fn chassis_with(arguments: &[&str], points: &'static [&'static FaultSpec]) -> Chassis {
    let service = ServiceInfo { name: "test-service", version: "1.2.3" };
    Chassis::new(service, config(arguments), points)
}

/// The test service, running.
pub(crate) struct Service {
    pub(crate) running: Running,
    pub(crate) public: Http,
    pub(crate) admin: Http,
}

/// Starts `routes` behind the layers of the house.
pub(crate) async fn start(routes: Router, arguments: &[&str]) -> Service {
    start_on(chassis(arguments), routes).await
}

/// As [`start`], on a given chassis.
pub(crate) async fn start_on(chassis: Chassis, routes: Router) -> Service {
    let app = App { chassis, public: Some(routes), routes: ROUTES };
    let running = Running::start(app).await.expect("free ports");
    let public = Http::to(running.public.expect("a public port"));
    let admin = Http::to(running.admin);
    Service { running, public, admin }
}

impl Service {
    /// Its metrics now.
    pub(crate) async fn scrape(&self) -> Scrape {
        Scrape::parse(&self.admin.get("/metrics").await.expect_status(200).body)
    }

    /// Waits until `name` with `labels` has reached `value`.
    pub(crate) async fn reaches(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        testkit::eventually(std::time::Duration::from_secs(5), || async {
            let now = self.scrape().await.find(name, labels);
            if now == Some(value) { Ok(()) } else { Err(format!("{name}{labels:?} is {now:?}, not {value}")) }
        })
        .await;
    }
}
