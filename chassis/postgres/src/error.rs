//! Database errors, classified by SQLSTATE into what a caller does next.
//!
//! Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::{borrow::Cow, sync::Arc};

/// Why an operation failed; each variant needs a different reaction of the caller. Cheap to clone: several callers may
/// share a statement ([`super::Group`]), and then its error.
#[derive(Debug, Clone, thiserror::Error, strum::EnumDiscriminants)]
#[strum_discriminants(name(ErrorKind), vis(pub(crate)), strum(serialize_all = "snake_case"))]
#[strum_discriminants(derive(strum::IntoStaticStr, strum::VariantArray))]
#[strum_discriminants(doc = "The `kind` label of `database_errors_total`: [`DbError`] without its causes.")]
pub enum DbError {
    /// No connection of the pool became free in time: this process needs more than its pool has.
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
    /// The server refuses the data, or a row that must exist does not: the same data fails again from any caller, and
    /// other data does not.
    #[error("the database refused the data: SQLSTATE {sqlstate}")]
    Data {
        /// The server's; for errors that only the client sees, the matching standard code.
        sqlstate: Cow<'static, str>,
        /// The error of the server or the client; it may quote the data.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// Anything else: a bug in the query or the schema.
    #[error("the database refused the statement")]
    Other(#[source] Arc<sqlx::Error>),
}

const UNIQUE_VIOLATION: &str = "23505";

impl ErrorKind {
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }

    /// Classifies without consuming. A decoding error is `Other`: the program does not match its own schema.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::PoolTimeout,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable,
            sqlx::Error::RowNotFound | sqlx::Error::Encode(_) => Self::Data,
            sqlx::Error::Database(error) => error.code().map_or(Self::Other, |code| Self::of_sqlstate(&code)),
            _ => Self::Other,
        }
    }

    fn of_sqlstate(code: &str) -> Self {
        match code {
            UNIQUE_VIOLATION => Self::Duplicate,
            // serialization_failure, deadlock_detected, lock_not_available
            "40001" | "40P01" | "55P03" => Self::Conflict,
            // query_canceled (statement_timeout), statement_completion_unknown, read_only_sql_transaction (a replica
            // answers after a failover), idle_in_transaction_session_timeout, invalid_catalog_name (not created yet)
            "57014" | "40003" | "25006" | "25P03" | "3D000" => Self::Unavailable,
            // connection exceptions, insufficient resources, operator intervention (shutdown, termination), system errors
            _ if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => Self::Unavailable,
            _ if DATA.iter().any(|class| code.starts_with(class)) => Self::Data,
            _ => Self::Other,
        }
    }
}

/// Classes of SQLSTATE that are about the data: no_data, cardinality_violation (twice the same row in one statement),
/// data_exception, integrity_constraint_violation, with_check_option_violation, program_limit_exceeded (too long, too deep).
const DATA: [&str; 6] = ["02", "21", "22", "23", "44", "54"];
/// no_data: a row that must exist does not.
const NO_DATA: &str = "02000";
/// data_exception, without saying which: the client has no way to write this value.
const DATA_EXCEPTION: &str = "22000";

impl DbError {
    /// The error after the server closed the connection.
    #[must_use]
    pub fn lost() -> Self {
        sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()).into()
    }

    /// The error of a statement that selects a column which an older schema does not have.
    #[must_use]
    pub fn mismatched() -> Self {
        sqlx::Error::ColumnNotFound("updated_at".to_owned()).into()
    }

    /// The five-character SQLSTATE, if the error came from PostgreSQL.
    #[must_use]
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::PoolTimeout => None,
            Self::Duplicate { .. } => Some(UNIQUE_VIOLATION.to_owned()),
            Self::Data { sqlstate, .. } => Some(sqlstate.to_string()),
            Self::Unavailable(source) | Self::Conflict(source) | Self::Other(source) => {
                self::sqlstate(source)
            }
        }
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        self.into()
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
            ErrorKind::Data => {
                let sqlstate = match (&error, sqlstate(&error)) {
                    (_, Some(code)) => code.into(),
                    (sqlx::Error::RowNotFound, None) => NO_DATA.into(),
                    (_, None) => DATA_EXCEPTION.into(),
                };
                Self::Data { sqlstate, source: error.into() }
            }
            ErrorKind::Other => Self::Other(error.into()),
        }
    }
}

/// The server's SQLSTATE, if the error came from the server.
pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every class of the appendix, and the codes in it that differ from the rest.
    #[test]
    fn every_class_of_sqlstate_is_classified_by_what_a_caller_does_next() {
        use ErrorKind::{Conflict, Data, Duplicate, Other, Unavailable};
        for (codes, kind) in [
            // Never sent as errors; an error that says "successful" or "warning" is a bug.
            ("00000 01000", Other),
            ("02000", Data),
            ("03000", Other),
            ("08000 08003 08006 08001 08004 08P01", Unavailable),
            ("09000 0A000 0B000 0F000 0L000 0P000 0Z000 10608 20000", Other),
            ("21000", Data),
            ("22000 22001 22003 22008 22012 22021 22P02 22P05 2200S 22032", Data),
            ("23000 23001 23502 23503 23514 23P01", Data),
            ("23505", Duplicate),
            ("24000 25000 25001 25P02", Other),
            ("25006 25P03", Unavailable),
            ("26000 27000 28000 28P01 2B000 2D000 2F000 34000 38000 39000 3B000 3F000", Other),
            ("3D000", Unavailable),
            ("40000 40002", Other),
            ("40001 40P01 55P03", Conflict),
            ("40003", Unavailable),
            ("42000 42501 42601 42703 42P01", Other),
            ("44000", Data),
            ("53000 53100 53200 53300", Unavailable),
            ("54000 54001", Data),
            ("55000 55006", Other),
            ("57014 57P01 57P02 57P03 57P04 57P05", Unavailable),
            ("58000 58030 58P01", Unavailable),
            ("72000 F0000 HV000 P0000 P0001 P0002 XX000 XX001", Other),
        ] {
            for code in codes.split(' ') {
                assert_eq!(ErrorKind::of_sqlstate(code), kind, "{code}");
            }
        }
    }

    #[test]
    fn client_side_errors_have_the_standard_sqlstate() {
        let state = |error: sqlx::Error| DbError::from(error).sqlstate();
        assert_eq!(state(sqlx::Error::RowNotFound).as_deref(), Some("02000"));
        assert_eq!(state(sqlx::Error::Encode("too long".into())).as_deref(), Some("22000"));
        assert_eq!(state(sqlx::Error::PoolTimedOut), None);
    }
}
