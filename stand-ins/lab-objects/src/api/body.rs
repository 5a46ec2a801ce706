//! Bytes that arrive: into a file while they are hashed, or into memory if they are a document. Nothing is kept unless the bytes are
//! what the request says they are.

use std::sync::Arc;

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use tokio::{fs::File, io::AsyncWriteExt as _};

use super::{Call, blocking};
use crate::{
    auth::Payload,
    error::{Code, S3Error},
    store::Temp,
};

/// Largest document that a request may have, in bytes: a thousand keys of the longest.
const LARGEST_DOCUMENT: usize = 2 << 20;

/// Bytes that have arrived, are whole, and are in a file.
pub(super) struct Received {
    /// The file.
    pub(super) temp: Temp,
    /// Their number.
    pub(super) size: u64,
    /// Their MD5 in hex.
    pub(super) md5: String,
}

/// The hashes of what has arrived so far.
struct Digests {
    md5: Md5,
    sha256: Sha256,
    crc32: crc32fast::Hasher,
}

impl Digests {
    fn new() -> Self {
        Self { md5: Md5::new(), sha256: Sha256::new(), crc32: crc32fast::Hasher::new() }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha256.update(bytes);
        self.crc32.update(bytes);
    }

    /// The MD5 in hex, if nothing that the request says of its body is wrong.
    fn check(self, headers: &HeaderMap, payload: &Payload) -> Result<String, S3Error> {
        let md5 = self.md5.finalize();
        let sha256 = self.sha256.finalize();
        if let Payload::Sha256(claimed) = payload
            && *claimed != hex::encode(sha256.as_slice())
        {
            let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
            return Err(S3Error::new(Code::XAmzContentSHA256Mismatch, message));
        }
        let crc32 = self.crc32.finalize().to_be_bytes();
        for (name, computed) in [
            ("content-md5", md5.as_slice()),
            ("x-amz-checksum-sha256", sha256.as_slice()),
            ("x-amz-checksum-crc32", crc32.as_slice()),
        ] {
            let Some(claimed) = headers.get(name) else { continue };
            let claimed = STANDARD.decode(claimed.as_bytes()).map_err(|_| {
                S3Error::new(Code::InvalidDigest, format!("The header {name} is not a checksum in Base64."))
            })?;
            if claimed != computed {
                let message = format!("The {name} you specified did not match what we received.");
                return Err(S3Error::new(Code::BadDigest, message));
            }
        }
        Ok(hex::encode(md5.as_slice()))
    }
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, S3Error> {
    while let Some(frame) = body.frame().await {
        let incomplete =
            "You did not provide the number of bytes specified by the Content-Length HTTP header.";
        let frame = frame.map_err(|_| S3Error::new(Code::IncompleteBody, incomplete))?;
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Writes a body to a file.
///
/// # Errors
/// When it is not whole, not what the request says of it, or more than the store takes; or the disk refuses.
pub(super) async fn to_file(call: &Call, mut body: Body) -> Result<Received, S3Error> {
    let announced = call.parts.headers.get("content-length").and_then(|length| length.to_str().ok());
    call.s3.store.room(announced.and_then(|length| length.parse().ok()).unwrap_or(0))?;
    let store = Arc::clone(&call.s3.store);
    // In one piece: if the client leaves now, the file is still removed after it was created.
    let (temp, file) = blocking(move || {
        let temp = store.temp();
        let file = std::fs::File::create(temp.path())?;
        Ok((temp, file))
    })
    .await?;
    let mut file = File::from_std(file);
    let (mut digests, mut size) = (Digests::new(), 0);
    while let Some(bytes) = next(&mut body).await? {
        size += bytes.len() as u64;
        call.s3.store.room(size)?;
        digests.update(&bytes);
        file.write_all(&bytes).await?;
    }
    file.flush().await?;
    let md5 = digests.check(&call.parts.headers, &call.payload)?;
    call.s3.metrics.s3_received_bytes_total.inc_by(size);
    Ok(Received { temp, size, md5 })
}

/// Reads a body that is a document.
///
/// # Errors
/// When it is not whole, not what the request says of it, or too large.
pub(super) async fn to_memory(call: &Call, mut body: Body) -> Result<Vec<u8>, S3Error> {
    let (mut digests, mut all) = (Digests::new(), Vec::new());
    while let Some(bytes) = next(&mut body).await? {
        if all.len() + bytes.len() > LARGEST_DOCUMENT {
            return Err(S3Error::new(Code::MalformedXML, "The document is larger than this store reads."));
        }
        digests.update(&bytes);
        all.extend_from_slice(&bytes);
    }
    digests.check(&call.parts.headers, &call.payload)?;
    Ok(all)
}
