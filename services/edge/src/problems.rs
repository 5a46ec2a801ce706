//! The edge's own problem types, in order of status; docs/problems.md explains each.

chassis_core::problem_types! {
    /// A rule of the firewall refuses the request.
    REQUEST_BLOCKED = 403, "request-blocked", "Request blocked";
    /// Its client has asked too often.
    TOO_MANY_REQUESTS = 429, "too-many-requests", "Too many requests";
    /// No replica could be reached, or the firewall gave no verdict.
    BAD_GATEWAY = 502, "bad-gateway", "Bad gateway";
    /// No replica answered in time.
    GATEWAY_TIMEOUT = 504, "gateway-timeout", "Gateway timeout";
}
