//! Which requests are accepted: addressed to one of our names, and not sent by a web page of another site to change something.
//!
//! No token protects a program on loopback from the browser of the person who runs it: any page may make it send requests there.
//! What a page cannot do is to leave out or forge `Host`, `Origin` and `Sec-Fetch-Site`.

use std::sync::OnceLock;

use axum::response::Response;
use http::{HeaderMap, Method, Request, Version, header, uri::Authority};

use crate::{
    hosts::{self, HostName},
    limits::Refusal,
    problem::{self, CROSS_ORIGIN, INVALID_REQUEST, MISDIRECTED_REQUEST},
};

/// The check of one port.
pub(crate) struct Gate {
    names: Vec<HostName>,
}

/// The `Host` that a connection was let in with. Clients send the same one with each request, and reading it costs more than
/// comparing it.
#[derive(Debug, Default)]
pub(crate) struct Known(OnceLock<Box<[u8]>>);

impl Known {
    /// Whether the request is for it, and says so once.
    fn is_host_of<B>(&self, request: &Request<B>) -> bool {
        let Some(known) = self.0.get() else { return false };
        let mut headers = request.headers().get_all(header::HOST).iter();
        let same = headers.next().is_some_and(|host| host.as_bytes() == &**known);
        same && headers.next().is_none() && request.uri().authority().is_none()
    }

    fn remember<B>(&self, request: &Request<B>) {
        if request.uri().authority().is_none()
            && let Some(host) = request.headers().get(header::HOST)
        {
            // A copy: a clone would keep the buffer of the whole request.
            self.0.get_or_init(|| host.as_bytes().into());
        }
    }
}

impl Gate {
    pub(crate) fn new(names: &[HostName]) -> Self {
        Self { names: names.to_vec() }
    }

    /// The answer to a request that may not come in, and what it counts as; a malformed one counts as nothing. `known` is that of
    /// its connection.
    pub(crate) fn refuse<B>(
        &self,
        request: &Request<B>,
        known: &Known,
    ) -> Option<(Option<Refusal>, Response)> {
        if known.is_host_of(request) && !(changes(request.method()) && names_a_site(request.headers())) {
            return None;
        }
        let host = match addressed(request) {
            Ok(host) => host,
            Err(right) => {
                let detail = "The request does not say in a valid way which host it is for.";
                return Some((None, problem::answer(&INVALID_REQUEST, detail, "Host", right)));
            }
        };
        if let Some(host) = &host
            && !hosts::allowed(host.host(), &self.names)
        {
            return Some((Some(Refusal::WrongHost), self.misdirected(host)));
        }
        if changes(request.method())
            && let Some((field, value)) = foreign(request.headers(), host.as_ref())
        {
            let detail =
                format!("A web page of another site may not change anything here: {field} is `{value}`.");
            let right = "the site of the request itself, or absent, as programs such as curl have it";
            return Some((Some(Refusal::CrossOrigin), problem::answer(&CROSS_ORIGIN, &detail, field, right)));
        }
        known.remember(request);
        None
    }

    fn misdirected(&self, host: &Authority) -> Response {
        let name = host.host();
        let detail = format!("`{name}` is not a name of this service; ALLOWED_HOSTS can make it one.");
        let names = format!("one of: {}", hosts::listed(&self.names));
        problem::answer(&MISDIRECTED_REQUEST, &detail, "Host", &names)
    }
}

/// The host that the request is for; `None` for HTTP/1.0 without one, which no browser sends.
fn addressed<B>(request: &Request<B>) -> Result<Option<Authority>, &'static str> {
    let mut headers = request.headers().get_all(header::HOST).iter();
    let (first, second) = (headers.next(), headers.next());
    if second.is_some() {
        return Err("one header");
    }
    // The target of a proxy's request and of HTTP/2 takes precedence over the header (RFC 9112, 3.2.2).
    if let Some(authority) = request.uri().authority() {
        return Ok(Some(authority.clone()));
    }
    match first {
        Some(value) => {
            let authority = Authority::try_from(value.as_bytes()).map_err(|_| "a host and perhaps a port")?;
            if authority.as_str().contains('@') {
                Err("a host and perhaps a port")
            } else {
                Ok(Some(authority))
            }
        }
        None if request.version() == Version::HTTP_10 => Ok(None),
        None => Err("present in HTTP/1.1"),
    }
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether a page may have sent it: what [`foreign`] looks at is there.
fn names_a_site(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// The header that gives away another site, and its value.
fn foreign<'a>(headers: &'a HeaderMap, host: Option<&Authority>) -> Option<(&'static str, &'a str)> {
    let text = |value: &'a http::HeaderValue| value.to_str().unwrap_or("not a text");
    if let Some(origin) = headers.get(header::ORIGIN).map(text) {
        // Its scheme is ignored: TLS may end in front of this program.
        let site = origin.split_once("://").map(|(_, site)| site);
        let same = site.zip(host).is_some_and(|(site, host)| site.eq_ignore_ascii_case(host.as_str()));
        return (!same).then_some(("Origin", origin));
    }
    let site = headers.get("sec-fetch-site").map(text)?;
    (!matches!(site, "same-origin" | "none")).then_some(("Sec-Fetch-Site", site))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn status(method: &str, uri: &str, headers: &[(&str, &str)]) -> Option<StatusCode> {
        status_on(&Known::default(), method, uri, headers)
    }

    /// On a connection that may have had requests before.
    fn status_on(known: &Known, method: &str, uri: &str, headers: &[(&str, &str)]) -> Option<StatusCode> {
        let gate = Gate::new(&["order-api".parse().expect("a name")]);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        gate.refuse(&request.body(()).expect("a request"), known).map(|(_, answer)| answer.status())
    }

    #[test]
    fn a_request_for_another_host_is_misdirected() {
        let wrong = Some(StatusCode::MISDIRECTED_REQUEST);
        assert_eq!(status("GET", "/", &[("host", "localhost:9101")]), None);
        assert_eq!(status("GET", "/", &[("host", "order-api:8001")]), None);
        assert_eq!(status("GET", "/", &[("host", "[::1]:8001")]), None);
        assert_eq!(status("GET", "/", &[("host", "evil.example")]), wrong);
        assert_eq!(status("GET", "/", &[("host", "evil.example:9101")]), wrong);
        assert_eq!(
            status("GET", "http://evil.example/", &[("host", "localhost")]),
            wrong,
            "the target decides"
        );
    }

    #[test]
    fn a_malformed_host_is_a_bad_request() {
        let bad = Some(StatusCode::BAD_REQUEST);
        assert_eq!(status("GET", "/", &[]), bad);
        assert_eq!(status("GET", "/", &[("host", "")]), bad);
        assert_eq!(status("GET", "/", &[("host", "localhost"), ("host", "evil.example")]), bad);
        assert_eq!(status("GET", "/", &[("host", "evil@localhost")]), bad);
        assert_eq!(status("GET", "/", &[("host", "a b")]), bad);
    }

    #[test]
    fn a_connection_that_was_let_in_once_is_let_in_for_that_host_alone() {
        let (known, ours) = (Known::default(), ("host", "order-api:8001"));
        let wrong = Some(StatusCode::MISDIRECTED_REQUEST);
        assert_eq!(status_on(&known, "GET", "/", &[("host", "evil.example")]), wrong);
        assert_eq!(status_on(&known, "GET", "/", &[ours]), None);
        assert_eq!(status_on(&known, "POST", "/", &[ours]), None);
        assert_eq!(status_on(&known, "GET", "/", &[("host", "evil.example")]), wrong);
        assert_eq!(status_on(&known, "GET", "http://evil.example/", &[ours]), wrong);
        assert_eq!(status_on(&known, "GET", "/", &[ours, ours]), Some(StatusCode::BAD_REQUEST));
        let foreign = [ours, ("origin", "http://evil.example")];
        assert_eq!(status_on(&known, "POST", "/", &foreign), Some(StatusCode::FORBIDDEN));
        assert_eq!(status_on(&known, "GET", "/", &[("host", "localhost")]), None);
    }

    #[test]
    fn another_site_may_read_nothing_new_and_change_nothing() {
        let host = ("host", "localhost:9101");
        for (headers, method, refused) in [
            (("origin", "http://evil.example"), "POST", true),
            (("origin", "http://evil.example"), "PUT", true),
            (("origin", "http://evil.example"), "GET", false),
            (("origin", "null"), "POST", true),
            (("origin", "http://localhost:3000"), "POST", true),
            (("origin", "http://localhost:9101"), "POST", false),
            (("origin", "https://LOCALHOST:9101"), "POST", false),
            (("sec-fetch-site", "cross-site"), "DELETE", true),
            (("sec-fetch-site", "same-site"), "DELETE", true),
            (("sec-fetch-site", "same-origin"), "DELETE", false),
            (("sec-fetch-site", "none"), "POST", false),
            (("accept", "*/*"), "POST", false),
        ] {
            let wanted = refused.then_some(StatusCode::FORBIDDEN);
            assert_eq!(status(method, "/", &[host, headers]), wanted, "{method} {headers:?}");
        }
    }
}
