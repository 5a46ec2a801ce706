//! Why a plan was refused: the text names what is wrong and lists what is valid.

/// Why a plan was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such point in this service.
    #[error("unknown fault `{name}`; this service has: {known}")]
    UnknownFault {
        /// The name in the request.
        name: String,
        /// The names of all points, separated by commas.
        known: String,
    },
    /// The point has no such parameter.
    #[error("unknown parameter `{param}` of `{fault}`; it takes: {known}")]
    UnknownParam {
        /// The point.
        fault: String,
        /// The parameter in the request.
        param: String,
        /// The names of all parameters, separated by commas.
        known: String,
    },
    /// A value of the wrong type or out of range, or one that contradicts another.
    #[error("`{param}`: {problem}")]
    BadValue {
        /// The parameter.
        param: String,
        /// The value and what is valid.
        problem: String,
    },
}

impl FaultError {
    pub(super) fn bad(param: &str, problem: impl Into<String>) -> Self {
        Self::BadValue { param: param.to_owned(), problem: problem.into() }
    }
}
