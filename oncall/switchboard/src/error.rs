//! Why a switch cannot be set, and what to do about it.

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a switch cannot be set.
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
