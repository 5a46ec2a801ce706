//! What a service is made of before it runs.

use axum::Router;
use chassis_http::{Render, Routes};
use chassis_telemetry::Chassis;

use crate::CommonConfig;

/// A built service: its public routes, without the chassis's layers, and nothing running yet but its background tasks.
pub struct App {
    /// What it was told.
    pub config: CommonConfig,
    /// What it was built on.
    pub chassis: Chassis,
    /// Public routes with their state; `None` for a service that only consumes.
    pub public: Option<Routes>,
    /// How it answers when its storage fails; `http-error` answers the same.
    pub failures: Option<Render>,
}

impl App {
    /// One that has no public port.
    #[must_use]
    pub fn new(config: &CommonConfig, chassis: Chassis) -> Self {
        Self { config: config.clone(), chassis, public: None, failures: None }
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

    /// Says how it answers when its storage fails.
    #[must_use]
    pub fn failing(self, like: Render) -> Self {
        Self { failures: Some(like), ..self }
    }
}
