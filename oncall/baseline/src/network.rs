//! Which connections the network policies of some manifests let through: a simulation of what a plug-in that enforces them
//! does, as the Kubernetes API defines it (networking.k8s.io/v1). Pods of one namespace, and TCP.

use serde_json::Value;

use crate::checks::pods::{all, list, text};

/// Pods, and the policies that select them.
pub struct Network<'m> {
    pods: Vec<(&'m str, &'m Value, &'m Value)>,
    policies: Vec<&'m Value>,
}

/// One end of a connection: what its policies are called.
#[derive(Clone, Copy)]
struct End {
    kind: &'static str,
    rules: &'static str,
    peers: &'static str,
}

const INGRESS: End = End { kind: "Ingress", rules: "ingress", peers: "from" };
const EGRESS: End = End { kind: "Egress", rules: "egress", peers: "to" };

impl<'m> Network<'m> {
    /// The network of these objects; a pod is called what its label `app.kubernetes.io/name` says.
    #[must_use]
    pub fn of(manifests: &'m [Value]) -> Self {
        let pods =
            all(manifests).map(|pod| (text(&pod.labels["app.kubernetes.io/name"]), pod.labels, pod.spec));
        let policies = manifests.iter().filter(|object| object["kind"] == "NetworkPolicy");
        Self { pods: pods.collect(), policies: policies.collect() }
    }

    /// The names of all pods.
    #[must_use]
    pub fn pods(&self) -> Vec<&'m str> {
        let mut names: Vec<&str> = self.pods.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether pods called `from` can connect to this port of pods called `to`.
    ///
    /// # Errors
    /// Why not: there is no such pod, it may not send that, or the other may not receive it.
    pub fn allows(&self, from: &str, to: &str, port: u16) -> Result<(), String> {
        let pod = |name: &str| {
            let found = self.pods.iter().find(|(known, ..)| *known == name);
            found.map(|(_, labels, spec)| (*labels, *spec)).ok_or_else(|| format!("there is no pod {name}"))
        };
        let ((sender, _), (receiver, target)) = (pod(from)?, pod(to)?);
        if !self.passes(EGRESS, sender, receiver, target, port) {
            return Err(format!("{from} may not connect to {to}:{port}"));
        }
        if !self.passes(INGRESS, receiver, sender, target, port) {
            return Err(format!("{to} does not let {from} in at {port}"));
        }
        Ok(())
    }

    /// Whether the policies that select `own` let it connect with `other` in this direction; without any, everything passes.
    fn passes(&self, end: End, own: &Value, other: &Value, target: &Value, port: u16) -> bool {
        let mut mine = self.policies.iter().map(|policy| &policy["spec"]).filter(|spec| {
            list(&spec["policyTypes"]).any(|kind| kind == end.kind) && selects(&spec["podSelector"], own)
        });
        let mut selected = false;
        let lets = |spec: &Value| {
            list(&spec[end.rules]).any(|rule| {
                let peers = rule[end.peers].as_array();
                let ports = rule["ports"].as_array();
                peers.is_none_or(|peers| peers.is_empty() || peers.iter().any(|peer| is(peer, other)))
                    && ports.is_none_or(|ports| {
                        ports.is_empty() || ports.iter().any(|allowed| has(allowed, port, target))
                    })
            })
        };
        let passes = mine.any(|spec| {
            selected = true;
            lets(spec)
        });
        passes || !selected
    }
}

/// Whether a peer of a rule is this pod of the same namespace; one with a selector of namespaces or addresses is elsewhere.
fn is(peer: &Value, labels: &Value) -> bool {
    peer["namespaceSelector"].is_null() && peer["ipBlock"].is_null() && selects(&peer["podSelector"], labels)
}

/// Whether a port of a rule is this one, by number, range or the name that the receiver gives it.
fn has(allowed: &Value, port: u16, target: &Value) -> bool {
    if !matches!(text(&allowed["protocol"]), "" | "TCP") {
        return false;
    }
    let named = |name: &str| {
        let mut ports = list(&target["containers"]).flat_map(|container| list(&container["ports"]));
        ports.any(|own| text(&own["name"]) == name && own["containerPort"] == port)
    };
    match &allowed["port"] {
        Value::Null => true,
        Value::String(name) => named(name),
        first => {
            let last = allowed["endPort"].as_u64().or(first.as_u64()).unwrap_or_default();
            first.as_u64().is_some_and(|first| (first..=last).contains(&u64::from(port)))
        }
    }
}

/// Whether a selector selects these labels; one that is empty selects everything.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let mut wanted = selector["matchLabels"].as_object().into_iter().flatten();
    let exactly = wanted.all(|(key, value)| labels[key.as_str()] == *value);
    let mut more = list(&selector["matchExpressions"]);
    exactly
        && more.all(|one| {
            let label = &labels[text(&one["key"])];
            let listed = list(&one["values"]).any(|value| value == label);
            match text(&one["operator"]) {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => !label.is_null(),
                "DoesNotExist" => label.is_null(),
                _ => false,
            }
        })
}
