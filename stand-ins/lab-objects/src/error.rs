//! What can go wrong, by the names that S3 gives it: a client decides by the code.
//!
//! Source: the table of error codes in the Amazon S3 API reference; `QuotaExceeded` is Ceph's, since S3 is never full.

use std::{fmt, io};

/// An error code of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub enum Code {
    /// 403: not signed, expired, or not allowed.
    AccessDenied,
    /// 400: the header `Authorization` cannot be read, or names another region.
    AuthorizationHeaderMalformed,
    /// 400: a checksum of the request is not that of its body.
    BadDigest,
    /// 409: the bucket exists.
    BucketAlreadyOwnedByYou,
    /// 409: the bucket has objects.
    BucketNotEmpty,
    /// 400: a part that is not the last is smaller than 5 MiB.
    EntityTooSmall,
    /// 400: the body ended early.
    IncompleteBody,
    /// 500: the store's own fault.
    InternalError,
    /// 403: not the access key of this store.
    InvalidAccessKeyId,
    /// 400: a parameter is wrong.
    InvalidArgument,
    /// 400: not a name for a bucket.
    InvalidBucketName,
    /// 400: a checksum in the request is not one.
    InvalidDigest,
    /// 400: a part is missing, or has another `ETag`.
    InvalidPart,
    /// 400: parts are not in ascending order.
    InvalidPartOrder,
    /// 416: the object has no such bytes.
    InvalidRange,
    /// 400: the key is longer than 1024 bytes.
    KeyTooLongError,
    /// 400: not the XML that this call takes.
    MalformedXML,
    /// 405: the version is a delete marker.
    MethodNotAllowed,
    /// 404: there is no such bucket.
    NoSuchBucket,
    /// 404: there is no such object.
    NoSuchKey,
    /// 404: the bucket has no lifecycle rules.
    NoSuchLifecycleConfiguration,
    /// 404: the upload was completed or aborted, or never began.
    NoSuchUpload,
    /// 404: there is no such version.
    NoSuchVersion,
    /// 501: a part of S3 that this store does not have.
    NotImplemented,
    /// 304: the object is as the client knows it.
    NotModified,
    /// 412: a condition of the request does not hold.
    PreconditionFailed,
    /// 403: there is no space left.
    QuotaExceeded,
    /// 403: the clock of the client is more than 15 minutes off.
    RequestTimeTooSkewed,
    /// 403: signed with another secret, or changed on the way.
    SignatureDoesNotMatch,
    /// 503: too many requests.
    SlowDown,
    /// 400: the body is not what its signature says.
    XAmzContentSHA256Mismatch,
}

impl Code {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An error as the client is told it; the cause, if it is ours, is for the log alone.
#[derive(Debug)]
pub struct S3Error {
    /// What a client decides by.
    pub code: Code,
    /// What a person reads.
    pub message: String,
    /// What failed inside, if anything did.
    pub cause: Option<String>,
}

impl S3Error {
    /// An error that the client caused.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cause: None }
    }

    /// An error that this store caused.
    #[must_use]
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        let message = "We encountered an internal error. Please try again.".to_owned();
        Self { code: Code::InternalError, message, cause: Some(cause.to_string()) }
    }

    /// The bucket does not exist.
    #[must_use]
    pub fn no_bucket() -> Self {
        Self::new(Code::NoSuchBucket, "The specified bucket does not exist.")
    }

    /// The object does not exist.
    #[must_use]
    pub fn no_key() -> Self {
        Self::new(Code::NoSuchKey, "The specified key does not exist.")
    }

    /// There is no space left.
    #[must_use]
    pub fn full() -> Self {
        Self::new(Code::QuotaExceeded, "The quota of this store is used up.")
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)?;
        self.cause.iter().try_for_each(|cause| write!(f, " ({cause})"))
    }
}

impl std::error::Error for S3Error {}

impl From<io::Error> for S3Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull {
            return Self { cause: Some(error.to_string()), ..Self::full() };
        }
        Self::internal(&error)
    }
}
