//! The calls, as S3 answers them: one handler that authenticates, lets the faults act, and passes a call to its module.
//!
//! Path style only (`/bucket/key`), one pair of keys, no ACLs: anyone who signs may do everything.

mod answer;
mod body;
mod bucket;
mod conditions;
mod list;
mod multipart;
mod object;
mod operation;
mod range;
mod xml;

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use chassis_faults::scope::Scope;
use chrono::Utc;
use http::request::Parts;

pub use operation::Operation;

use crate::{
    auth::{self, Keys, Payload, Query},
    error::S3Error,
    faults::ObjectFaults,
    metrics::ObjectMetrics,
    store::Store,
};

/// What the calls work with.
pub struct S3 {
    /// What is kept.
    pub store: Arc<Store>,
    /// What requests are signed with.
    pub keys: Keys,
    /// What may go wrong.
    pub faults: ObjectFaults,
    /// What is counted.
    pub metrics: ObjectMetrics,
}

/// The API. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<S3>);

/// A call whose signature is right.
struct Call {
    s3: Arc<S3>,
    bucket: String,
    /// Empty for a call about the bucket.
    key: String,
    query: Query,
    parts: Parts,
    payload: Payload,
}

impl Api {
    /// The API over `s3`.
    #[must_use]
    pub fn new(s3: S3) -> Self {
        for operation in Operation::ALL {
            // Their series exist before the first call.
            s3.metrics.s3_requests_total.with_label_values(&[operation.as_str(), "200"]);
        }
        Self(Arc::new(s3))
    }

    /// Its routes: any path, since a key may be anything.
    pub fn router(self) -> Router {
        Router::new().fallback(serve).with_state(self)
    }
}

async fn serve(State(Api(s3)): State<Api>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let query = Query::read(parts.uri.query().unwrap_or_default());
    let (bucket, key) = operation::resource(parts.uri.path());
    let operation = Operation::of(&parts, &bucket, &key, &query);
    let name = operation.as_ref().map_or("unknown", |operation| operation.as_str());
    let scope = Scope { route: name.to_owned(), ..Scope::default() };
    let (metrics, path) = (s3.metrics.clone(), parts.uri.path().to_owned());
    let answered = scope.enter(dispatch(s3, operation, bucket, key, query, parts, body)).await;
    let response = answered.unwrap_or_else(|error| {
        if let Some(cause) = &error.cause {
            tracing::error!(operation = name, cause, "a call failed");
        }
        answer::error(&error, &path)
    });
    metrics.called(name, response.status().as_u16(), started.elapsed());
    response
}

async fn dispatch(
    s3: Arc<S3>,
    operation: Result<Operation, S3Error>,
    bucket: String,
    key: String,
    query: Query,
    parts: Parts,
    body: Body,
) -> Result<Response, S3Error> {
    // Before anything else: a stranger learns nothing, not even what this store cannot do.
    let payload = auth::verify(&s3.keys, &parts, &query, Utc::now())?;
    let operation = operation?;
    s3.faults.before(operation.writes()).await?;
    let call = Call { s3, bucket, key, query, parts, payload };
    match operation {
        Operation::ListBuckets
        | Operation::CreateBucket
        | Operation::DeleteBucket
        | Operation::HeadBucket
        | Operation::GetBucketLocation
        | Operation::GetBucketVersioning
        | Operation::PutBucketVersioning
        | Operation::GetBucketLifecycleConfiguration
        | Operation::PutBucketLifecycleConfiguration
        | Operation::DeleteBucketLifecycle => bucket::dispatch(call, operation, body).await,
        Operation::ListObjectsV2 => list::objects(&call),
        Operation::ListObjectVersions => list::versions(&call),
        Operation::DeleteObjects => object::delete_many(call, body).await,
        Operation::GetObject => object::get(call, true).await,
        Operation::HeadObject => object::get(call, false).await,
        Operation::PutObject => object::put(call, body).await,
        Operation::DeleteObject => object::delete(call).await,
        Operation::CreateMultipartUpload => multipart::begin(call).await,
        Operation::UploadPart => multipart::part(call, body).await,
        Operation::CompleteMultipartUpload => multipart::complete(call, body).await,
        Operation::AbortMultipartUpload => multipart::abort(call).await,
    }
}

/// Runs what blocks on the disk where it may.
async fn blocking<T, F>(work: F) -> Result<T, S3Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, S3Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(S3Error::internal(&error)))
}
