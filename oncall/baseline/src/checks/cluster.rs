//! Checks of roles, tokens, network policies and services.

use serde_json::Value;

use super::{
    Finding, Looked,
    pods::{Pod, all, list, named, text},
};
use crate::{Baseline, Facts, network::selects};

fn of_kind<'a>(facts: &'a Facts, kinds: &'a [&str]) -> Option<impl Iterator<Item = &'a Value>> {
    let manifests = facts.manifests.as_ref()?;
    Some(manifests.iter().filter(|object| kinds.contains(&text(&object["kind"]))))
}

/// Looks at each rule of each role; `wrong` says what is wrong with one.
fn at_roles(facts: &Facts, wrong: impl Fn(&Value) -> Option<String>) -> Option<Looked> {
    let roles = of_kind(facts, &["Role", "ClusterRole"])?;
    Some(Looked::at(roles, |role| list(&role["rules"]).find_map(&wrong), |role| named(role)))
}

fn has(list_of: &Value, words: &[&str]) -> bool {
    list(list_of).any(|word| words.contains(&text(word)))
}

pub(super) fn wildcards(facts: &Facts, _: &Baseline) -> Option<Looked> {
    at_roles(facts, |rule| {
        let key = ["verbs", "resources", "apiGroups"].into_iter().find(|key| has(&rule[*key], &["*"]))?;
        Some(format!("has `*` in {key}"))
    })
}

pub(super) fn secrets(facts: &Facts, _: &Baseline) -> Option<Looked> {
    at_roles(facts, |rule| has(&rule["resources"], &["secrets"]).then(|| "has access to secrets".to_owned()))
}

pub(super) fn escalation(facts: &Facts, _: &Baseline) -> Option<Looked> {
    let rules = at_roles(facts, |rule| {
        let verbs = &rule["verbs"];
        if has(verbs, &["escalate", "bind", "impersonate"]) {
            return Some("can escalate, bind or impersonate".to_owned());
        }
        let strong = has(&rule["resources"], &["pods", "pods/exec", "pods/attach", "serviceaccounts/token"]);
        (strong && has(verbs, &["create", "update", "patch"])).then(|| "can create or enter pods".to_owned())
    })?;
    let bindings = of_kind(facts, &["RoleBinding", "ClusterRoleBinding"])?;
    let bindings = Looked::at(
        bindings,
        |binding| {
            let role = text(&binding["roleRef"]["name"]);
            matches!(role, "cluster-admin" | "admin" | "edit").then(|| format!("binds {role}"))
        },
        |binding| named(binding),
    );
    Some(Looked {
        subjects: rules.subjects + bindings.subjects,
        findings: rules.findings.into_iter().chain(bindings.findings).collect(),
    })
}

pub(super) fn tokens(facts: &Facts, baseline: &Baseline) -> Option<Looked> {
    let manifests = facts.manifests.as_ref()?;
    Some(Looked::at(
        all(manifests),
        |pod| {
            let account = match text(&pod.spec["serviceAccountName"]) {
                "" => "default",
                named => named,
            };
            let listed = baseline.tokens.iter().any(|name| name == account);
            let mounts = pod.spec["automountServiceAccountToken"] != false;
            (mounts && !listed).then(|| format!("has a token of {account}"))
        },
        Pod::name,
    ))
}

pub(super) fn policies(facts: &Facts, _: &Baseline) -> Option<Looked> {
    let policies: Vec<&Value> = of_kind(facts, &["NetworkPolicy"])?.collect();
    let manifests = facts.manifests.as_ref()?;
    let denies = |policy: &Value, labels: &Value, direction: &str, rules: &str| {
        let spec = &policy["spec"];
        selects(&spec["podSelector"], labels)
            && has(&spec["policyTypes"], &[direction])
            && list(&spec[rules]).next().is_none()
    };
    // An allowed peer of `{}` would be everybody.
    let open = |rule: &Value, peers: &str| {
        list(&rule[peers]).next().is_none() && list(&rule["ports"]).next().is_none()
    };
    let wrong = |pod: &Pod<'_>| {
        for (direction, rules) in [("Ingress", "ingress"), ("Egress", "egress")] {
            if !policies.iter().any(|policy| denies(policy, pod.labels, direction, rules)) {
                return Some(format!("{direction} is not denied by default"));
            }
        }
        let own = |policy: &&Value| {
            let mut wanted = policy["spec"]["podSelector"]["matchLabels"].as_object().into_iter().flatten();
            wanted.any(|(key, _)| key == "app.kubernetes.io/name" || key == "app")
                && selects(&policy["spec"]["podSelector"], pod.labels)
        };
        let none = !policies.iter().any(own);
        none.then(|| "has no policy of its own".to_owned())
    };
    let mut looked = Looked::at(all(manifests), wrong, Pod::name);
    for policy in policies {
        looked.subjects += 1;
        let ingress = list(&policy["spec"]["ingress"]).any(|rule| open(rule, "from"));
        let egress = list(&policy["spec"]["egress"]).any(|rule| open(rule, "to"));
        if ingress || egress {
            looked.findings.push(Finding { subject: named(policy), found: "allows everything".to_owned() });
        }
    }
    Some(looked)
}

pub(super) fn services(facts: &Facts, _: &Baseline) -> Option<Looked> {
    let services = of_kind(facts, &["Service"])?;
    Some(Looked::at(
        services,
        |service| {
            let kind = text(&service["spec"]["type"]);
            matches!(kind, "LoadBalancer" | "NodePort").then(|| format!("is a {kind}"))
        },
        |service| named(service),
    ))
}
