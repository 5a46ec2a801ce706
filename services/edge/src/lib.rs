//! The edge: what comes from outside passes through it to the services. It routes, balances, repeats, limits,
//! and refuses attacks.
//!
//! Read it in this order: `services/edge/routes.yaml` (the routes), [`routes::forward`] (a request on its
//! way), [`domain`] (the rules), [`adapters`] (files, upstreams, the threads of the firewall), [`admin`]
//! (what can be changed while it runs).

pub mod adapters;
pub mod admin;
pub mod config;
pub mod domain;
pub mod error;
pub mod faults;
mod life;
mod metrics;
pub mod problems;
pub mod router;
pub mod routes;
pub mod state;

use std::{fmt::Write as _, sync::Arc};

use anyhow::{Context as _, bail};
use arc_swap::ArcSwapOption;
use chassis_core::ServiceInfo;
use chassis_service::App;
use chassis_telemetry::Chassis;
use tokio::time::Instant;

pub use config::{Command, EdgeConfig};
pub use life::live;

use crate::{
    adapters::{Firewall, InForce, Loaded, Loader, LoaderParts, Transport},
    domain::waf,
    metrics::ProxyMetrics,
    state::{AppState, Inner},
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "edge", version: env!("CARGO_PKG_VERSION") };

/// Assembles the edge: reads the files, starts the threads of the firewall, and begins to look for changes of
/// the files.
///
/// # Errors
/// If a file cannot be read or has a mistake, or the system has no thread left.
pub fn build(config: &EdgeConfig, chassis: Chassis) -> anyhow::Result<App> {
    let (files, longest, started) = (config.files(), config.common.http.request_timeout, Instant::now());
    let (texts, table, rules) = Loaded::at_start(&files, longest)?.into_parts();
    let proxy = ProxyMetrics::register(&chassis.metrics);
    let live = Arc::new(InForce::new(table, proxy.clone(), started));
    let firewall =
        Firewall::start(config.firewall(), rules, &chassis).context("the firewall has no thread")?;
    let parts = LoaderParts { files, longest, live: Arc::clone(&live), firewall: Arc::clone(&firewall) };
    let loader = Arc::new(Loader::new(parts, texts, &chassis.metrics));
    chassis.spawn(Arc::clone(&loader).watch(config.reload_every, chassis.clone()));
    show_replicas(&live, &proxy, &chassis, started);
    let inner = Inner {
        live,
        firewall,
        transport: Transport::new(&chassis.faults),
        loader,
        limit: ArcSwapOption::empty(),
        protections: chassis.protections.clone(),
        metrics: proxy,
        started,
        grace: config.startup_grace,
    };
    let state = AppState { inner: Arc::new(inner) };
    let token = config.common.faults.faults_token.clone();
    Ok(App::new(&config.common, chassis)
        .sharing(config.edge_shared_addr)
        .failing(error::own)
        .offering(router::routes(state.clone()))
        .administering(admin::routes(state, token), admin::PATHS))
}

/// Exports which replicas are out or drained, as of each scrape: a replica comes back by time alone.
fn show_replicas(live: &Arc<InForce>, proxy: &ProxyMetrics, chassis: &Chassis, started: Instant) {
    let (live, ejected, drained) = (Arc::clone(live), proxy.edge_ejected.clone(), proxy.edge_drained.clone());
    chassis.metrics.on_scrape(move || {
        // Those that the files no longer have are gone.
        ejected.reset();
        drained.reset();
        let now = started.elapsed();
        for upstream in live.load().upstreams() {
            let one = upstream.drained(now).map(|(endpoint, _)| endpoint);
            for (endpoint, out) in upstream.replicas(now) {
                let labels = [&*upstream.name, endpoint.as_str()];
                ejected.with_label_values(&labels).set(out.into());
                drained.with_label_values(&labels).set((one.as_deref() == Some(endpoint.as_str())).into());
            }
        }
    });
}

/// Reads the files and tries every rule with its cases; a line that says what was found sound.
///
/// # Errors
/// Every mistake and every case that fails, one per line.
pub fn check(config: &EdgeConfig) -> anyhow::Result<String> {
    let loaded = Loaded::read(&config.files(), config.common.http.request_timeout);
    let (_, table, rules) = match loaded {
        Ok(loaded) => loaded.into_parts(),
        Err(problems) => bail!("{}", problems.join("\n")),
    };
    let (routes, count) = (table.routes.len(), rules.len());
    let (mut failures, mut cases) = (String::new(), 0);
    for rule in rules.into_iter().map(Arc::new) {
        cases += rule.cases.len();
        waf::check(&rule).iter().for_each(|failure| {
            // Writing to memory cannot fail.
            let _ = writeln!(failures, "{failure}");
        });
    }
    if !failures.is_empty() {
        bail!("{}", failures.trim_end());
    }
    Ok(format!("{routes} routes, {count} rules and their {cases} cases are sound"))
}
