//! What the handler and the admin port may use: passed in, never global. Cheap to clone.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use chassis_faults::protection::{Protection, Protections};
use tokio::time::Instant;

use crate::{
    adapters::{Firewall, InForce, Limiter, Loader, Transport},
    metrics::ProxyMetrics,
};

/// The state of one edge.
#[derive(Clone)]
pub struct AppState {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// Routes and upstreams.
    pub(crate) live: Arc<InForce>,
    /// The firewall.
    pub(crate) firewall: Arc<Firewall>,
    /// Sends requests on.
    pub(crate) transport: Transport,
    /// Reads the files.
    pub(crate) loader: Arc<Loader>,
    /// A bound for all clients that was set at run time, on top of those of the routes.
    pub(crate) limit: ArcSwapOption<Limiter>,
    pub(crate) protections: Protections,
    pub(crate) metrics: ProxyMetrics,
    pub(crate) started: Instant,
    /// How long after the start an upstream may be starting, too.
    pub(crate) grace: Duration,
}

impl Inner {
    /// Time since the start, for the rules of the domain.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Until when a request has to be answered; `None` while the protection is off.
    pub(crate) fn deadline(&self, timeout: Duration) -> Option<Instant> {
        self.protections.on(Protection::Timeout).then(|| Instant::now() + timeout)
    }
}
