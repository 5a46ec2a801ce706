//! What changes a cluster: pods that are replaced, Deployments that are scaled, commands in pods.

use std::time::Duration;

use tokio::time::timeout;

use super::{Cluster, DRAINED, NAMED, Pod, said};
use crate::{Error, Result};

/// Longest wait until a Deployment has all of its replicas again.
const STEADY: Duration = Duration::from_secs(60);

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

    /// Takes a pod out of its Service and its Deployment, or puts it back: both know their pods by this label. The
    /// Deployment starts another pod, and afterwards ends one that is too many.
    ///
    /// # Errors
    /// kubectl's message.
    pub(crate) async fn label(&self, pod: &Pod, drained: bool) -> Result<()> {
        let end = if drained { DRAINED } else { "" };
        let label = format!("{NAMED}={}{end}", pod.service);
        self.tell(&["label", "pod", &pod.name, &label, "--overwrite"]).await?;
        Ok(())
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
