//! A small service without business logic: its configuration, and the service running on free ports.
#![allow(dead_code, reason = "each test binary uses its part")]

use axum::Router;
use chassis_client::catalogue::{UPSTREAM_ERROR, UPSTREAM_LATENCY, UPSTREAM_UNREACHABLE};
use chassis_core::ServiceInfo;
use chassis_faults::{Attribute, Catalogue};
use chassis_http::catalogue::{HTTP_ABORT, HTTP_ERROR};
use chassis_service::{App, CommonConfig, lifecycle::Running};
use chassis_telemetry::Chassis;
use chassis_telemetry::catalogue::{LOG_DROP, METRICS_GONE, TRACE_DROP};
use clap::Parser;
use testkit::{Http, Scrape};

/// Points that act on requests and on telemetry.
pub(crate) const CATALOGUE: Catalogue = &[
    &HTTP_ERROR,
    &HTTP_ABORT,
    &METRICS_GONE,
    &TRACE_DROP,
    &LOG_DROP,
    &UPSTREAM_ERROR,
    &UPSTREAM_LATENCY,
    &UPSTREAM_UNREACHABLE,
];

/// What plans may select by.
pub(crate) const SUBJECT: &[Attribute] = &[
    Attribute { key: "user.tier", param: "user_tier", summary: "only users of this tier" },
    Attribute { key: "user.id", param: "user_id", summary: "only this user" },
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
pub(crate) fn chassis_with(arguments: &[&str], points: Catalogue) -> Chassis {
    let service = ServiceInfo { name: "test-service", version: "1.2.3" };
    config(arguments).chassis(service, points, SUBJECT)
}

/// The test service as it was told by `arguments`, with these routes, before it runs.
pub(crate) fn app(arguments: &[&str], points: Catalogue) -> App {
    App::new(&config(arguments), chassis_with(arguments, points))
}

/// The test service, running.
pub(crate) struct Service {
    pub(crate) running: Running,
    pub(crate) public: Http,
    pub(crate) admin: Http,
}

/// Starts `routes` behind the chassis's layers.
pub(crate) async fn start(routes: Router, arguments: &[&str]) -> Service {
    start_app(app(arguments, CATALOGUE), routes).await
}

/// As [`start`], with what the caller added to the app, such as readiness checks.
pub(crate) async fn start_app(app: App, routes: Router) -> Service {
    let running = Running::start(app.serving(routes, ROUTES)).await.expect("free ports");
    let public = Http::to(running.public.expect("a public port"));
    let admin = Http::to(running.admin);
    Service { running, public, admin }
}

impl Service {
    /// Its current metrics.
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
