//! One suite for every implementation of S3 that the lab may be pointed at: what backups, state files and attachments rely on.
//! `emulators.rs` says which there are and where one of them differs.

use crate::{
    client::{Client, code, texts},
    emulators::{Emulator, Gap},
    rig::Rig,
};

/// Everything that every implementation must do, but for the `gaps` that are known of it.
async fn suite(client: &Client, gaps: &[Gap]) {
    objects_come_back_as_they_were_put(client).await;
    ranges_are_cut(client).await;
    listings_come_in_pages(client).await;
    parts_become_one_object(client).await;
    an_upload_that_was_aborted_is_gone(client, gaps).await;
    versions_are_kept(client).await;
    only_the_first_writer_wins(client).await;
    errors_have_their_codes(client, gaps).await;
}

async fn objects_come_back_as_they_were_put(client: &Client) {
    client.bucket("whole").await;
    let headers = [("content-type", "text/plain"), ("x-amz-meta-run", "7")];
    let put = client.send("PUT", "/whole/a/b%20c.txt", &headers, b"hello").await;
    let etag = put.expect_status(200).header("etag").to_owned();
    assert_eq!(etag, "\"5d41402abc4b2a76b9719d911017c592\"");
    let got = client.send("GET", "/whole/a/b%20c.txt", &[], b"").await;
    assert_eq!((got.status, got.body.as_str(), got.header("etag")), (200, "hello", etag.as_str()));
    assert_eq!((got.header("content-type"), got.header("x-amz-meta-run")), ("text/plain", "7"));
    let head = client.send("HEAD", "/whole/a/b%20c.txt", &[], b"").await;
    assert_eq!((head.status, head.header("content-length"), head.body.as_str()), (200, "5", ""));
    client.put("/whole/a/b%20c.txt", "again").await;
    assert_eq!(client.get("/whole/a/b%20c.txt").await, "again");
    client.put("/whole/empty", "").await;
    assert_eq!(client.get("/whole/empty").await, "");
    assert_eq!(client.status("DELETE", "/whole/empty").await, 204);
    assert_eq!(client.status("GET", "/whole/empty").await, 404);
    assert_eq!(client.status("DELETE", "/whole/empty").await, 204, "as often as one likes");
}

async fn ranges_are_cut(client: &Client) {
    client.bucket("ranges").await;
    client.put("/ranges/digits", "0123456789").await;
    for (range, status, text) in [
        ("bytes=0-3", 206, "0123"),
        ("bytes=7-", 206, "789"),
        ("bytes=-2", 206, "89"),
        ("bytes=4-99", 206, "456789"),
    ] {
        let answer = client.send("GET", "/ranges/digits", &[("range", range)], b"").await;
        assert_eq!((answer.status, answer.body.as_str()), (status, text), "{range}");
    }
    let beyond = client.send("GET", "/ranges/digits", &[("range", "bytes=10-")], b"").await;
    assert_eq!(beyond.status, 416);
}

async fn listings_come_in_pages(client: &Client) {
    client.bucket("pages").await;
    for key in ["a", "b/1", "b/2", "c/1", "d"] {
        client.put(&format!("/pages/{key}"), key).await;
    }
    let all = client.get("/pages?list-type=2").await;
    assert_eq!(texts(&all, "Key"), ["a", "b/1", "b/2", "c/1", "d"]);
    let below = client.get("/pages?list-type=2&prefix=b%2F").await;
    assert_eq!(texts(&below, "Key"), ["b/1", "b/2"]);
    let folders = client.get("/pages?delimiter=%2F&list-type=2").await;
    assert_eq!(texts(&folders, "Key"), ["a", "d"]);
    let common: Vec<String> =
        texts(&folders, "CommonPrefixes").iter().flat_map(|each| texts(each, "Prefix")).collect();
    assert_eq!(common, ["b/", "c/"]);

    let (mut keys, mut token) = (Vec::new(), String::new());
    for _ in 0..5 {
        let uri = format!("/pages?list-type=2&max-keys=2{token}");
        let page = client.get(&uri).await;
        keys.extend(texts(&page, "Key"));
        let Some(next) = texts(&page, "NextContinuationToken").pop() else { break };
        assert_eq!(texts(&page, "IsTruncated"), ["true"]);
        let unreserved = percent_encoding::NON_ALPHANUMERIC;
        token = format!("&continuation-token={}", percent_encoding::utf8_percent_encode(&next, unreserved));
    }
    assert_eq!(keys, ["a", "b/1", "b/2", "c/1", "d"]);
}

/// Begins an upload; its id.
async fn begun(client: &Client, uri: &str) -> String {
    let answer = client.send("POST", &format!("{uri}?uploads"), &[], b"").await;
    texts(&answer.expect_status(200).body, "UploadId").pop().expect("an id")
}

async fn part(client: &Client, uri: &str, number: u32, id: &str, text: &str) -> String {
    client.put(&format!("{uri}?partNumber={number}&uploadId={id}"), text).await
}

fn completion(parts: &[(u32, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

async fn parts_become_one_object(client: &Client) {
    client.bucket("parts").await;
    let id = begun(client, "/parts/big").await;
    let (first, second) = ("a".repeat(5 << 20), "the end");
    let one = part(client, "/parts/big", 1, &id, &first).await;
    let two = part(client, "/parts/big", 2, &id, second).await;
    assert_eq!(client.status("GET", "/parts/big").await, 404, "not before it is complete");
    let body = completion(&[(1, &one), (2, &two)]);
    let uri = format!("/parts/big?uploadId={id}");
    let done = client.send("POST", &uri, &[], body.as_bytes()).await;
    let etag = texts(&done.expect_status(200).body, "ETag").concat();
    // Some write the quotes around it as `&quot;` or `&#34;`.
    assert!(etag.contains("dc2bc882b07e1e67a48bed8997ce6caf-2"), "{etag}");
    let got = client.get("/parts/big").await;
    assert!(got.len() == first.len() + second.len() && got.ends_with(second), "{} bytes", got.len());
    let tail = client.send("GET", "/parts/big", &[("range", "bytes=5242878-5242882")], b"").await;
    assert_eq!(tail.body, "aathe");
}

async fn an_upload_that_was_aborted_is_gone(client: &Client, gaps: &[Gap]) {
    client.bucket("parts").await;
    let id = begun(client, "/parts/aborted").await;
    let etag = part(client, "/parts/aborted", 1, &id, "text").await;
    let uri = format!("/parts/aborted?uploadId={id}");
    assert_eq!(client.status("DELETE", &uri).await, 204);
    let late = client.send("POST", &uri, &[], completion(&[(1, &etag)]).as_bytes()).await;
    if !gaps.contains(&Gap::LateCompletion) {
        assert_eq!((late.status, code(&late).as_str()), (404, "NoSuchUpload"));
    }
    assert_eq!(client.status("GET", "/parts/aborted").await, 404);
}

async fn versions_are_kept(client: &Client) {
    client.bucket("versions").await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    client.send("PUT", "/versions?versioning", &[], enabled.as_bytes()).await.expect_status(200);
    let status = client.get("/versions?versioning").await;
    assert_eq!(texts(&status, "Status"), ["Enabled"]);
    let first = client.send("PUT", "/versions/k", &[], b"first").await;
    let first = first.expect_status(200).header("x-amz-version-id").to_owned();
    client.put("/versions/k", "second").await;
    assert_eq!(client.get("/versions/k").await, "second");
    assert_eq!(client.get(&format!("/versions/k?versionId={first}")).await, "first");
    let deleted = client.send("DELETE", "/versions/k", &[], b"").await;
    assert_eq!((deleted.status, deleted.header("x-amz-delete-marker")), (204, "true"));
    assert_eq!(client.status("GET", "/versions/k").await, 404);
    assert_eq!(client.get(&format!("/versions/k?versionId={first}")).await, "first");
    let marker = deleted.header("x-amz-version-id");
    assert_eq!(client.status("DELETE", &format!("/versions/k?versionId={marker}")).await, 204);
    assert_eq!(client.get("/versions/k").await, "second");
}

async fn only_the_first_writer_wins(client: &Client) {
    client.bucket("locks").await;
    client.status("DELETE", "/locks/state").await;
    let absent = [("if-none-match", "*")];
    let first = client.send("PUT", "/locks/state", &absent, b"mine").await;
    first.expect_status(200);
    let second = client.send("PUT", "/locks/state", &absent, b"yours").await;
    assert_eq!((second.status, code(&second).as_str()), (412, "PreconditionFailed"));
    assert_eq!(client.get("/locks/state").await, "mine");
    let same = client.send("GET", "/locks/state", &[("if-none-match", first.header("etag"))], b"").await;
    assert_eq!(same.status, 304);
    let other = client.send("GET", "/locks/state", &[("if-match", "\"other\"")], b"").await;
    assert_eq!(other.status, 412);
}

async fn errors_have_their_codes(client: &Client, gaps: &[Gap]) {
    client.bucket("codes").await;
    let none = client.send("GET", "/codes/none", &[], b"").await;
    assert_eq!((none.status, code(&none).as_str()), (404, "NoSuchKey"));
    let no_bucket = client.send("GET", "/no-such-bucket?list-type=2", &[], b"").await;
    assert_eq!((no_bucket.status, code(&no_bucket).as_str()), (404, "NoSuchBucket"));
    if !gaps.contains(&Gap::Signatures) {
        let stranger = client.with_secret("another").send("GET", "/codes", &[], b"").await;
        assert_eq!((stranger.status, code(&stranger).as_str()), (403, "SignatureDoesNotMatch"));
        let nobody = client.unsigned("GET", "/codes", &[]).await;
        assert_eq!(nobody.status, 403);
    }
}

#[tokio::test]
async fn lab_objects_does_all_of_it() {
    let rig = Rig::start(&[]).await;
    suite(&rig.client, &[]).await;
    rig.stop().await;
}

#[tokio::test]
async fn moto_does_it() {
    testkit::needs!(S3Emulators);
    let moto = Emulator::moto().await;
    suite(&moto.client, moto.gaps).await;
}

#[tokio::test]
async fn ministack_does_it() {
    testkit::needs!(S3Emulators);
    let ministack = Emulator::ministack().await;
    suite(&ministack.client, ministack.gaps).await;
}

#[tokio::test]
async fn localstack_does_it() {
    testkit::needs!(Localstack);
    let localstack = Emulator::localstack().await;
    suite(&localstack.client, localstack.gaps).await;
}

#[tokio::test]
async fn seaweedfs_does_it() {
    testkit::needs!(S3Emulators);
    let seaweedfs = Emulator::seaweedfs().await;
    suite(&seaweedfs.client, seaweedfs.gaps).await;
}
