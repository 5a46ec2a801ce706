//! `If-…` of a request.
//!
//! Source: RFC 9110, section 13.2.2, in the order of precedence given there; for writes "Conditional requests" in the Amazon S3
//! user guide.

use chrono::{DateTime, SubsecRound as _, Utc};
use http::HeaderMap;

use crate::{
    error::{Code, S3Error},
    store::{Expect, Meta},
};

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// An `ETag` without its quotes.
pub(super) fn unquoted(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag)
}

fn listed(header: &str, etag: &str) -> bool {
    header.split(',').map(unquoted).any(|wanted| wanted == "*" || wanted == etag)
}

/// Whether a read may continue.
///
/// # Errors
/// [`Code::PreconditionFailed`], or [`Code::NotModified`].
pub(super) fn read(headers: &HeaderMap, meta: &Meta) -> Result<(), S3Error> {
    // HTTP dates have whole seconds.
    let modified = meta.modified.trunc_subsecs(0);
    let date = |name| header(headers, name).and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    let matches = header(headers, "if-match").map(|header| listed(header, &meta.etag));
    let unmodified = date("if-unmodified-since").map(|since| modified <= since.with_timezone(&Utc));
    if !matches.or(unmodified).unwrap_or(true) {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(S3Error::new(Code::PreconditionFailed, message));
    }
    let differs = header(headers, "if-none-match").map(|header| !listed(header, &meta.etag));
    let changed = date("if-modified-since").map(|since| modified > since.with_timezone(&Utc));
    if differs.or(changed).unwrap_or(true) {
        Ok(())
    } else {
        Err(S3Error::new(Code::NotModified, "Not Modified"))
    }
}

/// What a write expects of the current version.
///
/// # Errors
/// [`Code::NotImplemented`] for a list, or `If-None-Match` with anything but `*`, as S3.
pub(super) fn write(headers: &HeaderMap) -> Result<Expect, S3Error> {
    let not_implemented = |name: &str| {
        let message = format!("A header you provided implies functionality that is not implemented: {name}");
        S3Error::new(Code::NotImplemented, message)
    };
    let absent = match header(headers, "if-none-match") {
        None => false,
        Some("*") => true,
        Some(_) => return Err(not_implemented("If-None-Match")),
    };
    let matches = header(headers, "if-match").map(|etag| unquoted(etag).to_owned());
    if matches.as_ref().is_some_and(|etag| etag.contains(',')) {
        return Err(not_implemented("If-Match"));
    }
    Ok(Expect { matches, absent })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeZone as _;
    use http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        pairs.collect()
    }

    fn asked(pairs: &[(&'static str, &str)]) -> Option<Code> {
        let modified = Utc.with_ymd_and_hms(2013, 5, 24, 0, 0, 0).unwrap();
        let modified = modified + chrono::TimeDelta::milliseconds(300);
        let (key, etag, headers_kept) = ("k".to_owned(), "abc".to_owned(), BTreeMap::new());
        let meta = Meta { key, size: 1, etag, modified, marker: false, headers: headers_kept };
        read(&headers(pairs), &meta).err().map(|error| error.code)
    }

    const SAME: &str = "Fri, 24 May 2013 00:00:00 GMT";
    const BEFORE: &str = "Thu, 23 May 2013 00:00:00 GMT";

    #[test]
    fn reads_follow_the_precedence_of_rfc_9110() {
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&[("if-match", "\"abc\"")]), None);
        assert_eq!(asked(&[("if-match", "\"x\", \"abc\"")]), None);
        assert_eq!(asked(&[("if-match", "\"x\"")]), Some(Code::PreconditionFailed));
        assert_eq!(asked(&[("if-unmodified-since", BEFORE)]), Some(Code::PreconditionFailed));
        assert_eq!(asked(&[("if-match", "\"abc\""), ("if-unmodified-since", BEFORE)]), None);
        assert_eq!(asked(&[("if-none-match", "\"abc\"")]), Some(Code::NotModified));
        assert_eq!(asked(&[("if-modified-since", SAME)]), Some(Code::NotModified));
        assert_eq!(asked(&[("if-modified-since", BEFORE)]), None);
        assert_eq!(asked(&[("if-none-match", "\"x\""), ("if-modified-since", SAME)]), None);
    }

    #[test]
    fn writes_expect_nothing_or_one_version() {
        let expected = |pairs| write(&headers(pairs)).map_err(|error| error.code);
        assert_eq!(expected(&[]), Ok(Expect::default()));
        assert_eq!(expected(&[("if-none-match", "*")]), Ok(Expect { matches: None, absent: true }));
        let matches = Some("abc".to_owned());
        assert_eq!(expected(&[("if-match", "\"abc\"")]), Ok(Expect { matches, absent: false }));
        assert_eq!(expected(&[("if-none-match", "\"abc\"")]), Err(Code::NotImplemented));
    }
}
