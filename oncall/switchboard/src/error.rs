//! Why the system was not changed, and what to do about it.

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the system was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The service refused, or could not be reached.
    #[error(transparent)]
    Peer(#[from] observe::Error),
    /// The response has a format that no service of the lab uses.
    #[error("{0}: its switches are of another version: {1}")]
    Odd(String, serde_json::Error),
    /// No service has that name.
    #[error("no service is called `{0}`; there are: {1}")]
    NoService(String, String),
    /// It is not possible where this program runs, or not as it was configured.
    #[error("{what}; {next}")]
    NotHere {
        /// What is not possible.
        what: String,
        /// What to do instead.
        next: String,
    },
    /// A field of the action has a wrong value.
    #[error("{field}: {expected}")]
    Wrong {
        /// Its name.
        field: &'static str,
        /// What would be right, and what was found.
        expected: String,
    },
    /// A store refused, or could not be reached.
    #[error("{store}: {cause}")]
    Store {
        /// Which one.
        store: String,
        /// Its message.
        cause: String,
    },
    /// A process or a file of the lab on this machine.
    #[error("{0}")]
    Lab(String),
    /// kubectl cannot be run.
    #[error("cannot run kubectl: is it installed? ({0})")]
    NoKubectl(std::io::Error),
    /// kubectl reports an error.
    #[error("kubectl: {0}")]
    Kubectl(String),
    /// There is no port-forward to a pod or Service.
    #[error("{0}: kubectl port-forward: {1}")]
    NoForward(String, String),
    /// No pod of a lab.
    #[error("no lab runs in the namespace {0}: start one with deploy/deploy up")]
    NoLab(String),
    /// No pod of that service.
    #[error("no pod of a service `{0}` runs; there are: {1}")]
    NoPodOf(String, String),
    /// No pod of that name.
    #[error("no such pod: `{0}`; there are: {1}")]
    NoPod(String, String),
}

impl Error {
    /// What is not possible here, and what to do instead.
    pub(crate) fn not_here(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::NotHere { what: what.into(), next: next.into() }
    }

    /// What a store said.
    pub(crate) fn store(store: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        Self::Store { store: store.into(), cause: cause.to_string() }
    }
}
