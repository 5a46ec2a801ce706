//! The life of a program: build, serve, become unready on SIGTERM, drain, flush. Every step has a deadline.
//!
//! What programs await is boxed: rustc makes the code of an async function in each crate that awaits it, and every program and
//! every test would have the whole life cycle once more.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context;
pub use chassis_core::exit_code;
use chassis_faults::FaultsConfig;
use chassis_http::Server;
use chassis_telemetry::{Chassis, resource};
use futures::future::BoxFuture;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};

use crate::{App, CommonConfig, admin, place::Place, start};

/// Time without a new connection after which a balancer must know that this process is leaving.
const QUIET: Duration = Duration::from_secs(1);

/// Serves `app` until SIGTERM, SIGINT or `chassis.shutdown`; then unready, drain, stop. Binds the addresses of the configuration.
///
/// # Errors
/// If an address cannot be bound (the message names it), or a fault or protection that should be set from the start
/// does not exist.
pub fn run(app: App) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async {
        let mut stops = Stops::new()?;
        let running = Running::start(app).await?;
        stops.told(&running.chassis).await;
        report(running.stop().await);
        Ok(())
    })
}

/// As [`run`], or why nothing could be built: a program that exports spans flushes them either way, and so may not return early.
///
/// # Errors
/// As [`run`], and those of the build.
pub fn run_built(built: anyhow::Result<App>) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async { run(built?).await })
}

/// As [`run`], and opens no port, not even the admin port: the background tasks of `app` are all that it does.
///
/// # Errors
/// When the process cannot follow signals.
pub fn run_without_ports(app: App) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async {
        let mut stops = Stops::new()?;
        let App { config, chassis, .. } = app;
        stops.told(&chassis).await;
        chassis.readiness.stopping();
        report(tokio::time::timeout(config.drain_timeout, finish(&chassis)).await.is_ok());
        chassis.kill();
        Ok(())
    })
}

/// What asks a process to stop.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn told(&mut self, chassis: &Chassis) {
        let reason = tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = chassis.shutdown.cancelled() => "shutdown",
        };
        tracing::info!(reason, "stopping");
    }
}

fn report(whole: bool) {
    if whole {
        tracing::info!("stopped");
    } else {
        tracing::warn!("drain deadline reached with work still in progress");
    }
}

/// Ends the background tasks.
async fn finish(chassis: &Chassis) {
    chassis.shutdown.cancel();
    chassis.tasks.close();
    chassis.tasks.wait().await;
}

/// A running program with its bound addresses: what tests hold. Dropping it stops the program without a drain.
pub struct Running {
    /// The public address, when the program has public routes.
    pub public: Option<SocketAddr>,
    /// The admin address.
    pub admin: SocketAddr,
    /// The chassis of the service.
    pub chassis: Chassis,
    config: CommonConfig,
    ports: Vec<(&'static str, SocketAddr)>,
    servers: Option<Servers>,
}

/// The admin port stays up while the others drain, so that a probe can see why the process is unready.
struct Servers {
    public: Option<Server>,
    others: Vec<Server>,
    admin: Server,
}

impl Running {
    /// Binds (port 0 allowed; an absent address is a free port on loopback) and serves in background tasks.
    ///
    /// # Errors
    /// As [`run`].
    pub fn start(app: App) -> BoxFuture<'static, anyhow::Result<Self>> {
        Box::pin(Self::bind(app))
    }

    async fn bind(app: App) -> anyhow::Result<Self> {
        let App { config, chassis, public, failures, admin, admin_paths, ports, shared } = app;
        let place = Place::of(&chassis, &config.data, config.admin_addr)?;
        start::start(&chassis, &config.faults, &place)?;
        if let Some(limit) = config.memory_limit {
            // In a container, the folder for its own files is a mount of its own.
            let folders: Vec<_> = config.data_folders.iter().chain(&config.data.data_dir).cloned().collect();
            resource::start(&chassis, limit, &folders);
            place.folder.measure(&chassis.metrics);
        }
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings = |port| chassis_http::settings(&config.http, &chassis, port);
        let (mut others, mut addresses) = (Vec::new(), Vec::new());
        for port in ports {
            let settings = settings(port.name).speaking(port.protocol);
            let server = Server::bind(port.address, port.routes, settings).await.context(port.variable)?;
            addresses.push((port.name, server.address));
            others.push(server);
        }
        let public = match public {
            Some(public) => {
                let stacked = chassis_http::stack(public, failures, &config.http, &chassis);
                if let Some(address) = shared {
                    let server = Server::share(address, stacked.clone(), settings("public")).await?;
                    addresses.push(("shared", server.address));
                    others.push(server);
                }
                let address = config.public_addr.unwrap_or(free);
                Some(Server::bind(address, stacked, settings("public")).await.context("PUBLIC_ADDR")?)
            }
            None => None,
        };
        // Last: who is told there that the process is ready can connect to all other ports.
        let admin = admin::router(&chassis, &config.faults, admin, admin_paths);
        let address = config.admin_addr.unwrap_or(free);
        let admin = Server::bind(address, admin, settings("admin")).await.context("ADMIN_ADDR")?;
        let running = Self {
            public: public.as_ref().map(|server| server.address),
            admin: admin.address,
            ports: addresses,
            servers: Some(Servers { public, others, admin }),
            chassis,
            config,
        };
        running.say_so();
        Ok(running)
    }

    fn say_so(&self) {
        let Self { chassis, config, .. } = self;
        // What an instructor prepared is not for trainees, who read this log.
        let shown = CommonConfig {
            faults: FaultsConfig {
                faults_at_start: Vec::new(),
                protections_off: Vec::new(),
                ..config.faults.clone()
            },
            ..config.clone()
        };
        tracing::info!(
            service.version = chassis.service.version,
            service.revision = chassis.service.revision(),
            admin = %self.admin,
            public = self.public.map(tracing::field::display),
            ports = (!self.ports.is_empty()).then(|| tracing::field::debug(&self.ports)),
            config = ?shown,
            "started"
        );
    }

    /// The address of the port that the program calls `name`.
    #[must_use]
    pub fn port(&self, name: &str) -> Option<SocketAddr> {
        self.ports.iter().find(|(known, _)| *known == name).map(|(_, address)| *address)
    }

    /// Unready, drain within the configured deadline, flush. Returns `false` when the deadline cut the drain short.
    pub fn stop(self) -> BoxFuture<'static, bool> {
        Box::pin(self.drain())
    }

    async fn drain(mut self) -> bool {
        let Some(Servers { public, others, admin }) = self.servers.take() else { return true };
        let (chassis, config) = (&self.chassis, &self.config);
        chassis.readiness.stopping();
        public.iter().chain(&others).for_each(Server::retire);
        tokio::time::sleep(config.drain_delay).await;
        let mut draining: JoinSet<()> = others.into_iter().map(Server::drain).collect();
        tokio::time::timeout(config.drain_timeout, async {
            if let Some(public) = public {
                if !config.drain_delay.is_zero() {
                    // A balancer that does not know yet still sends connections; the other half is for work in progress.
                    let _ = tokio::time::timeout(config.drain_timeout / 2, public.quiet_for(QUIET)).await;
                }
                public.drain().await;
            }
            while draining.join_next().await.is_some() {}
            // Requests first: their work may need the background tasks.
            finish(chassis).await;
            admin.drain().await;
        })
        .await
        .is_ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.chassis.shutdown.cancel();
        self.chassis.kill();
    }
}
