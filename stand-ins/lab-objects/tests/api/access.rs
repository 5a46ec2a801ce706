//! Who may call: a signature in the header or in the URL, and what is told to everybody else.

use crate::{
    client::{code, texts},
    rig::Rig,
};

#[tokio::test]
async fn nobody_is_answered_without_the_secret() {
    let rig = Rig::start(&[]).await;
    let answer = rig.client.unsigned("GET", "/", &[]).await;
    assert_eq!((answer.status, code(&answer).as_str()), (403, "AccessDenied"));
    let answer = rig.client.unsigned("GET", "/box?acl", &[]).await;
    assert_eq!((answer.status, code(&answer).as_str()), (403, "AccessDenied"), "not even what is not there");
    let wrong = rig.client.with_secret("another");
    let answer = wrong.send("PUT", "/box/k", &[], b"x").await;
    assert_eq!((answer.status, code(&answer).as_str()), (403, "SignatureDoesNotMatch"));
    assert_eq!(rig.client.status("GET", "/box/k").await, 404);
    rig.stop().await;
}

#[tokio::test]
async fn an_error_is_a_document_with_code_resource_and_request() {
    let rig = Rig::start(&[]).await;
    let answer = rig.client.send("GET", "/box/none", &[], b"").await;
    assert_eq!((answer.status, code(&answer).as_str()), (404, "NoSuchKey"));
    assert_eq!(answer.header("content-type"), "application/xml");
    assert_eq!(texts(&answer.body, "Resource"), ["/box/none"]);
    assert_eq!(texts(&answer.body, "RequestId"), [answer.header("x-amz-request-id")]);
    let head = rig.client.send("HEAD", "/box/none", &[], b"").await;
    assert_eq!((head.status, head.body.as_str()), (404, ""));
    rig.stop().await;
}

#[tokio::test]
async fn a_body_that_is_not_what_was_signed_is_not_kept() {
    let rig = Rig::start(&[]).await;
    let wrong = [("x-amz-checksum-crc32", "AAAAAA=="), ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    for header in wrong {
        let answer = rig.client.send("PUT", "/box/k", &[header], b"text").await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, "BadDigest"), "{header:?}");
    }
    let right = [("x-amz-checksum-crc32", "O4unxw=="), ("content-md5", "HLJR7A1WjeapKbUgxK7Y0Q==")];
    assert_eq!(rig.client.status("GET", "/box/k").await, 404);
    rig.client.send("PUT", "/box/k", &right, b"text").await.expect_status(200);
    rig.stop().await;
}

#[tokio::test]
async fn what_this_store_does_not_have_is_refused_by_name() {
    let rig = Rig::start(&[]).await;
    for (method, uri) in [("GET", "/box?policy"), ("PUT", "/box/k?tagging"), ("PATCH", "/box/k")] {
        let answer = rig.client.send(method, uri, &[], b"").await;
        assert_eq!((answer.status, code(&answer).as_str()), (501, "NotImplemented"), "{method} {uri}");
    }
    let copy = rig.client.send("PUT", "/box/k", &[("x-amz-copy-source", "/box/j")], b"").await;
    assert_eq!(code(&copy), "NotImplemented");
    rig.stop().await;
}
