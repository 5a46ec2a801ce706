//! The backend that `/risky` depends on: the lab's simplest failure. It responds, or its connection breaks.

use chassis_faults::FaultPoint;
use chassis_telemetry::Chassis;

use crate::faults::RISKY;

/// The backend did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the recommendation backend did not answer")]
pub struct BackendError(#[source] std::io::Error);

/// A flaky dependency. Cheap to clone.
#[derive(Clone)]
pub struct Backend {
    connection_loss: FaultPoint,
}

impl Backend {
    /// The backend; fails as the fault `risky` says.
    #[must_use]
    pub fn new(chassis: &Chassis) -> Self {
        Self { connection_loss: chassis.faults.point(&RISKY) }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn ask(&self) -> Result<(), BackendError> {
        match self.connection_loss.strike() {
            Some(_) => Err(BackendError(std::io::ErrorKind::ConnectionReset.into())),
            None => Ok(()),
        }
    }
}
