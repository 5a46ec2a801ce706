//! The problem types that any service may answer with, in order of status; those of a business are with the business.

use chassis_core::ProblemType;
use chassis_serve::problem as serve;

pub use chassis_serve::problem::{
    CROSS_ORIGIN, INVALID_REQUEST, MISDIRECTED_REQUEST, PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT,
};

chassis_core::problem_types! {
    /// Something is guarded, and the caller has not shown its token.
    UNAUTHORIZED = 401, "unauthorized", "Unauthorized";
    /// There is nothing of this name: no such route, no such thing.
    NOT_FOUND = 404, "not-found", "Not found";
    /// The route exists, but not with this method.
    METHOD_NOT_ALLOWED = 405, "method-not-allowed", "Method not allowed";
    /// The body is no JSON.
    UNSUPPORTED_MEDIA_TYPE = 415, "unsupported-media-type", "Unsupported media type";
    /// An unexpected failure.
    INTERNAL = 500, "internal", "Internal error";
    /// Something that the service needs does not answer yet.
    NOT_READY = 503, "not-ready", "Not ready";
    /// Too much is under way: this request was turned away.
    OVERLOADED = 503, "overloaded", "Overloaded";
    /// The database does not answer.
    STORAGE_UNAVAILABLE = 503, "storage-unavailable", "Storage unavailable";
    /// A service that the request needs does not answer.
    UPSTREAM_UNAVAILABLE = 503, "upstream-unavailable", "Upstream unavailable";
    /// The request took longer than it may.
    TIMEOUT = 504, "timeout", "Timeout";
}

/// All of them, those of the server included.
pub fn all() -> impl Iterator<Item = &'static ProblemType> {
    serve::ALL.iter().chain(ALL).copied()
}
