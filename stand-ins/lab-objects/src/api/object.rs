//! Objects: put, get, head, delete.

use std::{collections::BTreeMap, fs::File, io::SeekFrom, sync::Arc};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use chrono::Utc;
use futures::stream;
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::{
    Call,
    answer::{self, NAMESPACE, set, with},
    blocking, body, conditions, range,
    xml::{self, Element},
};
use crate::{
    error::{Code, S3Error},
    faults::Side,
    store::{Expect, Meta, Record},
};

/// Headers that are kept with an object and come back with it, beside `x-amz-meta-…`.
const KEPT: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// Most keys of one DeleteObjects.
const MOST_KEYS: usize = 1000;

/// What is kept of the headers of a request.
pub(super) fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    let kept = |name: &str| KEPT.contains(&name) || name.starts_with("x-amz-meta-");
    let pairs = headers.iter().filter(|(name, _)| kept(name.as_str()));
    pairs
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

pub(super) async fn put(call: Call, body: Body) -> Result<Response, S3Error> {
    let expect = conditions::write(&call.parts.headers)?;
    let received = body::to_file(&call, body).await?;
    let meta = Meta {
        key: call.key,
        size: received.size,
        etag: received.md5,
        modified: Utc::now(),
        marker: false,
        headers: kept(&call.parts.headers),
    };
    let etag = quoted(&meta.etag);
    if call.s3.faults.loses() {
        return Ok(with(answer::empty(StatusCode::OK), "etag", &etag));
    }
    if call.s3.faults.corrupts(Side::Write) {
        damage(received.temp.path(), meta.size).await?;
    }
    let store = Arc::clone(&call.s3.store);
    let record = blocking(move || store.put(&call.bucket, meta, received.temp, &expect)).await?;
    Ok(versioned(with(answer::empty(StatusCode::OK), "etag", &etag), &record))
}

/// Turns one bit in the middle.
async fn damage(path: &std::path::Path, size: u64) -> Result<(), S3Error> {
    use tokio::io::AsyncWriteExt as _;
    if size == 0 {
        return Ok(());
    }
    let mut file = tokio::fs::OpenOptions::new().read(true).write(true).open(path).await?;
    let at = SeekFrom::Start(size / 2);
    file.seek(at).await?;
    let byte = file.read_u8().await?;
    file.seek(at).await?;
    file.write_u8(byte ^ 1).await?;
    Ok(file.flush().await?)
}

pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// The answer, with the version if the bucket keeps them.
pub(super) fn versioned(mut response: Response, record: &Record) -> Response {
    if record.versioned {
        set(&mut response, "x-amz-version-id", &record.version());
    }
    response
}

/// Get, or head without `content`.
pub(super) async fn get(call: Call, content: bool) -> Result<Response, S3Error> {
    let store = Arc::clone(&call.s3.store);
    let version = call.query.get("versionId").map(str::to_owned);
    let (bucket, key) = (call.bucket, call.key);
    let (record, file) = blocking(move || store.read(&bucket, &key, version.as_deref())).await?;
    let headers = &call.parts.headers;
    conditions::read(headers, &record.meta)?;
    let size = record.meta.size;
    let asked = headers.get("range").and_then(|range| range.to_str().ok());
    let range = range::read(asked, size)?;
    let (first, length) = range.map_or((0, size), |(first, last)| (first, last - first + 1));
    let mut response =
        answer::empty(if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    describe(&mut response, &record.meta);
    set(&mut response, "content-length", &length.to_string());
    if let Some((first, last)) = range {
        set(&mut response, "content-range", &format!("bytes {first}-{last}/{size}"));
    }
    if content {
        call.s3.metrics.s3_sent_bytes_total.inc_by(length);
        let damaged = call.s3.faults.corrupts(Side::Read);
        *response.body_mut() = send(file, first, length, damaged).await?;
    }
    Ok(versioned(response, &record))
}

fn describe(response: &mut Response, meta: &Meta) {
    for (name, value) in &meta.headers {
        // Both were headers of a request.
        if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    if !meta.headers.contains_key("content-type") {
        set(response, "content-type", "binary/octet-stream");
    }
    set(response, "etag", &quoted(&meta.etag));
    set(response, "last-modified", &meta.modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    set(response, "accept-ranges", "bytes");
}

/// `length` bytes of a file from `first`, a chunk at a time; in a `damaged` one a bit of the first chunk is wrong.
async fn send(file: File, first: u64, length: u64, damaged: bool) -> Result<Body, S3Error> {
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(first)).await?;
    let chunks = stream::try_unfold((file.take(length), damaged), |(mut file, damaged)| async move {
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        if chunk.is_empty() {
            return Ok::<_, std::io::Error>(None);
        }
        if damaged {
            let middle = chunk.len() / 2;
            chunk[middle] ^= 1;
        }
        Ok(Some((Bytes::from(chunk), (file, false))))
    });
    Ok(Body::from_stream(chunks))
}

pub(super) async fn delete(call: Call) -> Result<Response, S3Error> {
    let mut expect = conditions::write(&call.parts.headers)?;
    // A delete takes `If-Match` alone.
    expect.absent = false;
    let store = Arc::clone(&call.s3.store);
    let version = call.query.get("versionId").map(str::to_owned);
    let gone =
        blocking(move || store.delete(&call.bucket, &call.key, version.as_deref(), &expect, Utc::now()))
            .await?;
    let mut response = answer::empty(StatusCode::NO_CONTENT);
    if let Some(record) = gone {
        if record.meta.marker {
            set(&mut response, "x-amz-delete-marker", "true");
        }
        response = versioned(response, &record);
    }
    Ok(response)
}

/// DeleteObjects: up to a thousand keys, each with an outcome of its own.
pub(super) async fn delete_many(call: Call, body: Body) -> Result<Response, S3Error> {
    let root = xml::read(&body::to_memory(&call, body).await?)?;
    let quiet = root.get_text("Quiet").is_some_and(|text| text.trim() == "true");
    let wanted: Vec<(String, Option<String>)> = root
        .all("Object")
        .filter_map(|object| {
            Some((object.get_text("Key")?.to_owned(), object.get_text("VersionId").map(str::to_owned)))
        })
        .collect();
    if root.name != "Delete" || wanted.is_empty() || wanted.len() > MOST_KEYS {
        return Err(S3Error::new(Code::MalformedXML, "A Delete has 1 to 1000 objects with a Key each."));
    }
    let store = Arc::clone(&call.s3.store);
    let outcomes = blocking(move || {
        store.settings(&call.bucket)?;
        let delete = |(key, version): (String, Option<String>)| {
            let none = Expect::default();
            let outcome = store.delete(&call.bucket, &key, version.as_deref(), &none, Utc::now());
            (key, outcome)
        };
        Ok(wanted.into_iter().map(delete).collect::<Vec<_>>())
    })
    .await?;
    let mut result = Element::new("DeleteResult").within(NAMESPACE);
    for (key, outcome) in outcomes {
        match outcome {
            Ok(_) if quiet => {}
            Ok(_) => result = result.child(Element::new("Deleted").text("Key", &key)),
            Err(error) => {
                let error = Element::new("Error")
                    .text("Key", &key)
                    .text("Code", error.code.as_str())
                    .text("Message", &error.message);
                result = result.child(error);
            }
        }
    }
    Ok(answer::document(&result))
}
