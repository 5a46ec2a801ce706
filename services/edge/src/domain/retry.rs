//! What may be sent a second time. A request that was never sent always may; one that may have been carried
//! out only if a second time changes nothing: by its method (RFC 9110, 9.2.2), or because it carries a key by
//! which the service knows it again.

use http::{Method, StatusCode};

/// Why an attempt brought no answer that can be passed on as a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There was no connection: nothing was sent.
    Unreachable,
    /// The connection broke after the request was sent.
    Broken,
    /// No answer in time.
    Late,
    /// An answer with a status of 500 or above.
    Status(StatusCode),
}

impl Failure {
    /// Whether another attempt is allowed and sensible. `repeatable`: a second time changes nothing.
    #[must_use]
    pub fn may_be_repeated(self, repeatable: bool) -> bool {
        match self {
            Self::Unreachable => true,
            Self::Broken | Self::Late => repeatable,
            // Of one replica and not of the request: another replica may do better.
            Self::Status(status) => {
                let passing =
                    [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
                repeatable && passing.contains(&status)
            }
        }
    }

    /// The label `outcome` of the metrics.
    #[must_use]
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
            Self::Late => "timeout",
            Self::Status(_) => "server_error",
        }
    }
}

/// Whether a second time changes nothing: the method is safe or idempotent, or the request has an idempotency
/// key.
#[must_use]
pub fn repeatable(method: &Method, has_key: bool) -> bool {
    has_key || method.is_idempotent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_nothing_the_second_time_is_repeated() {
        for (method, keyed, expected) in [
            (Method::GET, false, true),
            (Method::HEAD, false, true),
            (Method::PUT, false, true),
            (Method::DELETE, false, true),
            (Method::POST, false, false),
            (Method::PATCH, false, false),
            (Method::POST, true, true),
        ] {
            assert_eq!(repeatable(&method, keyed), expected, "{method} {keyed}");
        }
    }

    #[test]
    fn what_was_never_sent_is_always_repeated_and_a_bug_never_is() {
        assert!(Failure::Unreachable.may_be_repeated(false));
        for failure in [Failure::Broken, Failure::Late, Failure::Status(StatusCode::SERVICE_UNAVAILABLE)] {
            assert!(failure.may_be_repeated(true) && !failure.may_be_repeated(false), "{failure:?}");
        }
        assert!(!Failure::Status(StatusCode::INTERNAL_SERVER_ERROR).may_be_repeated(true));
    }
}
