//! The life of a service: build, serve, become unready on SIGTERM, drain, flush. Every step has a deadline.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context;
pub use chassis_core::exit_code;
use chassis_faults::FaultsConfig;
use chassis_http::Server;
use chassis_telemetry::{Chassis, resource};
use tokio::signal::unix::{SignalKind, signal};

use crate::{App, CommonConfig, admin, start};

/// Time without a new connection after which a balancer must know that this process is leaving.
const QUIET: Duration = Duration::from_secs(1);

/// Serves `app` until SIGTERM, SIGINT or `chassis.shutdown`; then unready, drain, stop. Binds the addresses of the configuration.
///
/// # Errors
/// If an address cannot be bound (the message names it), or a fault or protection that should be set from the start
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
        tracing::warn!("drain deadline reached with work still in progress");
    }
    Ok(())
}

/// A running service with its bound addresses: what tests hold. Dropping it stops the service without a drain.
pub struct Running {
    /// The public address, if the service has public routes.
    pub public: Option<SocketAddr>,
    /// The admin address.
    pub admin: SocketAddr,
    /// The chassis of the service.
    pub chassis: Chassis,
    config: CommonConfig,
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
        let App { config, chassis, public, routes, failures } = app;
        start::start(&chassis, &config.faults)?;
        resource::start(&chassis, config.memory_limit);
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let address = config.admin_addr.unwrap_or(free);
        let settings = chassis_http::settings(&config.http, &chassis, "admin");
        let admin = Server::bind(address, admin::router(&chassis, &config.faults), settings)
            .await
            .context("ADMIN_ADDR")?;
        let public = match public {
            Some(public) => {
                let stacked = chassis_http::stack(public, routes, failures, &config.http, &chassis);
                let address = config.public_addr.unwrap_or(free);
                let settings = chassis_http::settings(&config.http, &chassis, "public");
                Some(Server::bind(address, stacked, settings).await.context("PUBLIC_ADDR")?)
            }
            None => None,
        };
        // Trainees read this log; it must not name what an instructor prepared.
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
            admin = %admin.address,
            public = public.as_ref().map(|server| tracing::field::display(server.address)),
            config = ?shown,
            "started"
        );
        Ok(Self {
            public: public.as_ref().map(|server| server.address),
            admin: admin.address,
            chassis,
            config,
            servers: Some(Servers { public, admin }),
        })
    }

    /// Unready, drain within the configured deadline, flush. Returns `false` when the deadline cut the drain short.
    pub async fn stop(mut self) -> bool {
        let Some(Servers { public, admin }) = self.servers.take() else { return true };
        let (chassis, config) = (&self.chassis, &self.config);
        chassis.readiness.stopping();
        if let Some(public) = &public {
            public.retire();
        }
        tokio::time::sleep(config.drain_delay).await;
        let drained = tokio::time::timeout(config.drain_timeout, async {
            if let Some(public) = public {
                if !config.drain_delay.is_zero() {
                    // A balancer that does not know yet still sends connections; the other half is for work in progress.
                    let _ = tokio::time::timeout(config.drain_timeout / 2, public.quiet_for(QUIET)).await;
                }
                public.drain().await;
            }
            // Requests first: they may need the background tasks.
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
        self.chassis.kill();
    }
}
