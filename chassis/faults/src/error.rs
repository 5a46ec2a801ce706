//! Why a plan was refused: the text names what was wrong and lists what would be right.

/// Why a plan was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such point in this service.
    #[error("unknown fault `{name}`; this service has: {known}")]
    UnknownFault {
        /// What was asked for.
        name: String,
        /// The names of all points, separated by commas.
        known: String,
    },
    /// A parameter that the point does not have.
    #[error("unknown parameter `{param}` of `{fault}`; it takes: {known}")]
    UnknownParam {
        /// The point.
        fault: String,
        /// What was given.
        param: String,
        /// The names of all parameters, separated by commas.
        known: String,
    },
    /// A value out of its kind or range, or one that contradicts another.
    #[error("`{param}`: {problem}")]
    BadValue {
        /// The parameter.
        param: String,
        /// The value and what would be right.
        problem: String,
    },
}

impl FaultError {
    pub(super) fn bad(param: &str, problem: impl Into<String>) -> Self {
        Self::BadValue { param: param.to_owned(), problem: problem.into() }
    }
}
