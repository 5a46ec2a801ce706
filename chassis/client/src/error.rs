//! Why a call failed: each variant is something that a caller does differently.

use std::time::Duration;

/// Why a call got no usable response.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No response within the deadline.
    #[error("{peer} did not answer within {after:?}")]
    Timeout {
        /// The peer.
        peer: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// The connection failed.
    #[error("{peer} cannot be reached")]
    Unreachable {
        /// The peer.
        peer: &'static str,
        /// The error of the connection.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The breaker is open or the bulkhead full: nothing was sent.
    #[error("calls to {peer} are refused: {reason}")]
    Refused {
        /// The peer.
        peer: &'static str,
        /// Breaker or bulkhead.
        reason: &'static str,
    },
    /// The peer answered with a status that the caller did not expect.
    #[error("{peer} answered {status}")]
    Status {
        /// The peer.
        peer: &'static str,
        /// The status.
        status: u16,
    },
    /// The body was not what was expected.
    #[error("{peer} answered with a body that cannot be read")]
    Body {
        /// The peer.
        peer: &'static str,
        /// The error of the decoder.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ClientError {
    /// Whether another attempt can help, and whether the failure is the peer's (it counts against the breaker).
    pub(crate) const fn is_peer_failure(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Unreachable { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            Self::Refused { .. } | Self::Body { .. } => false,
        }
    }
}
