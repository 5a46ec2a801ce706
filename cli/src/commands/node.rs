//! `lab node`: what happens to a service when its machine goes away, announced or not. Only in a cluster.

use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value};
use switchboard::Cluster;
use tokio::process::Command as Program;

use crate::{installation::Installation, terminal::out};

/// The label and the taint of nodes that run the cluster itself.
const CONTROL: &str = "node-role.kubernetes.io/control-plane";

/// Takes a node out of service as a cluster's operator would, or loses it as a data centre would. `lose` works on clusters
/// of kind, whose nodes are containers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab --context k8s node list\n  \
    lab --context kind-sre-lab node drain sre-lab-worker     pods move, as disruption budgets allow\n  \
    lab --context kind-sre-lab node lose sre-lab-worker      its container is killed\n  \
    lab --context kind-sre-lab node back sre-lab-worker      started, ready and open for pods again")]
pub(crate) struct NodeCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the nodes, whether they are ready, and whether they take new pods.
    List,
    /// Let no new pod in.
    Cordon(Named),
    /// Let no new pod in, and move those of the node away.
    Drain(Named),
    /// Kill the node (kind only).
    Lose(Named),
    /// Bring the node back: started, ready, and open for new pods.
    Back(Named),
}

/// A node.
#[derive(Debug, Args)]
struct Named {
    /// Its name, as in `lab node list`.
    node: String,
}

/// What `kubectl get nodes --output json` prints.
#[derive(Debug, Deserialize)]
struct Nodes {
    items: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    #[serde(rename = "providerID")]
    provider_id: String,
    unschedulable: bool,
    taints: Vec<Taint>,
}

#[derive(Debug, Deserialize)]
struct Taint {
    key: String,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

impl Node {
    fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|one| one.kind == "Ready" && one.status == "True")
    }

    /// Whether it runs the cluster itself.
    fn is_control(&self) -> bool {
        self.metadata.labels.contains_key(CONTROL)
    }

    /// Whether it could take the pods of another one.
    fn takes_pods(&self) -> bool {
        self.is_ready()
            && !self.spec.unschedulable
            && !self.spec.taints.iter().any(|taint| taint.key == CONTROL)
    }

    /// The program that runs its container, if it is a node of kind: `kind://docker/sre-lab/sre-lab-worker`.
    fn engine(&self) -> Result<&str> {
        let name = &self.metadata.name;
        let parts =
            self.spec.provider_id.strip_prefix("kind://").map(|rest| rest.split('/').collect::<Vec<_>>());
        match parts.as_deref() {
            Some([engine @ ("docker" | "podman" | "nerdctl"), _, node]) if node == name => Ok(*engine),
            _ => bail!(
                "{name} is not a node of kind ({}): only those are containers that can be killed; `lab node drain` works \
                 everywhere",
                self.spec.provider_id
            ),
        }
    }
}

impl NodeCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When no cluster is named, there is no such node, or its pods would have nowhere to go.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let cluster = place.needed_cluster()?;
        let said = cluster.tell(&["get", "nodes", "--output", "json"]).await?;
        let nodes: Nodes = serde_json::from_str(&said).context("kubectl's list of nodes")?;
        match self.command {
            Command::List => list(&nodes.items),
            Command::Cordon(named) => {
                let node = expendable(&nodes.items, &named.node)?;
                cluster.tell(&["cordon", &node.metadata.name]).await?;
                out!("{} takes no new pods; those that it has stay", named.node);
            }
            Command::Drain(named) => {
                let node = &expendable(&nodes.items, &named.node)?.metadata.name;
                let how = ["--ignore-daemonsets", "--delete-emptydir-data", "--timeout=100s"];
                let drained = cluster.tell(&[&["drain", node.as_str()][..], &how[..]].concat()).await;
                let left = format!("{node} is closed, and not empty: try again, or `lab node back {node}`");
                drained.context(left)?;
                out!("{node} is empty; `lab node back {node}` opens it again");
            }
            Command::Lose(named) => {
                let node = expendable(&nodes.items, &named.node)?;
                container(node.engine()?, "kill", &named.node).await?;
                out!(
                    "{} is gone; the cluster notices after about 40 s, and moves its pods 5 min later",
                    named.node
                );
            }
            Command::Back(named) => back(&cluster, find(&nodes.items, &named.node)?).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(nodes: &[Node]) {
    for node in nodes {
        let ready = if node.is_ready() { "ready" } else { "NOT READY" };
        let open = if node.spec.unschedulable { "takes no new pods" } else { "" };
        let role = if node.is_control() { "runs the cluster" } else { "" };
        let words = [ready, open, role].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
        out!("{:<28} {}", node.metadata.name, words.join(", "));
    }
}

fn find<'n>(nodes: &'n [Node], name: &str) -> Result<&'n Node> {
    nodes.iter().find(|node| node.metadata.name == name).with_context(|| {
        let names: Vec<&str> = nodes.iter().map(|node| node.metadata.name.as_str()).collect();
        format!("no node is called `{name}`; there are: {}", names.join(", "))
    })
}

/// A node that the cluster can do without.
fn expendable<'n>(nodes: &'n [Node], name: &str) -> Result<&'n Node> {
    let node = find(nodes, name)?;
    if node.is_control() {
        bail!("{name} runs the cluster itself: choose another node");
    }
    if !nodes.iter().any(|other| other.metadata.name != name && other.takes_pods()) {
        bail!("without {name}, its pods have nowhere to go: no other node is ready and takes pods");
    }
    Ok(node)
}

async fn back(cluster: &Cluster, node: &Node) -> Result<()> {
    let name = &node.metadata.name;
    if !node.is_ready()
        && let Ok(engine) = node.engine()
    {
        container(engine, "start", name).await?;
    }
    let target = format!("node/{name}");
    cluster.tell(&["wait", "--for=condition=Ready", "--timeout=100s", &target]).await?;
    cluster.tell(&["uncordon", name]).await?;
    out!("{name} is ready, and takes pods");
    Ok(())
}

/// Does something to the container of a node.
async fn container(engine: &str, act: &str, node: &str) -> Result<()> {
    let output = Program::new(engine).args([act, node]).stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("cannot run {engine}"))?;
    if !output.status.success() {
        bail!("{engine} {act} {node}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<Node> {
        let node = |name: &str, provider: &str, control: bool, ready: &str| {
            let labels = if control { serde_json::json!({ CONTROL: "" }) } else { serde_json::json!({}) };
            let taints =
                if control { serde_json::json!([{ "key": CONTROL }]) } else { serde_json::json!([]) };
            serde_json::json!({
                "metadata": { "name": name, "labels": labels },
                "spec": { "providerID": provider, "taints": taints },
                "status": { "conditions": [{ "type": "Ready", "status": ready }] },
            })
        };
        let all = serde_json::json!({ "items": [
            node("control", "kind://docker/lab/control", true, "True"),
            node("worker", "kind://docker/lab/worker", false, "True"),
            node("other", "aws:///eu-1a/i-1", false, "True"),
        ] });
        serde_json::from_value::<Nodes>(all).unwrap().items
    }

    #[test]
    fn a_node_is_lost_only_if_it_can_be_and_the_cluster_survives_it() {
        let mut nodes = nodes();
        assert_eq!(expendable(&nodes, "worker").unwrap().engine().unwrap(), "docker");
        let refused = |nodes: &[Node], name: &str| {
            let lost = expendable(nodes, name).and_then(|node| node.engine().map(str::to_owned));
            lost.unwrap_err().to_string()
        };
        assert!(refused(&nodes, "control").contains("runs the cluster"));
        assert!(refused(&nodes, "other").contains("not a node of kind (aws:///eu-1a/i-1)"));
        assert!(refused(&nodes, "nobody").contains("there are: control, worker, other"));
        nodes[2].spec.unschedulable = true;
        assert!(refused(&nodes, "worker").contains("nowhere to go"));
    }
}
