//! A lab on Kubernetes: its pods, found with kubectl, and connections to them and its Services, through `kubectl
//! port-forward`.
//!
//! kubectl and not a client library: it has the user's contexts, credentials and plug-ins, and the path through the
//! API server is the one that network policies leave open.

mod acts;
mod pods;

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
    time::timeout,
};

use self::pods::read;
use crate::{Error, Result};

/// Longest wait for a port-forward to listen: one round trip to the cluster, and a new connection to a kubelet.
const PATIENCE: Duration = Duration::from_secs(15);

/// The label by which Deployments, network policies and disruption budgets know their pods: it never changes.
const NAMED: &str = "app.kubernetes.io/name";
/// The label by which only a Service knows its pods.
pub(crate) const SERVES: &str = "app.kubernetes.io/component";
/// How its value ends for a pod that was taken out of its Service.
pub(crate) const DRAINED: &str = "-drained";

/// Which cluster, and which of its pods.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Context of kubectl; `None` for the current one.
    pub context: Option<String>,
    /// Namespace of the lab.
    pub namespace: String,
    /// Only this pod; `None` for every pod of a service.
    pub pod: Option<String>,
}

/// A pod that has a fault switch.
#[derive(Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its service.
    pub service: String,
    /// Its own name.
    pub name: String,
    /// When its container was started last, if kubectl says so: another one has nothing of what was set in it.
    pub started: Option<String>,
    /// Whether it is ready, which its Service asks for.
    pub ready: bool,
    /// Whether it was taken out of its Service ([`Cluster::serve`]).
    pub(crate) drained: bool,
    /// Port of the switch.
    admin: u16,
}

/// A port-forward into the cluster; closed when dropped.
#[derive(Debug)]
pub struct Forward {
    /// Base URL on this machine.
    pub url: String,
    kubectl: Child,
    /// Kept open longer than the child: kubectl prints a line for each connection, and dies if its output is closed.
    _output: (Lines<BufReader<ChildStdout>>, ChildStderr),
}

impl Forward {
    /// Whether it is closed, as its pod or the connection to the cluster has gone: then it has to be opened again.
    pub fn is_closed(&mut self) -> bool {
        !matches!(self.kubectl.try_wait(), Ok(None))
    }
}

impl Cluster {
    /// The pods of `service`, or of every service.
    ///
    /// # Errors
    /// kubectl's message, or that there are none; lists the existing names.
    pub async fn pods(&self, service: Option<&str>) -> Result<Vec<Pod>> {
        let output = self
            .kubectl(&["get", "pods", "--selector", "app.kubernetes.io/part-of=sre-lab", "--output", "json"])
            .output()
            .await
            .map_err(Error::NoKubectl)?;
        if !output.status.success() {
            return Err(Error::Kubectl(said(&output.stderr)));
        }
        let all = read(&output.stdout)?;
        if all.is_empty() {
            return Err(Error::NoLab(self.namespace.clone()));
        }
        self.choose(all, service)
    }

    fn choose(&self, all: Vec<Pod>, service: Option<&str>) -> Result<Vec<Pod>> {
        let of_service = |pod: &Pod| service.is_none_or(|service| pod.service == service);
        if let Some(service) = service
            && !all.iter().any(of_service)
        {
            let mut names: Vec<&str> = all.iter().map(|pod| pod.service.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            return Err(Error::NoPodOf(service.to_owned(), names.join(", ")));
        }
        let Some(wanted) = &self.pod else {
            return Ok(all.into_iter().filter(of_service).collect());
        };
        let names: Vec<String> =
            all.iter().filter(|pod| of_service(pod)).map(|pod| pod.name.clone()).collect();
        match all.into_iter().find(|pod| of_service(pod) && &pod.name == wanted) {
            Some(pod) => Ok(vec![pod]),
            None => Err(Error::NoPod(wanted.clone(), names.join(", "))),
        }
    }

    /// Opens a port-forward to a pod's admin port.
    ///
    /// # Errors
    /// kubectl's message, or that it took too long.
    pub async fn pod(&self, pod: &Pod) -> Result<Forward> {
        self.forward(&format!("pod/{}", pod.name), &pod.admin.to_string()).await
    }

    /// Opens a port-forward to a port of a Service, by name or number.
    ///
    /// # Errors
    /// As [`Cluster::pod`].
    pub async fn service(&self, name: &str, port: &str) -> Result<Forward> {
        self.forward(&format!("service/{name}"), port).await
    }

    async fn forward(&self, target: &str, port: &str) -> Result<Forward> {
        // kubectl chooses a free port here, and names it in its first line.
        let mut kubectl = self
            .kubectl(&["port-forward", target, &format!(":{port}")])
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::NoKubectl)?;
        let (Some(output), Some(mut complaint)) = (kubectl.stdout.take(), kubectl.stderr.take()) else {
            return Err(Error::Kubectl("it has no output".to_owned()));
        };
        let mut lines = BufReader::new(output).lines();
        let Ok(line) = timeout(PATIENCE, lines.next_line()).await else {
            return Err(Error::NoForward(target.to_owned(), format!("none within {} s", PATIENCE.as_secs())));
        };
        let Some(port) = line.ok().flatten().as_deref().and_then(forwarded) else {
            let mut text = Vec::new();
            let _ = complaint.read_to_end(&mut text).await;
            return Err(Error::NoForward(target.to_owned(), said(&text)));
        };
        Ok(Forward { url: format!("http://127.0.0.1:{port}"), kubectl, _output: (lines, complaint) })
    }

    fn kubectl(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        if let Some(context) = &self.context {
            command.args(["--context", context]);
        }
        command.args(["--namespace", &self.namespace]).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim().to_owned()
}

/// The port in `Forwarding from 127.0.0.1:40123 -> 9101`.
fn forwarded(line: &str) -> Option<u16> {
    line.strip_prefix("Forwarding from 127.0.0.1:")?.split_once(" -> ")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_kubectls_first_line() {
        assert_eq!(forwarded("Forwarding from 127.0.0.1:40123 -> 9101"), Some(40123));
        for line in ["Forwarding from [::1]:40123 -> 9101", "error: unable to forward", ""] {
            assert_eq!(forwarded(line), None, "{line}");
        }
    }
}
