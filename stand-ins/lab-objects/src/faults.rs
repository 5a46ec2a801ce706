//! The fault points of the store, and what they do to a call. Where each strikes is said once, in [`ObjectFaults`].

use std::time::Duration;

use chassis_faults::{
    Attribute, Catalogue, Fault, FaultPoint, Faults, catalogue, choice, params,
    params::{MINUTE, MS, choice as word, duration},
    spec::work,
};

use crate::error::{Code, S3Error};

/// Plans cannot select by a subject; `route` is the name of the call, such as `PutObject`.
pub const SUBJECT: &[Attribute] = &[];

choice! {
    /// Where the bit turns.
    pub enum Side {
        /// In what is sent; what is stored stays whole.
        Read = "read",
        /// In what is stored, for good.
        Write = "write",
    }
}

params! {
    /// Parameters of `object-slow`.
    pub struct ObjectSlow {
        /// time added to each call
        delay: Duration = duration("500ms", MS, MINUTE),
    }

    /// Parameters of `object-corrupt`.
    pub struct ObjectCorrupt {
        /// which side is damaged
        on: Side = word("read"),
    }
}

catalogue! {
    /// `object-slow`: every call takes longer.
    pub const OBJECT_SLOW: Fault<ObjectSlow> = work(
        "object-slow",
        "Calls to the object store take longer, as over a slow network.",
        "`s3_request_duration_seconds` rises; backups and uploads take longer or time out.",
    );

    /// `object-error`: 503 `SlowDown`.
    pub const OBJECT_ERROR: Fault = work(
        "object-error",
        "The object store answers 503 `SlowDown`, as S3 does under too many requests.",
        "`s3_requests_total{status=\"503\"}` rises; clients with retries slow down, others fail.",
    );

    /// `object-denied`: 403 `AccessDenied`.
    pub const OBJECT_DENIED: Fault = work(
        "object-denied",
        "The object store answers 403 `AccessDenied`, as after a permission was revoked.",
        "`s3_requests_total{status=\"403\"}` rises; retries do not help.",
    );

    /// `object-full`: writes are refused.
    pub const OBJECT_FULL: Fault = work(
        "object-full",
        "Writes are answered with 403 `QuotaExceeded`; reads and deletes work.",
        "`s3_requests_total{operation=\"PutObject\",status=\"403\"}` rises; `objects_stored_bytes` stays.",
    );

    /// `object-corrupt`: one bit is wrong.
    pub const OBJECT_CORRUPT: Fault<ObjectCorrupt> = work(
        "object-corrupt",
        "One bit of an object is wrong; its length and `ETag` are not.",
        "Nothing here: only a client that compares checksums notices.",
    )
    .ends("With `on=write`, objects that were stored meanwhile stay damaged.");

    /// `object-lost`: acknowledged, and not kept.
    pub const OBJECT_LOST: Fault = work(
        "object-lost",
        "Objects are acknowledged and not kept.",
        "Nothing at first: a later read is answered with 404 `NoSuchKey`, or with the version before.",
    )
    .ends("Objects that were lost do not come back.");
}

/// All points of the process.
pub const CATALOGUE: Catalogue = ALL;

/// The points, resolved.
pub struct ObjectFaults {
    slow: FaultPoint<ObjectSlow>,
    error: FaultPoint,
    denied: FaultPoint,
    full: FaultPoint,
    corrupt: FaultPoint<ObjectCorrupt>,
    lost: FaultPoint,
}

impl ObjectFaults {
    /// Takes the points of this process.
    #[must_use]
    pub fn new(faults: &Faults) -> Self {
        Self {
            slow: faults.point(&OBJECT_SLOW),
            error: faults.point(&OBJECT_ERROR),
            denied: faults.point(&OBJECT_DENIED),
            full: faults.point(&OBJECT_FULL),
            corrupt: faults.point(&OBJECT_CORRUPT),
            lost: faults.point(&OBJECT_LOST),
        }
    }

    /// Before a call whose signature is right.
    ///
    /// # Errors
    /// What the call is answered with.
    pub async fn before(&self, writes: bool) -> Result<(), S3Error> {
        if let Some(strike) = self.slow.strike() {
            tokio::time::sleep(strike.params.delay).await;
        }
        if self.error.strike().is_some() {
            return Err(S3Error::new(Code::SlowDown, "Please reduce your request rate."));
        }
        if self.denied.strike().is_some() {
            return Err(S3Error::new(Code::AccessDenied, "Access Denied"));
        }
        if writes && self.full.strike().is_some() {
            return Err(S3Error::full());
        }
        Ok(())
    }

    /// Whether this object is damaged on its way, on `side`.
    #[must_use]
    pub fn corrupts(&self, side: Side) -> bool {
        self.corrupt.strike().is_some_and(|strike| strike.params.on == side)
    }

    /// Whether this object is acknowledged and not kept.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.lost.strike().is_some()
    }
}
