//! The parts of a service before it runs.

use axum::Router;
use chassis_http::Render;
use chassis_telemetry::Chassis;

use crate::CommonConfig;

/// A built service: its public routes, without the chassis's layers; only its background tasks run.
pub struct App {
    /// Its configuration.
    pub config: CommonConfig,
    /// The chassis that it uses.
    pub chassis: Chassis,
    /// Public routes with their state; `None` for a service that only consumes.
    pub public: Option<Router>,
    /// Method and template of each public route, so that its metrics start at 0.
    pub routes: &'static [(&'static str, &'static str)],
    /// How it answers when its storage fails; `http-error` answers the same way.
    pub failures: Option<Render>,
}

impl App {
    /// A service without a public port.
    #[must_use]
    pub fn new(config: &CommonConfig, chassis: Chassis) -> Self {
        Self { config: config.clone(), chassis, public: None, routes: &[], failures: None }
    }

    /// Adds `public` as its public port; `routes` lists method and template of each.
    #[must_use]
    pub fn serving(self, public: Router, routes: &'static [(&'static str, &'static str)]) -> Self {
        Self { public: Some(public), routes, ..self }
    }

    /// Sets how it answers when its storage fails.
    #[must_use]
    pub fn failing(self, like: Render) -> Self {
        Self { failures: Some(like), ..self }
    }
}
