//! helm and kubectl of the cluster: scripts on PATH, which keep the chart's values in files.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::json;

/// helm, with the values in files; and kubectl, which knows two edges and "forwards" to the server. An edge has its new routes once its
/// kubelet was told to look.
pub(crate) fn fakes(folder: &Path, port: u16) {
    let here = folder.display();
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/helm/sre-lab/Chart.yaml");
    let chart = fs::read_to_string(chart).unwrap();
    let version = chart.lines().find_map(|line| line.strip_prefix("version: ")).unwrap();
    let labels = json!({ "app.kubernetes.io/instance": "sre-lab", "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": format!("sre-lab-{version}") });
    fs::write(folder.join("deployment.json"), json!({ "metadata": { "labels": labels } }).to_string())
        .unwrap();
    let pod = |name: &str| {
        json!({ "metadata": { "name": name, "labels": { "app.kubernetes.io/name": "edge" } }, "status": { "phase": "Running" },
            "spec": { "containers": [{ "env": [{ "name": "FAULTS_ENABLED" }], "ports": [{ "name": "admin", "containerPort": 9100 }] }] } })
    };
    fs::write(folder.join("pods.json"), json!({ "items": [pod("edge-a"), pod("edge-b")] }).to_string())
        .unwrap();
    program(
        &folder.join("helm"),
        &format!(
            "echo \"$*\" >>{here}/helm.calls\ncd {here}\ncase \"$*\" in\n\
             *' get values '*) printf '{{\"image\":{{\"tag\":\"v1\"}},\"services\":{{\"order-api\":{{\"tag\":\"%s\"}}}},\
             \"release\":{{\"service\":\"%s\",\"tag\":\"%s\",\"weight\":%s}}}}' \"$(cat own)\" \"$(cat service)\" \"$(cat tag)\" \"$(cat weight)\" ;;\n\
             *' upgrade '*)\n  for pair in $(printf %s \"$*\" | tr ' ,' '\\n\\n'); do\n    case $pair in\n\
             release.service=*) printf %s \"${{pair#*=}}\" >service ;;\n\
             release.tag=*) printf %s \"${{pair#*=}}\" >tag ;;\n\
             release.weight=*) printf %s \"${{pair#*=}}\" >weight ;;\n\
             services.order-api.tag=*) printf %s \"${{pair#*=}}\" >own ;;\n\
             esac\n  done ;;\n*) echo \"unknown: $*\" >&2; exit 1 ;;\nesac\n"
        ),
    );
    program(
        &folder.join("kubectl"),
        &format!(
            "cd {here}\ncase \"$*\" in\n*'get deployment/order-api '*) exec cat deployment.json ;;\n\
             *'get pods --selector sre-lab/service=order-api '*) echo '{{\"items\":[]}}' ;;\n*'get pods '*) exec cat pods.json ;;\n\
             *' annotate pods '*) exec cp weight applied ;;\n*' rollout status deployment/order-api '*) ;;\n\
             *' port-forward pod/edge-'*) echo \"Forwarding from 127.0.0.1:{port} -> 9100\"\n\
             while kill -0 $PPID 2>/dev/null; do sleep 0.1; done ;;\n*) echo \"unknown: $*\" >&2; exit 1 ;;\nesac\n"
        ),
    );
}

fn program(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
