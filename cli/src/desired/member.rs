//! Who is looked after: instances with an admin port, on this machine or in a cluster.

use supervisor::state::{LabState, Status};

/// An instance, as it runs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its own name: of its part, or of its pod.
    pub(crate) name: String,
    /// Its service.
    pub(crate) service: String,
    /// Base URL of its admin port.
    pub(crate) admin: String,
    /// What is another one after each start; none if it is not known.
    pub(crate) process: Option<String>,
    /// Whether it is ready.
    pub(crate) ready: bool,
}

/// All parts of a lab on this machine that have an admin port.
pub(super) fn of_lab(state: &LabState) -> Vec<Member> {
    let member = |part: &supervisor::state::PartState| {
        Some(Member {
            name: part.name.clone(),
            service: part.service().to_owned(),
            admin: part.admin.clone()?,
            process: part.process.map(|process| format!("{} {}", process.pid, process.started)),
            ready: part.status == Status::Ready,
        })
    };
    state.parts.iter().filter_map(member).collect()
}
