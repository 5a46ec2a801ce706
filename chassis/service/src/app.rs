//! What a service is made of before it runs.

use axum::Router;
use chassis_http::Render;
use chassis_telemetry::Chassis;

use crate::CommonConfig;

/// A built service: its public routes, without the chassis's layers, and nothing running yet but its background tasks.
pub struct App {
    /// What it was told.
    pub config: CommonConfig,
    /// What it was built on.
    pub chassis: Chassis,
    /// Public routes with their state; `None` for a service that only consumes.
    pub public: Option<Router>,
    /// Method and template of each public route, so that its metrics begin at 0.
    pub routes: &'static [(&'static str, &'static str)],
    /// How it answers when its storage fails; `http-error` answers the same.
    pub failures: Option<Render>,
}

impl App {
    /// One that has no public port.
    #[must_use]
    pub fn new(config: &CommonConfig, chassis: Chassis) -> Self {
        Self { config: config.clone(), chassis, public: None, routes: &[], failures: None }
    }

    /// With `public` on its public port; `routes` lists method and template of each.
    #[must_use]
    pub fn serving(self, public: Router, routes: &'static [(&'static str, &'static str)]) -> Self {
        Self { public: Some(public), routes, ..self }
    }

    /// Says how it answers when its storage fails.
    #[must_use]
    pub fn failing(self, like: Render) -> Self {
        Self { failures: Some(like), ..self }
    }
}
