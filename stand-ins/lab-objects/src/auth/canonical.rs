//! A request in the one form that both sides sign.

use http::{HeaderMap, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::Query;
use crate::error::{Code, S3Error};

/// Everything but the unreserved characters of RFC 3986.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// As [`VALUE`], with the slashes of a path; S3 neither encodes twice nor resolves dots.
const PATH: &AsciiSet = &VALUE.remove(b'/');

/// The canonical request: method, path, query without its signature, the `signed` headers, their names, the payload's hash.
///
/// # Errors
/// When a signed header is not in the request.
pub(super) fn request(
    request: &Parts,
    query: &Query,
    signed: &[&str],
    payload: &str,
) -> Result<String, S3Error> {
    let path: Vec<u8> = percent_decode_str(request.uri.path()).collect();
    let mut pairs: Vec<(String, String)> = query
        .pairs()
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut headers = String::new();
    for name in signed {
        let value = value(&request.headers, name).ok_or_else(|| {
            let message = format!("The signed header {name} is not in the request.");
            S3Error::new(Code::SignatureDoesNotMatch, message)
        })?;
        headers.push_str(&format!("{name}:{value}\n"));
    }
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{payload}",
        request.method,
        percent_encode(&path, PATH),
        pairs.join("&"),
        signed.join(";"),
    ))
}

fn encode(text: &str) -> String {
    percent_encode(text.as_bytes(), VALUE).to_string()
}

/// All values of a header, without spaces around them and with single spaces inside.
fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}
