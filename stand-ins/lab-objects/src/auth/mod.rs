//! Signature Version 4: who signed a request, and whether it is the request that was signed. No I/O, no clock.
//!
//! Source: "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API reference, whose examples are the tests.
//! Chunked signatures (`STREAMING-…`) are refused: a client signs the payload as a whole, or declares it unsigned.

mod canonical;
mod query;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, request::Parts};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub use query::Query;

use crate::error::{Code, S3Error};

/// The only algorithm.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far the clock of a client may be off.
const SKEW: TimeDelta = TimeDelta::minutes(15);
/// Longest life of a signed URL, in seconds: seven days.
const LONGEST: i64 = 604_800;

/// What requests must be signed with.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Region of the scope.
    pub region: String,
    /// Public half.
    pub access_key: String,
    /// Secret half.
    pub secret_key: SecretString,
}

/// What the signature says of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Nothing.
    Unsigned,
    /// Its SHA-256 in lower-case hex.
    Sha256(String),
}

/// The parts of a signature, from the header or the URL.
struct Claim {
    credential: String,
    signed: String,
    signature: String,
    date: String,
    payload: String,
    /// Seconds that a signed URL lives; `None` for a header.
    expires: Option<i64>,
}

/// Whether the request is signed with `keys`, around `now`; what its signature says of its body.
///
/// # Errors
/// [`Code::AccessDenied`] without a signature or after its end; otherwise the code of what is wrong with it.
pub fn verify(keys: &Keys, request: &Parts, query: &Query, now: DateTime<Utc>) -> Result<Payload, S3Error> {
    let claim = if query.has("X-Amz-Algorithm") { presigned(query) } else { from_header(&request.headers) }?;
    let day = scope(keys, &claim)?;
    in_time(&claim, &day, now)?;
    let signed: Vec<&str> = claim.signed.split(';').collect();
    everything_signed(&request.headers, &signed, claim.expires.is_some())?;
    let canonical = canonical::request(request, query, &signed, &claim.payload)?;
    let scope = format!("{day}/{}/s3/aws4_request", keys.region);
    let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
    let text = format!("{ALGORITHM}\n{}\n{scope}\n{digest}", claim.date);
    let right = hex::encode(hmac(&signing_key(keys, &day), &text));
    if !bool::from(right.as_bytes().ct_eq(claim.signature.as_bytes())) {
        let message = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
        return Err(S3Error::new(Code::SignatureDoesNotMatch, message));
    }
    payload(&claim.payload)
}

fn denied(message: &str) -> S3Error {
    S3Error::new(Code::AccessDenied, message)
}

fn malformed(message: impl Into<String>) -> S3Error {
    S3Error::new(Code::AuthorizationHeaderMalformed, message)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn from_header(headers: &HeaderMap) -> Result<Claim, S3Error> {
    let text = header(headers, "authorization").ok_or_else(|| denied("Access Denied"))?;
    let fields =
        text.strip_prefix(ALGORITHM).ok_or_else(|| malformed("Only AWS4-HMAC-SHA256 is supported."))?;
    let field = |name: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
        let found = fields.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        found.ok_or_else(|| malformed(format!("The authorization header lacks {name}.")))
    };
    let date = header(headers, "x-amz-date").ok_or_else(|| denied("The header x-amz-date is required."))?;
    let payload = header(headers, "x-amz-content-sha256");
    Ok(Claim {
        credential: field("Credential")?,
        signed: field("SignedHeaders")?,
        signature: field("Signature")?,
        date: date.to_owned(),
        payload: payload.ok_or_else(|| denied("The header x-amz-content-sha256 is required."))?.to_owned(),
        expires: None,
    })
}

fn presigned(query: &Query) -> Result<Claim, S3Error> {
    if query.get("X-Amz-Algorithm") != Some(ALGORITHM) {
        return Err(malformed("Only AWS4-HMAC-SHA256 is supported."));
    }
    let field = |name: &str| {
        let lacks = || malformed(format!("The query lacks {name}."));
        query.get(name).map(str::to_owned).ok_or_else(lacks)
    };
    let expires =
        field("X-Amz-Expires")?.parse::<i64>().ok().filter(|seconds| (1..=LONGEST).contains(seconds));
    Ok(Claim {
        credential: field("X-Amz-Credential")?,
        signed: field("X-Amz-SignedHeaders")?,
        signature: field("X-Amz-Signature")?,
        date: field("X-Amz-Date")?,
        payload: "UNSIGNED-PAYLOAD".to_owned(),
        expires: Some(expires.ok_or_else(|| malformed("X-Amz-Expires must be from 1 to 604800."))?),
    })
}

/// The day of the scope, once access key, region and service are right. The access key may contain slashes.
fn scope(keys: &Keys, claim: &Claim) -> Result<String, S3Error> {
    let mut parts = claim.credential.rsplitn(5, '/');
    let (terminator, service, region) = (parts.next(), parts.next(), parts.next());
    let (Some(day), Some(access_key)) = (parts.next(), parts.next()) else {
        return Err(malformed("The credential is not ACCESS-KEY/DATE/REGION/SERVICE/aws4_request."));
    };
    if access_key != keys.access_key {
        let message = "The AWS Access Key Id you provided does not exist in our records.";
        return Err(S3Error::new(Code::InvalidAccessKeyId, message));
    }
    if region != Some(keys.region.as_str()) {
        let region = region.unwrap_or_default();
        return Err(malformed(format!("the region '{region}' is wrong; expecting '{}'", keys.region)));
    }
    if service != Some("s3") || terminator != Some("aws4_request") {
        return Err(malformed("The scope must end with s3/aws4_request."));
    }
    Ok(day.to_owned())
}

fn in_time(claim: &Claim, day: &str, now: DateTime<Utc>) -> Result<(), S3Error> {
    let at = NaiveDateTime::parse_from_str(&claim.date, "%Y%m%dT%H%M%SZ")
        .map_err(|_| malformed("The date is not one such as 20130524T000000Z."))?
        .and_utc();
    if !claim.date.starts_with(day) || day.len() != 8 {
        return Err(malformed("The day of the scope is not that of the request."));
    }
    let skewed = S3Error::new(
        Code::RequestTimeTooSkewed,
        "The difference between the request time and the current time is too large.",
    );
    match claim.expires {
        Some(seconds) if now > at + TimeDelta::seconds(seconds) => Err(denied("Request has expired")),
        Some(_) if at > now + SKEW => Err(denied("Request is not yet valid")),
        None if (now - at).abs() > SKEW => Err(skewed),
        _ => Ok(()),
    }
}

/// A header that changes what a request does must not be added by somebody on the way.
fn everything_signed(headers: &HeaderMap, signed: &[&str], url: bool) -> Result<(), S3Error> {
    let free = |name: &str| url && name == "x-amz-content-sha256";
    let amz = headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    let unsigned = amz.filter(|name| !free(name)).chain(["host"]).find(|name| !signed.contains(name));
    match unsigned {
        None => Ok(()),
        Some(name) => {
            Err(denied(&format!("There were headers present in the request which were not signed: {name}")))
        }
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn signing_key(keys: &Keys, day: &str) -> Vec<u8> {
    let secret = format!("AWS4{}", keys.secret_key.expose_secret());
    [day, &keys.region, "s3", "aws4_request"]
        .into_iter()
        .fold(secret.into_bytes(), |key, part| hmac(&key, part))
}

fn payload(text: &str) -> Result<Payload, S3Error> {
    if text == "UNSIGNED-PAYLOAD" {
        return Ok(Payload::Unsigned);
    }
    if text.starts_with("STREAMING-") {
        let message = "This store does not take chunked signatures; sign the payload as a whole, or not.";
        return Err(S3Error::new(Code::NotImplemented, message));
    }
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Payload::Sha256(text.to_ascii_lowercase()));
    }
    Err(S3Error::new(Code::InvalidArgument, "x-amz-content-sha256 is not a SHA-256 in hex."))
}

/// The signature of a request with these keys, as a client makes it: the value of `Authorization`. For clients of the store that
/// are not SDKs, and for tests.
///
/// # Errors
/// When the request has no path that can be signed.
pub fn sign(
    keys: &Keys,
    request: &Parts,
    query: &Query,
    payload: &str,
    at: DateTime<Utc>,
) -> Result<String, S3Error> {
    let mut names: Vec<&str> = request.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let canonical = canonical::request(request, query, &names, payload)?;
    let day = at.format("%Y%m%d").to_string();
    let scope = format!("{day}/{}/s3/aws4_request", keys.region);
    let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
    let text = format!("{ALGORITHM}\n{}\n{scope}\n{digest}", at.format("%Y%m%dT%H%M%SZ"));
    let signature = hex::encode(hmac(&signing_key(keys, &day), &text));
    Ok(format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
        keys.access_key,
        names.join(";")
    ))
}
