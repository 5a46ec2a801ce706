//! The examples of the documentation: "Signature Calculations for the Authorization Header: Transferring Payload in a Single
//! Chunk" and "Authenticating Requests: Using Query Parameters", Amazon S3 API reference.

use chrono::TimeZone as _;
use http::Request;
use proptest::prelude::*;

use super::*;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const CREDENTIAL: &str = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

fn keys() -> Keys {
    Keys {
        region: "us-east-1".to_owned(),
        access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
    }
}

fn then() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2013, 5, 24, 0, 0, 0).unwrap()
}

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> (Parts, Query) {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let parts = request.body(()).unwrap().into_parts().0;
    let query = Query::read(parts.uri.query().unwrap_or_default());
    (parts, query)
}

/// A request of the documentation: its own headers, signed beside the usual three.
fn documented(method: &str, uri: &str, more: &[(&str, &str)], hash: &str, signature: &str) -> (Parts, Query) {
    let mut headers = vec![
        ("host", "examplebucket.s3.amazonaws.com"),
        ("x-amz-content-sha256", hash),
        ("x-amz-date", "20130524T000000Z"),
    ];
    headers.extend(more);
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={CREDENTIAL},SignedHeaders={},Signature={signature}",
        names.join(";")
    );
    headers.push(("authorization", authorization.as_str()));
    parts(method, uri, &headers)
}

#[test]
fn the_documented_get_object_is_accepted() {
    let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let (request, query) = documented("GET", "/test.txt", &[("range", "bytes=0-9")], EMPTY, signature);
    assert_eq!(verify(&keys(), &request, &query, then()).unwrap(), Payload::Sha256(EMPTY.to_owned()));
}

#[test]
fn the_documented_put_object_is_accepted() {
    let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    let more = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
    let (request, query) = documented("PUT", "/test$file.text", &more, hash, signature);
    assert_eq!(verify(&keys(), &request, &query, then()).unwrap(), Payload::Sha256(hash.to_owned()));
}

#[test]
fn the_documented_queries_are_accepted() {
    let lifecycle = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
    let list = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    for (uri, signature) in [("/?lifecycle", lifecycle), ("/?max-keys=2&prefix=J", list)] {
        let (request, query) = documented("GET", uri, &[], EMPTY, signature);
        verify(&keys(), &request, &query, then()).unwrap_or_else(|error| panic!("{uri}: {error}"));
    }
}

fn documented_url() -> (Parts, Query) {
    let uri = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    parts("GET", uri, &[("host", "examplebucket.s3.amazonaws.com")])
}

#[test]
fn the_documented_url_is_accepted_for_a_day() {
    let (request, query) = documented_url();
    let last = then() + TimeDelta::seconds(86_400);
    assert_eq!(verify(&keys(), &request, &query, last).unwrap(), Payload::Unsigned);
    let late = verify(&keys(), &request, &query, last + TimeDelta::seconds(1)).unwrap_err();
    assert_eq!(late.code, Code::AccessDenied);
    let early = verify(&keys(), &request, &query, then() - TimeDelta::minutes(16)).unwrap_err();
    assert_eq!(early.code, Code::AccessDenied);
}

#[test]
fn a_wrong_signature_says_what_is_wrong() {
    let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let (request, query) = documented("GET", "/test.txt", &[("range", "bytes=0-9")], EMPTY, signature);
    let refused = |keys: &Keys, request: &Parts, now| verify(keys, request, &query, now).unwrap_err().code;
    let other = |change: fn(&mut Keys)| {
        let mut keys = keys();
        change(&mut keys);
        refused(&keys, &request, then())
    };
    assert_eq!(other(|keys| keys.secret_key = "other".into()), Code::SignatureDoesNotMatch);
    assert_eq!(other(|keys| "other".clone_into(&mut keys.access_key)), Code::InvalidAccessKeyId);
    assert_eq!(other(|keys| "eu-west-1".clone_into(&mut keys.region)), Code::AuthorizationHeaderMalformed);
    let late = then() + TimeDelta::minutes(16);
    assert_eq!(refused(&keys(), &request, late), Code::RequestTimeTooSkewed);
    let mut changed = request.clone();
    changed.headers.insert("range", "bytes=0-99".parse().unwrap());
    assert_eq!(refused(&keys(), &changed, then()), Code::SignatureDoesNotMatch);
    let mut added = request.clone();
    added.headers.insert("x-amz-acl", "public-read".parse().unwrap());
    assert_eq!(refused(&keys(), &added, then()), Code::AccessDenied);
    let (unsigned, none) = parts("GET", "/test.txt", &[("host", "localhost")]);
    assert_eq!(verify(&keys(), &unsigned, &none, then()).unwrap_err().code, Code::AccessDenied);
}

#[test]
fn chunked_signatures_are_refused_by_name() {
    for text in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"] {
        assert_eq!(payload(text).unwrap_err().code, Code::NotImplemented);
    }
    assert_eq!(payload("abc").unwrap_err().code, Code::InvalidArgument);
}

proptest! {
    #[test]
    fn whatever_is_signed_is_accepted_and_nothing_else(
        key in "[a-zA-Z0-9/ +~._%-]{1,40}",
        value in "[ -~]{0,20}",
        other in "[a-z]{1,8}",
    ) {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode as encode};
        let uri = format!("/bucket/{}?prefix={}", encode(&key, NON_ALPHANUMERIC), encode(&value, NON_ALPHANUMERIC));
        let headers = [("host", "localhost"), ("x-amz-content-sha256", EMPTY), ("x-amz-date", "20130524T000000Z")];
        let (mut request, query) = parts("GET", &uri, &headers);
        let authorization = sign(&keys(), &request, &query, EMPTY, then()).unwrap();
        request.headers.insert("authorization", authorization.parse().unwrap());
        prop_assert!(verify(&keys(), &request, &query, then()).is_ok());
        let more = Query::read(&format!("{}&{other}=1", request.uri.query().unwrap_or_default()));
        prop_assert!(verify(&keys(), &request, &more, then()).is_err());
    }
}
