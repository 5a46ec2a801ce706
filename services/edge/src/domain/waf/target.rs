//! What a rule looks at. Path and query are looked at as the service will read them: percent-encoding undone,
//! once.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

/// A part of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The path.
    Path,
    /// The query string.
    Query,
    /// All values of a header, joined by `, `.
    Header(HeaderName),
    /// The body.
    Body,
}

/// A request, as far as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Path, as it was sent.
    pub path: &'a str,
    /// Query, as it was sent.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a Bytes,
}

impl Target {
    /// Reads `path`, `query`, `body` or `header:NAME`.
    ///
    /// # Errors
    /// A sentence that says what is valid.
    pub fn parse(text: &str) -> Result<Self, String> {
        let header = text.strip_prefix("header:").and_then(|name| name.parse().ok());
        match (text, header) {
            ("path", _) => Ok(Self::Path),
            ("query", _) => Ok(Self::Query),
            ("body", _) => Ok(Self::Body),
            (_, Some(header)) => Ok(Self::Header(header)),
            _ => Err(format!("expected path, query, body or header:NAME, found `{text}`")),
        }
    }

    /// The text of this part.
    #[must_use]
    pub fn of(&self, asked: &Asked<'_>) -> Bytes {
        match self {
            Self::Path => decoded(asked.path),
            // As forms have it, a plus is a space.
            Self::Query if asked.query.contains('+') => decoded(&asked.query.replace('+', " ")),
            Self::Query => decoded(asked.query),
            Self::Header(name) => header(asked.headers, name),
            Self::Body => asked.body.clone(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Body => f.write_str("body"),
        }
    }
}

fn decoded(text: &str) -> Bytes {
    match Cow::from(percent_decode_str(text)) {
        Cow::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Bytes {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    match (first, second) {
        (None, _) => Bytes::new(),
        (Some(only), None) => Bytes::copy_from_slice(only.as_bytes()),
        _ => {
            let all: Vec<&[u8]> = headers.get_all(name).iter().map(|value| value.as_bytes()).collect();
            Bytes::from(all.join(&b", "[..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_looked_at_as_the_service_reads_them() {
        let mut headers = HeaderMap::new();
        for value in ["one", "two"] {
            headers.append("x-tag", value.parse().unwrap());
        }
        let body = Bytes::from_static(b"{\"a\":1}");
        let asked = Asked { path: "/a%2fb%ff", query: "q=1+or%201%3d1", headers: &headers, body: &body };
        for (target, text) in [
            ("path", &b"/a/b\xff"[..]),
            ("query", b"q=1 or 1=1"),
            ("body", b"{\"a\":1}"),
            ("header:X-Tag", b"one, two"),
            ("header:user-agent", b""),
        ] {
            let read = Target::parse(target).unwrap();
            assert_eq!(&read.of(&asked)[..], text, "{target}");
            assert_eq!(read.to_string(), target.to_lowercase());
        }
        for wrong in ["", "cookie", "header:", "header:a b", "Path"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
