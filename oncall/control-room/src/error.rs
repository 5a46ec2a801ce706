//! Why something that was asked for was not done. Each variant is something that a caller does differently; the API maps it
//! to a problem in one place.

use incident::{Id, Refused};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such incident.
    #[error("there is no {0}; GET /api/v1/incidents lists those that exist")]
    NoIncident(Id),
    /// There is nothing of this name.
    #[error("there is no {what} `{name}`; there are: {known}")]
    NoSuch {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// Those that exist, separated by commas.
        known: String,
    },
    /// The life cycle does not allow it; says what it allows.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The run of a runbook does not allow it; says what it waits for.
    #[error(transparent)]
    Runbook(#[from] runbook::run::Refused),
    /// The release does not allow it; says what is next.
    #[error(transparent)]
    Release(#[from] release::run::Refused),
    /// A field has a wrong value.
    #[error("{field}: {expected}")]
    Field {
        /// Pointer or name of the field.
        field: String,
        /// What was wrong and what would be right.
        expected: String,
    },
    /// Several fields have wrong values: each with what was wrong and what would be right.
    #[error("{}", listed(.0))]
    Fields(Vec<(String, String)>),
    /// Somebody changed it meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// It cannot be done from here.
    #[error("{what}; {next}")]
    NotHere {
        /// What is not possible.
        what: String,
        /// What to do instead.
        next: String,
    },
    /// Only an instructor may do or see this.
    #[error("{0}")]
    ForInstructors(String),
    /// Somebody else has to do it, or the visitor has to say who they are.
    #[error("{0}")]
    NotYours(String),
    /// A system that is needed for this does not answer or refuses.
    #[error("{0}")]
    Elsewhere(String),
    /// The control room's own file failed.
    #[error("the control room's file: {0}")]
    Store(#[from] sqlx::Error),
    /// A row cannot be read.
    #[error("the control room's file has a row that cannot be read: {0}")]
    Row(#[from] serde_json::Error),
}

/// A result of the control room.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A field with a wrong value.
    pub fn field(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Field { field: field.into(), expected: expected.into() }
    }
}

/// Fields and what would be right, in a line.
fn listed(fields: &[(String, String)]) -> String {
    let each: Vec<String> = fields.iter().map(|(field, expected)| format!("{field}: {expected}")).collect();
    each.join("; ")
}
