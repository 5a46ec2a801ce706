//! `Range` of a request: which bytes of an object.
//!
//! Source: RFC 9110, section 14; as S3, one range, and a header that is not one is ignored.

use crate::error::{Code, S3Error};

/// First and last byte, both included, of an object of `size` bytes; `None` for all of it.
///
/// # Errors
/// [`Code::InvalidRange`] when the object has none of the bytes.
pub(super) fn read(header: Option<&str>, size: u64) -> Result<Option<(u64, u64)>, S3Error> {
    let Some((first, last)) = header.and_then(parse) else { return Ok(None) };
    let none = || S3Error::new(Code::InvalidRange, "The requested range is not satisfiable.");
    match (first, last) {
        (Some(first), _) if first >= size => Err(none()),
        (Some(first), last) => Ok(Some((first, last.map_or(size - 1, |last| last.min(size - 1))))),
        (None, Some(count)) if count > 0 && size > 0 => Ok(Some((size.saturating_sub(count), size - 1))),
        (None, _) => Err(none()),
    }
}

fn parse(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    let (first, last): (Option<u64>, Option<u64>) = (number(first)?, number(last)?);
    match (first, last) {
        (None, None) => None,
        (Some(first), Some(last)) if first > last => None,
        range => Some(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_as_rfc_9110_says() {
        for (header, expected) in [
            ("bytes=0-3", Some((0, 3))),
            ("bytes=8-", Some((8, 9))),
            ("bytes=5-100", Some((5, 9))),
            ("bytes=-3", Some((7, 9))),
            ("bytes=-100", Some((0, 9))),
            ("bytes=3-1", None),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
            ("bytes=a-b", None),
            ("bytes=-", None),
        ] {
            assert_eq!(read(Some(header), 10).ok(), Some(expected), "{header}");
        }
        assert_eq!(read(None, 10).ok(), Some(None));
    }

    #[test]
    fn bytes_that_are_not_there_are_refused() {
        for (header, size) in [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-1", 0)] {
            assert_eq!(read(Some(header), size).unwrap_err().code, Code::InvalidRange, "{header} of {size}");
        }
    }
}
