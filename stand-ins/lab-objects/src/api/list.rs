//! Listings: objects and versions, a page at a time.

use axum::response::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Call,
    answer::{self, NAMESPACE},
    bucket::time,
    object::quoted,
    xml::Element,
};
use crate::{
    error::{Code, S3Error},
    store::{Asked, Record},
};

/// Most entries of a page, and how many there are if none are asked for.
const PAGE: usize = 1000;

/// What `encoding-type=url` leaves as it is.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

fn limit(call: &Call) -> Result<usize, S3Error> {
    let Some(text) = call.query.get("max-keys") else { return Ok(PAGE) };
    let wrong = || S3Error::new(Code::InvalidArgument, "max-keys must be a whole number from 0.");
    Ok(text.parse::<usize>().map_err(|_| wrong())?.min(PAGE))
}

/// How names are written: as they are, or as in a URL.
fn encoder(call: &Call) -> Result<impl Fn(&str) -> String + use<>, S3Error> {
    let url = match call.query.get("encoding-type") {
        None => false,
        Some("url") => true,
        Some(_) => {
            return Err(S3Error::new(Code::InvalidArgument, "Invalid Encoding Method specified in Request"));
        }
    };
    Ok(move |text: &str| if url { utf8_percent_encode(text, PLAIN).to_string() } else { text.to_owned() })
}

/// ListObjectsV2, and the first version of it: they differ in how the next page is asked for.
pub(super) fn objects(call: &Call) -> Result<Response, S3Error> {
    let query = |name| call.query.get(name).unwrap_or_default();
    let second = query("list-type") == "2";
    let token = if second { "continuation-token" } else { "marker" };
    let after = if query(token).is_empty() { query("start-after") } else { query(token) };
    let asked = Asked {
        prefix: query("prefix").to_owned(),
        delimiter: query("delimiter").to_owned(),
        after: after.to_owned(),
        limit: limit(call)?,
    };
    let encode = encoder(call)?;
    let page = call.s3.store.list(&call.bucket, &asked)?;
    let count = page.records.len() + page.prefixes.len();
    let mut root = Element::new("ListBucketResult")
        .within(NAMESPACE)
        .text("Name", &call.bucket)
        .text("Prefix", &encode(&asked.prefix))
        .text("MaxKeys", &asked.limit.to_string())
        .text("IsTruncated", if page.next.is_some() { "true" } else { "false" });
    for name in ["delimiter", "encoding-type"] {
        if call.query.has(name) {
            let tag = if name == "delimiter" { "Delimiter" } else { "EncodingType" };
            root = root.text(tag, &encode(query(name)));
        }
    }
    if second {
        root = root.text("KeyCount", &count.to_string());
        if call.query.has(token) {
            root = root.text("ContinuationToken", query(token));
        }
    } else {
        root = root.text("Marker", &encode(query(token)));
    }
    if let Some(next) = page.next {
        root = if second {
            root.text("NextContinuationToken", &next)
        } else {
            root.text("NextMarker", &encode(&next))
        };
    }
    let records = page.records.iter().map(|record| described(Element::new("Contents"), record, &encode));
    let prefixes =
        page.prefixes.iter().map(|prefix| Element::new("CommonPrefixes").text("Prefix", &encode(prefix)));
    Ok(answer::document(&root.children(records).children(prefixes)))
}

fn described(element: Element, record: &Record, encode: &impl Fn(&str) -> String) -> Element {
    element
        .text("Key", &encode(&record.meta.key))
        .text("LastModified", &time(record.meta.modified))
        .text("ETag", &quoted(&record.meta.etag))
        .text("Size", &record.meta.size.to_string())
        .text("StorageClass", "STANDARD")
}

/// ListObjectVersions, without a delimiter.
pub(super) fn versions(call: &Call) -> Result<Response, S3Error> {
    if call.query.has("delimiter") {
        return Err(S3Error::new(Code::NotImplemented, "This store lists versions without a delimiter."));
    }
    let encode = encoder(call)?;
    let (prefix, limit) = (call.query.get("prefix").unwrap_or_default(), limit(call)?);
    let after = (call.query.get("key-marker").unwrap_or_default(), call.query.get("version-id-marker"));
    let (page, more) = call.s3.store.versions(&call.bucket, prefix, after, limit)?;
    let mut root = Element::new("ListVersionsResult")
        .within(NAMESPACE)
        .text("Name", &call.bucket)
        .text("Prefix", &encode(prefix))
        .text("KeyMarker", &encode(after.0))
        .text("MaxKeys", &limit.to_string())
        .text("IsTruncated", if more { "true" } else { "false" });
    if call.query.has("encoding-type") {
        root = root.text("EncodingType", "url");
    }
    if let Some((last, _)) = page.last().filter(|_| more) {
        root =
            root.text("NextKeyMarker", &encode(&last.meta.key)).text("NextVersionIdMarker", &last.version());
    }
    let entries = page.iter().map(|(record, latest)| {
        let element = if record.meta.marker {
            Element::new("DeleteMarker")
                .text("Key", &encode(&record.meta.key))
                .text("LastModified", &time(record.meta.modified))
        } else {
            described(Element::new("Version"), record, &encode)
        };
        element.text("VersionId", &record.version()).text("IsLatest", if *latest { "true" } else { "false" })
    });
    Ok(answer::document(&root.children(entries)))
}
