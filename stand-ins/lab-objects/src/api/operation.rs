//! Which call a request is, by method, path and query; a part of S3 that is not here is refused by name.

use http::{Method, request::Parts};
use percent_encoding::percent_decode_str;

use crate::{
    auth::Query,
    error::{Code, S3Error},
};

/// The calls, by the names of the API reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray)]
#[expect(missing_docs, reason = "the API reference of Amazon S3 documents each name")]
pub enum Operation {
    ListBuckets,
    CreateBucket,
    DeleteBucket,
    HeadBucket,
    GetBucketLocation,
    GetBucketVersioning,
    PutBucketVersioning,
    GetBucketLifecycleConfiguration,
    PutBucketLifecycleConfiguration,
    DeleteBucketLifecycle,
    ListObjectsV2,
    ListObjectVersions,
    DeleteObjects,
    GetObject,
    HeadObject,
    PutObject,
    DeleteObject,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
}

/// Parameters that name a part of a bucket or object that this store does not have.
const ABSENT: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "website",
];

impl Operation {
    /// All of them.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Its name, as metrics and plans of faults have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it adds bytes.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(
            self,
            Self::PutObject | Self::UploadPart | Self::CompleteMultipartUpload | Self::CreateBucket
        )
    }

    /// The call that a request is.
    ///
    /// # Errors
    /// [`Code::NotImplemented`], with what there is not.
    pub fn of(parts: &Parts, bucket: &str, key: &str, query: &Query) -> Result<Self, S3Error> {
        let absent = |what: &str| {
            let message =
                format!("This store has no {what}. What it has is in stand-ins/lab-objects/README.md.");
            Err(S3Error::new(Code::NotImplemented, message))
        };
        if let Some(name) = ABSENT.iter().find(|name| query.has(name)) {
            return absent(&format!("`{name}`"));
        }
        if parts.headers.contains_key("x-amz-copy-source") {
            return absent("copies");
        }
        let found = match (bucket.is_empty(), key.is_empty()) {
            (true, _) => (parts.method == Method::GET).then_some(Self::ListBuckets),
            (false, true) => of_bucket(&parts.method, query),
            (false, false) => of_object(&parts.method, query),
        };
        found.map_or_else(|| absent(&format!("{} here", parts.method)), Ok)
    }
}

fn of_bucket(method: &Method, query: &Query) -> Option<Operation> {
    let (versioning, lifecycle) = (query.has("versioning"), query.has("lifecycle"));
    Some(match *method {
        Method::GET if versioning => Operation::GetBucketVersioning,
        Method::PUT if versioning => Operation::PutBucketVersioning,
        Method::GET if lifecycle => Operation::GetBucketLifecycleConfiguration,
        Method::PUT if lifecycle => Operation::PutBucketLifecycleConfiguration,
        Method::DELETE if lifecycle => Operation::DeleteBucketLifecycle,
        Method::GET if query.has("location") => Operation::GetBucketLocation,
        Method::GET if query.has("versions") => Operation::ListObjectVersions,
        Method::GET if query.has("uploads") => return None,
        Method::GET => Operation::ListObjectsV2,
        Method::POST if query.has("delete") => Operation::DeleteObjects,
        Method::HEAD => Operation::HeadBucket,
        Method::PUT => Operation::CreateBucket,
        Method::DELETE => Operation::DeleteBucket,
        _ => return None,
    })
}

fn of_object(method: &Method, query: &Query) -> Option<Operation> {
    let upload = query.has("uploadId");
    Some(match *method {
        Method::POST if query.has("uploads") => Operation::CreateMultipartUpload,
        Method::POST if upload => Operation::CompleteMultipartUpload,
        Method::PUT if upload => Operation::UploadPart,
        Method::DELETE if upload => Operation::AbortMultipartUpload,
        Method::GET if upload => return None,
        Method::GET => Operation::GetObject,
        Method::HEAD => Operation::HeadObject,
        Method::PUT => Operation::PutObject,
        Method::DELETE => Operation::DeleteObject,
        _ => return None,
    })
}

/// Bucket and key of a path, decoded; either may be empty.
pub(super) fn resource(path: &str) -> (String, String) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (decode(bucket), decode(key))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn of(method: &str, uri: &str) -> Result<Operation, Code> {
        let parts = Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0;
        let (bucket, key) = resource(parts.uri.path());
        let query = Query::read(parts.uri.query().unwrap_or_default());
        Operation::of(&parts, &bucket, &key, &query).map_err(|error| error.code)
    }

    #[test]
    fn method_path_and_query_name_the_call() {
        for (method, uri, operation) in [
            ("GET", "/", Operation::ListBuckets),
            ("PUT", "/b", Operation::CreateBucket),
            ("PUT", "/b/", Operation::CreateBucket),
            ("GET", "/b?list-type=2&prefix=x", Operation::ListObjectsV2),
            ("GET", "/b?versions", Operation::ListObjectVersions),
            ("GET", "/b/a/b%2Fc", Operation::GetObject),
            ("HEAD", "/b/a?versionId=1", Operation::HeadObject),
            ("POST", "/b/a?uploads", Operation::CreateMultipartUpload),
            ("PUT", "/b/a?partNumber=1&uploadId=u", Operation::UploadPart),
            ("POST", "/b/a?uploadId=u", Operation::CompleteMultipartUpload),
            ("DELETE", "/b/a?uploadId=u", Operation::AbortMultipartUpload),
            ("DELETE", "/b/a", Operation::DeleteObject),
        ] {
            assert_eq!(of(method, uri), Ok(operation), "{method} {uri}");
        }
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for (method, uri) in [
            ("GET", "/b?acl"),
            ("PUT", "/b/k?tagging"),
            ("PATCH", "/b/k"),
            ("POST", "/"),
            ("GET", "/b?uploads"),
        ] {
            assert_eq!(of(method, uri), Err(Code::NotImplemented), "{method} {uri}");
        }
    }

    #[test]
    fn a_key_may_have_slashes_and_anything_else() {
        assert_eq!(resource("/b/a//b%20c/"), ("b".to_owned(), "a//b c/".to_owned()));
        assert_eq!(resource("/b"), ("b".to_owned(), String::new()));
        assert_eq!(resource("/"), (String::new(), String::new()));
    }
}
