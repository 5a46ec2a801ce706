//! The life of a service: build, serve, become unready on SIGTERM, drain, flush. Every step has a deadline.

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use axum::Router;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    CommonConfig, Readiness, admin,
    config::{self, EXIT_USAGE},
    fault::{self, FaultSpec, Faults},
    http::{self, Server},
    protection::Protections,
    telemetry::{metrics::Metrics, resource},
};

/// Time without a new connection after which a balancer has heard that this process is leaving.
const QUIET: Duration = Duration::from_secs(1);

/// Who this process is; goes into `/version`, `build_info`, log lines and the trace resource.
#[derive(Debug, Clone, Copy)]
pub struct ServiceInfo {
    /// The one name: folder, crate, binary, image, chart key, `service` label.
    pub name: &'static str,
    /// The crate's version.
    pub version: &'static str,
}

/// Everything that a component needs from its surroundings, passed down and never global. Cheap to clone.
#[derive(Clone)]
pub struct Chassis {
    /// Who this process is.
    pub service: ServiceInfo,
    /// The configuration that all services share.
    pub config: CommonConfig,
    /// The registry that `/metrics` renders.
    pub metrics: Metrics,
    /// The fault switchboard of this process.
    pub faults: Faults,
    /// Which protections are on.
    pub protections: Protections,
    /// Named readiness checks; `/readyz` fails while one of them does.
    pub readiness: Readiness,
    /// Cancelled when the process must stop: background loops end at their next turn.
    pub shutdown: CancellationToken,
    /// Background tasks that the drain waits for.
    pub tasks: TaskTracker,
    /// Cancelled when the tasks have had their time: those of [`Chassis::spawn`] are dropped where they stand.
    killed: CancellationToken,
}

impl Chassis {
    /// Assembles the parts for one service that declares `catalogue` as its fault points.
    #[must_use]
    pub fn new(service: ServiceInfo, config: CommonConfig, catalogue: &'static [&'static FaultSpec]) -> Self {
        let metrics = Metrics::new();
        metrics
            .gauge_vec("build_info", "Always 1; the labels say what is running.", &["version", "revision"])
            .with_label_values(&[service.version, service.revision()])
            .set(1);
        Self {
            service,
            faults: Faults::new(catalogue, &config),
            protections: Protections::default(),
            config,
            metrics,
            readiness: Readiness::default(),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            killed: CancellationToken::new(),
        }
    }

    /// As [`Chassis::new`], for `main`: checks what only the catalogue can tell before anything is connected.
    ///
    /// # Errors
    /// [`config::Invalid`], naming the wrong entry of `FAULTS_AT_START` or `PROTECTIONS_OFF`.
    pub fn for_process(
        service: ServiceInfo,
        config: CommonConfig,
        catalogue: &'static [&'static FaultSpec],
    ) -> anyhow::Result<Self> {
        let chassis = Self::new(service, config, catalogue);
        fault::configure(&chassis)?;
        Ok(chassis)
    }

    /// Runs `task` in the background; the drain waits for it after `shutdown` was cancelled, and then drops it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let killed = self.killed.clone();
        self.tasks.spawn(async move {
            killed.run_until_cancelled(task).await;
        });
    }
}

impl ServiceInfo {
    /// The commit that was built, where the build said so.
    #[must_use]
    pub fn revision(&self) -> &'static str {
        option_env!("BUILD_REVISION").unwrap_or("unknown")
    }
}

/// A built service: its public routes, without the chassis's layers, and nothing running yet but its background tasks.
pub struct App {
    /// What it was built on.
    pub chassis: Chassis,
    /// Public routes with their state; `None` for a service that only consumes.
    pub public: Option<Router>,
    /// Method and template of each public route, so that its metrics begin at 0.
    pub routes: &'static [(&'static str, &'static str)],
}

/// Serves `app` until SIGTERM, SIGINT or `chassis.shutdown`; then unready, drain, stop. Binds the addresses of the configuration.
///
/// # Errors
/// When an address cannot be bound (the message names it), or a fault or protection that should be set from the start
/// does not exist.
pub async fn run(app: App) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = Running::start(app).await?;
    let shutdown = running.chassis.shutdown.clone();
    let reason = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
        () = shutdown.cancelled() => "shutdown",
    };
    tracing::info!(reason, "stopping");
    if running.stop().await {
        tracing::info!("stopped");
    } else {
        tracing::warn!("stopped before everything under way had finished");
    }
    Ok(())
}

/// What `main` returns for how the service ended: an error is said on stderr, bad configuration has a code of its own.
#[must_use]
pub fn exit_code(ended: anyhow::Result<()>) -> ExitCode {
    let Err(error) = ended else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    if error.is::<config::Invalid>() { ExitCode::from(EXIT_USAGE) } else { ExitCode::FAILURE }
}

/// A running service with its bound addresses: what tests hold. Dropping it stops the service without a drain.
pub struct Running {
    /// The public address, when the service has public routes.
    pub public: Option<SocketAddr>,
    /// The admin address.
    pub admin: SocketAddr,
    /// The chassis that it runs on.
    pub chassis: Chassis,
    servers: Option<Servers>,
}

/// The admin port stays up while the public one drains, so that a probe can see why the process is unready.
struct Servers {
    public: Option<Server>,
    admin: Server,
}

impl Running {
    /// Binds (port 0 allowed; an absent address is a free port on loopback) and serves in background tasks.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn start(app: App) -> anyhow::Result<Self> {
        let App { chassis, public, routes } = app;
        fault::start(&chassis)?;
        resource::start(&chassis);
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let address = chassis.config.admin_addr.unwrap_or(free);
        let settings = http::settings(&chassis, "admin");
        let admin = Server::bind(address, admin::router(&chassis), settings).await.context("ADMIN_ADDR")?;
        let public = match public {
            Some(public) => {
                let stacked = http::stack(public, routes, &chassis);
                let address = chassis.config.public_addr.unwrap_or(free);
                let settings = http::settings(&chassis, "public");
                Some(Server::bind(address, stacked, settings).await.context("PUBLIC_ADDR")?)
            }
            None => None,
        };
        // What an instructor prepared is not for trainees, who read this log.
        let shown = CommonConfig {
            faults_at_start: Vec::new(),
            protections_off: Vec::new(),
            ..chassis.config.clone()
        };
        tracing::info!(
            service.version = chassis.service.version,
            service.revision = chassis.service.revision(),
            admin = %admin.address,
            public = public.as_ref().map(|server| tracing::field::display(server.address)),
            config = ?shown,
            "started"
        );
        Ok(Self {
            public: public.as_ref().map(|server| server.address),
            admin: admin.address,
            chassis,
            servers: Some(Servers { public, admin }),
        })
    }

    /// Unready, drain within the configured deadline, flush. Returns `false` when the deadline cut the drain short.
    pub async fn stop(mut self) -> bool {
        let Some(Servers { public, admin }) = self.servers.take() else { return true };
        let chassis = &self.chassis;
        chassis.readiness.stopping();
        if let Some(public) = &public {
            public.retire();
        }
        tokio::time::sleep(chassis.config.drain_delay).await;
        let drained = tokio::time::timeout(chassis.config.drain_timeout, async {
            if let Some(public) = public {
                if !chassis.config.drain_delay.is_zero() {
                    // A balancer that has not heard yet still sends connections; the other half is for what is under way.
                    let _ =
                        tokio::time::timeout(chassis.config.drain_timeout / 2, public.quiet_for(QUIET)).await;
                }
                public.drain().await;
            }
            // Requests first: their work may need the background tasks.
            chassis.shutdown.cancel();
            chassis.tasks.close();
            chassis.tasks.wait().await;
        })
        .await
        .is_ok();
        drop(admin);
        drained
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.chassis.shutdown.cancel();
        self.chassis.killed.cancel();
    }
}
