//! Objects in parts: begin, part, complete, abort.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::StatusCode;

use super::{
    Call,
    answer::{self, NAMESPACE, with},
    blocking, body, conditions,
    object::{kept, quoted, versioned},
    xml::{self, Element},
};
use crate::{
    error::{Code, S3Error},
    store::{Claimed, Part},
};

/// Most parts of an upload.
const MOST_PARTS: u32 = 10_000;

fn upload(call: &Call) -> String {
    call.query.get("uploadId").unwrap_or_default().to_owned()
}

pub(super) async fn begin(call: Call) -> Result<Response, S3Error> {
    let root = Element::new("InitiateMultipartUploadResult")
        .within(NAMESPACE)
        .text("Bucket", &call.bucket)
        .text("Key", &call.key);
    let (store, headers) = (Arc::clone(&call.s3.store), kept(&call.parts.headers));
    let id = blocking(move || store.begin(&call.bucket, &call.key, headers)).await?;
    Ok(answer::document(&root.text("UploadId", &id)))
}

fn number(text: Option<&str>) -> Result<u32, S3Error> {
    let number = text.and_then(|text| text.trim().parse::<u32>().ok());
    number.filter(|number| (1..=MOST_PARTS).contains(number)).ok_or_else(|| {
        S3Error::new(Code::InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive.")
    })
}

pub(super) async fn part(call: Call, body: Body) -> Result<Response, S3Error> {
    let (number, id) = (number(call.query.get("partNumber"))?, upload(&call));
    let received = body::to_file(&call, body).await?;
    let part = Part { number, size: received.size, etag: received.md5 };
    let etag = quoted(&part.etag);
    let store = Arc::clone(&call.s3.store);
    blocking(move || store.put_part(&call.bucket, &call.key, &id, &part, received.temp)).await?;
    Ok(with(answer::empty(StatusCode::OK), "etag", &etag))
}

pub(super) async fn complete(call: Call, body: Body) -> Result<Response, S3Error> {
    let expect = conditions::write(&call.parts.headers)?;
    let root = xml::read(&body::to_memory(&call, body).await?)?;
    let claimed = root.all("Part").map(|part| {
        let etag = part.get_text("ETag").map(conditions::unquoted).unwrap_or_default();
        Ok(Claimed { number: number(part.get_text("PartNumber"))?, etag: etag.to_owned() })
    });
    let claimed: Vec<Claimed> = claimed.collect::<Result<_, S3Error>>()?;
    let (store, id) = (Arc::clone(&call.s3.store), upload(&call));
    let place = format!("/{}/{}", call.bucket, call.key);
    let result = Element::new("CompleteMultipartUploadResult")
        .within(NAMESPACE)
        .text("Location", &place)
        .text("Bucket", &call.bucket)
        .text("Key", &call.key);
    let record = blocking(move || store.complete(&call.bucket, &call.key, &id, &claimed, &expect)).await?;
    let result = result.text("ETag", &quoted(&record.meta.etag));
    Ok(versioned(answer::document(&result), &record))
}

pub(super) async fn abort(call: Call) -> Result<Response, S3Error> {
    let (store, id) = (Arc::clone(&call.s3.store), upload(&call));
    blocking(move || store.abort(&call.bucket, &call.key, &id)).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
