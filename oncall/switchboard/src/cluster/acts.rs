//! What changes a cluster: pods that are replaced, Deployments that are scaled, commands in pods.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::{Cluster, DRAINED, Pod, SERVES, said};
use crate::{Error, Result};

/// Longest wait until a Deployment has all of its replicas again.
const STEADY: Duration = Duration::from_secs(60);
/// The annotation by which a Deployment chooses which pod it ends first: the one with the lowest number; 0 without it.
const COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The parts of a Service that are needed here.
#[derive(Deserialize)]
struct Service {
    spec: ServiceSpec,
}

#[derive(Deserialize)]
struct ServiceSpec {
    #[serde(default)]
    selector: BTreeMap<String, String>,
    ports: Vec<ServicePort>,
}

#[derive(Deserialize)]
struct ServicePort {
    name: Option<String>,
}

impl Cluster {
    /// The pods that `wanted` means: those of a service, or one.
    ///
    /// # Errors
    /// As [`Cluster::pods`].
    pub(crate) async fn meant(&self, wanted: &str) -> Result<Vec<Pod>> {
        let (found, others): (Vec<Pod>, Vec<Pod>) =
            self.pods(None).await?.into_iter().partition(|pod| pod.service == wanted || pod.name == wanted);
        if found.is_empty() {
            let names: Vec<&str> = others.iter().map(|pod| pod.name.as_str()).collect();
            return Err(Error::NoPod(wanted.to_owned(), names.join(", ")));
        }
        Ok(found)
    }

    /// Deletes a pod, and returns when its Deployment has all of its replicas again.
    ///
    /// # Errors
    /// kubectl's message, or that it took too long.
    pub(crate) async fn replace(&self, pod: &Pod) -> Result<()> {
        self.tell(&["delete", "pod", &pod.name, "--wait=true"]).await?;
        let limit = format!("--timeout={}s", STEADY.as_secs());
        self.tell(&["rollout", "status", &format!("deployment/{}", pod.service), &limit]).await?;
        Ok(())
    }

    /// Puts a pod into its Service, or takes it out. All that knows it by its name still does: it keeps its network
    /// policies, and its Deployment, which ends it before others if there are to be fewer.
    ///
    /// # Errors
    /// kubectl's message.
    pub(crate) async fn serve(&self, pod: &Pod, serves: bool) -> Result<()> {
        let (end, cost) = if serves { ("", None) } else { (DRAINED, Some("-1")) };
        let serves = format!("{}{end}", pod.service);
        // One patch: there is no moment with half of it.
        let patch =
            json!({ "metadata": { "annotations": { (COST): cost }, "labels": { (SERVES): serves } } });
        self.tell(&["patch", "pod", &pod.name, "--type", "merge", "--patch", &patch.to_string()]).await?;
        Ok(())
    }

    /// Why a pod cannot be taken out of its Service; nothing if it can.
    ///
    /// # Errors
    /// kubectl's message.
    pub(crate) async fn keeps(&self, pod: &Pod) -> Result<Option<String>> {
        let said = self.tell(&["get", &format!("service/{}", pod.service), "--output", "json"]).await?;
        let service: Service = serde_json::from_str(&said)
            .map_err(|error| Error::Kubectl(format!("its Service {}: {error}", pod.service)))?;
        if !service.spec.ports.iter().any(|port| port.name.as_deref() == Some("http")) {
            return Ok(Some(format!("{} takes no requests", pod.service)));
        }
        let selects = service.spec.selector.contains_key(SERVES);
        Ok((!selects)
            .then(|| format!("its Service is of an earlier chart, which selects no {SERVES}: upgrade it")))
    }

    /// How many replicas a Deployment should have.
    ///
    /// # Errors
    /// kubectl's message.
    pub(crate) async fn wanted(&self, service: &str) -> Result<u32> {
        let path = "jsonpath={.spec.replicas}";
        let said = self.tell(&["get", &format!("deployment/{service}"), "--output", path]).await?;
        said.parse().map_err(|_| Error::Kubectl(format!("`{said}` is no number of replicas")))
    }

    /// Sets how many replicas a Deployment should have.
    ///
    /// # Errors
    /// kubectl's message.
    pub(crate) async fn scale(&self, service: &str, replicas: u32) -> Result<()> {
        let replicas = format!("--replicas={replicas}");
        self.tell(&["scale", &format!("deployment/{service}"), &replicas]).await?;
        Ok(())
    }

    /// Runs a command in a pod; returns what it printed.
    ///
    /// # Errors
    /// The message of kubectl or of the command.
    pub(crate) async fn exec(&self, pod: &Pod, command: &[&str]) -> Result<String> {
        self.tell(&[&["exec", pod.name.as_str(), "--"][..], command].concat()).await
    }

    /// Runs kubectl in the lab's namespace to its end; returns what it printed.
    ///
    /// # Errors
    /// kubectl's message, or that it took too long.
    pub async fn tell(&self, args: &[&str]) -> Result<String> {
        let mut kubectl = self.kubectl(args);
        let Ok(output) = timeout(2 * STEADY, kubectl.kill_on_drop(true).output()).await else {
            let seconds = 2 * STEADY.as_secs();
            return Err(Error::Kubectl(format!("{}: not done after {seconds} s", args.join(" "))));
        };
        let output = output.map_err(Error::NoKubectl)?;
        if !output.status.success() {
            return Err(Error::Kubectl(said(&output.stderr)));
        }
        Ok(said(&output.stdout))
    }
}
