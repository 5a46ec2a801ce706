//! The boundary to the system under load. The driver knows this trait; HTTP is one implementation.

use std::future::Future;

use crate::{mix::OperationKind, workload::Operation};

/// How a request ended; also the value of the label `outcome`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// 2xx or 3xx.
    Ok,
    /// 4xx: the request was refused.
    ClientError,
    /// 5xx.
    ServerError,
    /// No complete response within the timeout.
    Timeout,
    /// No connection, or it broke.
    Transport,
    /// Still without a response when the run's drain ended.
    Abandoned,
}

impl Outcome {
    /// All outcomes, in the order of the summary.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Name in labels and summaries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The result of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The operation that was really sent: a read of a recent order becomes a list while no order has been accepted.
    pub operation: OperationKind,
    /// How it ended.
    pub outcome: Outcome,
}

/// A system that operations can be sent to.
pub trait Target: Send + Sync + 'static {
    /// Sends one operation and waits for the whole response. The driver limits the time; dropping the future gives up.
    fn send(&self, operation: Operation) -> impl Future<Output = Reply> + Send;
}
