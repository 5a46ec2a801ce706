//! One file a command. A command finds its lab in the state file; where none runs, it says so in one sentence.

pub(crate) mod alerts;
pub(crate) mod clients;
pub(crate) mod down;
pub(crate) mod faults;
pub(crate) mod logs;
pub(crate) mod pages;
pub(crate) mod protections;
mod secret_arguments;
pub(crate) mod slo;
pub(crate) mod status;
pub(crate) mod torture;
pub(crate) mod traces;
pub(crate) mod up;
pub(crate) mod version;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::Value;
use supervisor::state::{LabState, PartState};

use crate::{
    cluster::{Cluster, Forward},
    home::Home,
    http,
};

/// The lab that runs here.
///
/// # Errors
/// When none does.
pub(crate) fn lab(home: &Home) -> Result<LabState> {
    let state = LabState::load(&home.dir)?;
    state.with_context(|| format!("no lab runs in {}: start one with `lab up`", home.dir.display()))
}

/// A service that runs, by its switches.
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: String,
    /// Base URL of its admin port.
    pub(crate) admin: String,
    /// In a cluster: the pod, and the way to it.
    pub(crate) pod: Option<(String, Forward)>,
    token: Option<String>,
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.pod {
            Some((pod, _)) => write!(f, "{pod}"),
            None => write!(f, "{}", self.name),
        }
    }
}

impl Service {
    /// Calls `/faults…` or `/protections…` of the service.
    ///
    /// # Errors
    /// What the service said, or why it could not be reached.
    pub(crate) async fn switch(
        &self,
        method: Method,
        path: &str,
        query: &[(String, String)],
    ) -> Result<Value> {
        http::call(method, &format!("{}{path}", self.admin), query, self.token.as_deref()).await
    }
}

/// The services that run, or the one that is asked for.
///
/// # Errors
/// When no lab runs, or it has no such service: lists those that there are.
pub(crate) fn services(home: &Home, wanted: Option<&str>) -> Result<Vec<Service>> {
    let state = lab(home)?;
    let service = |part: &PartState| {
        let (name, token) = (part.name.clone(), home.token.clone());
        Some(Service { name, admin: part.admin.clone()?, pod: None, token })
    };
    let mut all: Vec<_> = state.parts.iter().filter_map(service).collect();
    let Some(wanted) = wanted else { return Ok(all) };
    match all.iter().position(|service| service.name == wanted) {
        Some(at) => Ok(vec![all.swap_remove(at)]),
        None => {
            let names: Vec<&str> = all.iter().map(|service| service.name.as_str()).collect();
            bail!("no service is called `{wanted}`; there are: {}", names.join(", "))
        }
    }
}

/// One service.
///
/// # Errors
/// As [`services`].
pub(crate) fn service(home: &Home, name: &str) -> Result<Service> {
    // A name is answered with exactly one service, or an error.
    Ok(services(home, Some(name))?.swap_remove(0))
}

/// As [`services`]; in a cluster, one entry for each pod.
///
/// # Errors
/// As [`services`], or that a pod cannot be reached: then none is, so that a fault is never on in some pods by accident.
pub(crate) async fn reach(
    home: &Home,
    cluster: Option<&Cluster>,
    wanted: Option<&str>,
) -> Result<Vec<Service>> {
    let Some(cluster) = cluster else { return services(home, wanted) };
    let mut reached = Vec::new();
    for pod in cluster.pods(wanted).await? {
        let way = cluster.forward(&pod).await?;
        let (admin, token) = (way.admin.clone(), home.token.clone());
        reached.push(Service { name: pod.service, admin, pod: Some((pod.name, way)), token });
    }
    Ok(reached)
}
