//! Addresses of servers that the lab does not start.

use reqwest::Url;

/// Reads one; `example` is what it should look like.
///
/// # Errors
/// A sentence with the expected form. A path, a query or a log-in would be ignored, and the lab links no TLS.
pub(super) fn plain(text: &str, example: &str) -> Result<Url, String> {
    let plain = |url: &Url| {
        url.scheme() == "http"
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text).ok().filter(plain).ok_or_else(|| {
        format!("expected an address such as {example}, without a path and a log-in; lab speaks no TLS")
    })
}
