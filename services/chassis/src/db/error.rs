//! What went wrong at the database, classified by SQLSTATE into what a caller does next.
//!
//! Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::sync::Arc;

/// Why the database did not do it; each variant is something a caller does differently. Cheap to clone: several callers may
/// share a statement ([`super::Group`]), and then its failure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// No connection of the pool became free in time: this process asks for more than its share.
    #[error("no database connection became free in time")]
    PoolTimeout,
    /// The server cannot be reached, is going away, cut the connection, is out of resources, or cancelled a statement that
    /// took too long: worth a retry later.
    #[error("the database is not available")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// Deadlock, serialization failure or lock timeout: worth an immediate retry of the whole transaction.
    #[error("the transaction lost a conflict")]
    Conflict(#[source] Arc<sqlx::Error>),
    /// A unique constraint refused the row.
    #[error("the row exists already ({constraint})")]
    Duplicate {
        /// Name of the constraint.
        constraint: String,
    },
    /// Anything else: a mistake in the query or the schema.
    #[error("the database refused the statement")]
    Other(#[source] Arc<sqlx::Error>),
}

/// The `kind` label of `database_errors_total`: [`DbError`] without its causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    PoolTimeout,
    Unavailable,
    Conflict,
    Duplicate,
    Other,
}

impl ErrorKind {
    pub(crate) const ALL: [Self; 5] =
        [Self::PoolTimeout, Self::Unavailable, Self::Conflict, Self::Duplicate, Self::Other];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PoolTimeout => "pool_timeout",
            Self::Unavailable => "unavailable",
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::Other => "other",
        }
    }

    /// Classifies without consuming. `RowNotFound` is `Other` here: the caller asked for exactly one row.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::PoolTimeout,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable,
            sqlx::Error::Database(error) => error.code().map_or(Self::Other, |code| Self::of_sqlstate(&code)),
            _ => Self::Other,
        }
    }

    fn of_sqlstate(code: &str) -> Self {
        match code {
            // unique_violation
            "23505" => Self::Duplicate,
            // serialization_failure, deadlock_detected, lock_not_available
            "40001" | "40P01" | "55P03" => Self::Conflict,
            // query_canceled (statement_timeout), statement_completion_unknown, read_only_sql_transaction (a replica
            // answers after a failover), idle_in_transaction_session_timeout, invalid_catalog_name (not created yet)
            "57014" | "40003" | "25006" | "25P03" | "3D000" => Self::Unavailable,
            // connection exceptions, insufficient resources, operator intervention (shutdown, termination), system errors
            _ if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

impl DbError {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::PoolTimeout => ErrorKind::PoolTimeout,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Duplicate { .. } => ErrorKind::Duplicate,
            Self::Other(_) => ErrorKind::Other,
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match ErrorKind::of(&error) {
            ErrorKind::PoolTimeout => Self::PoolTimeout,
            ErrorKind::Unavailable => Self::Unavailable(error.into()),
            ErrorKind::Conflict => Self::Conflict(error.into()),
            ErrorKind::Duplicate => Self::Duplicate {
                constraint: error
                    .as_database_error()
                    .and_then(|error| error.constraint())
                    .unwrap_or("unknown")
                    .to_owned(),
            },
            ErrorKind::Other => Self::Other(error.into()),
        }
    }
}

/// The server's SQLSTATE, when it was the server that refused.
pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstates_are_classified_by_what_a_caller_does_next() {
        for (code, kind) in [
            ("23505", ErrorKind::Duplicate),
            ("40P01", ErrorKind::Conflict),
            ("40001", ErrorKind::Conflict),
            ("55P03", ErrorKind::Conflict),
            ("57P01", ErrorKind::Unavailable),
            ("57P03", ErrorKind::Unavailable),
            ("57014", ErrorKind::Unavailable),
            ("53300", ErrorKind::Unavailable),
            ("08006", ErrorKind::Unavailable),
            ("42P01", ErrorKind::Other),
            ("23503", ErrorKind::Other),
        ] {
            assert_eq!(ErrorKind::of_sqlstate(code), kind, "{code}");
        }
    }
}
