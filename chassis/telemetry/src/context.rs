//! What every component of a process needs: the lowest layer that knows both metrics and faults.

use std::future::Future;

use chassis_core::{Readiness, ServiceInfo};
use chassis_faults::{
    Attribute, Catalogue, Fault, FaultPoint, Faults, Params, Strike, protection::Protections,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{TelemetryConfig, metrics::Metrics};

/// The context of every component, passed down and never global. Cheap to clone.
#[derive(Clone)]
pub struct Chassis {
    /// Name and version of this process.
    pub service: ServiceInfo,
    /// Configuration of logs and traces.
    pub telemetry: TelemetryConfig,
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
    /// Cancelled when the tasks have run out of time: those of [`Chassis::spawn`] are then dropped.
    killed: CancellationToken,
}

impl Chassis {
    /// Assembles the parts for one service that declares `catalogue` as its fault points, and `subject` as what
    /// plans may select by; `reveal` names active faults in telemetry.
    #[must_use]
    pub fn new(
        service: ServiceInfo,
        telemetry: TelemetryConfig,
        catalogue: Catalogue,
        subject: &'static [Attribute],
        reveal: bool,
    ) -> Self {
        let metrics = Metrics::new();
        metrics
            .gauge_vec("build_info", "Always 1; the labels say what is running.", &["version", "revision"])
            .with_label_values(&[service.version, service.revision()])
            .set(1);
        Self {
            service,
            telemetry,
            metrics,
            faults: Faults::new(catalogue, subject, reveal),
            protections: Protections::default(),
            readiness: Readiness::default(),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            killed: CancellationToken::new(),
        }
    }

    /// Runs `task` in the background; the drain waits for it after `shutdown` was cancelled, and then drops it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let killed = self.killed.clone();
        self.tasks.spawn(async move {
            killed.run_until_cancelled(task).await;
        });
    }

    /// Drops the tasks of [`Chassis::spawn`] immediately.
    pub fn kill(&self) {
        self.killed.cancel();
    }

    /// Runs `during` in the background while a plan of `fault` is on; nothing where the service does not declare it.
    pub fn follow<P: Params, F>(
        &self,
        fault: &Fault<P>,
        during: impl Fn(FaultPoint<P>, Strike<P>) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(point) = self.faults.find(fault) {
            let stop = self.shutdown.clone();
            self.spawn(async move {
                stop.run_until_cancelled_owned(point.each_plan(during)).await;
            });
        }
    }
}
