//! What a program is made of before it runs.

use std::net::SocketAddr;

use axum::Router;
use chassis_http::{Render, Routes};
use chassis_serve::Protocol;
use chassis_telemetry::Chassis;

use crate::CommonConfig;

/// A built program: its routes, without the chassis's layers, and nothing running yet but its background tasks.
pub struct App {
    /// Its configuration.
    pub config: CommonConfig,
    /// The chassis that it uses.
    pub chassis: Chassis,
    /// Public routes with their state; `None` for a program that only consumes.
    pub public: Option<Routes>,
    /// How it answers when its storage fails; `http-error` answers the same.
    pub failures: Option<Render>,
    /// Its own routes on the admin port.
    pub admin: Router,
    /// The paths of `admin`, for the answer to a path that is not there.
    pub admin_paths: &'static [&'static str],
    /// Ports beside the public one.
    pub ports: Vec<Port>,
    /// A second address of the public port, which other processes of the same account share.
    pub shared: Option<SocketAddr>,
}

/// A port that is served without the layers of the public one: a protocol with its own errors, or a page for people.
pub struct Port {
    /// Name in the log, in metrics and of its address in [`crate::lifecycle::Running::port`].
    pub name: &'static str,
    /// The variable with its address, named when it cannot be bound.
    pub variable: &'static str,
    /// Where it listens; port 0 is a free one.
    pub address: SocketAddr,
    /// What it speaks.
    pub protocol: Protocol,
    /// What it answers.
    pub routes: Router,
}

impl App {
    /// A service without a public port.
    #[must_use]
    pub fn new(config: &CommonConfig, chassis: Chassis) -> Self {
        Self {
            config: config.clone(),
            chassis,
            public: None,
            failures: None,
            admin: Router::new(),
            admin_paths: &[],
            ports: Vec::new(),
            shared: None,
        }
    }

    /// With `public` on its public port, without an OpenAPI document; `routes` lists method and template of each.
    #[must_use]
    pub fn serving(self, public: Router, routes: &[(&str, &str)]) -> Self {
        self.offering(Routes::plain(public, routes))
    }

    /// With `routes` on its public port.
    #[must_use]
    pub fn offering(self, routes: Routes) -> Self {
        Self { public: Some(routes), ..self }
    }

    /// Sets how it answers when its storage fails.
    #[must_use]
    pub fn failing(self, like: Render) -> Self {
        Self { failures: Some(like), ..self }
    }

    /// With `routes` on the admin port, beside those that every program has there; `paths` lists them for people.
    #[must_use]
    pub fn administering(self, routes: Router, paths: &'static [&'static str]) -> Self {
        Self { admin: routes, admin_paths: paths, ..self }
    }

    /// With its public routes also on `address`, which other processes of the same account share; the kernel spreads the connections.
    /// Its name in [`crate::lifecycle::Running::port`] is `shared`.
    #[must_use]
    pub fn sharing(self, address: Option<SocketAddr>) -> Self {
        Self { shared: address, ..self }
    }

    /// With one more port.
    #[must_use]
    pub fn listening(mut self, port: Port) -> Self {
        self.ports.push(port);
        self
    }
}
