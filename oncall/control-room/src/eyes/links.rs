//! Addresses of this program's own pages, for evidence: absolute, because evidence is read in chats and postmortems too.

use incident::Id;
use url::form_urlencoded::Serializer;

/// A query of Prometheus, with its curve.
#[must_use]
pub fn explore(base: &str, query: &str) -> String {
    format!("{base}/explore?{}", pairs(&[("query", query)]))
}

/// A trace.
#[must_use]
pub fn trace(base: &str, id: &str) -> String {
    format!("{base}/explore/traces/{id}")
}

/// Log lines of a service, from a level on.
#[must_use]
pub fn logs(base: &str, service: &str, level: &str) -> String {
    format!("{base}/explore/logs?{}", pairs(&[("service", service), ("level", level)]))
}

/// What changed from an instant on (RFC 3339).
#[must_use]
pub fn changes(base: &str, since: &str) -> String {
    format!("{base}/api/v1/changes?{}", pairs(&[("since", since)]))
}

/// An incident.
#[must_use]
pub fn incident(base: &str, id: Id) -> String {
    format!("{base}/incidents/{id}")
}

fn pairs(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_survives_in_an_address() {
        let url = explore("http://localhost:8080", "up{job=\"a\"} & 1");
        assert_eq!(url, "http://localhost:8080/explore?query=up%7Bjob%3D%22a%22%7D+%26+1");
        assert_eq!(logs("", "order-api", "ERROR"), "/explore/logs?service=order-api&level=ERROR");
        assert_eq!(incident("", Id(7)), "/incidents/INC-7");
        let since = "2026-06-10T12:00:00Z";
        assert_eq!(changes("", since), "/api/v1/changes?since=2026-06-10T12%3A00%3A00Z");
    }
}
