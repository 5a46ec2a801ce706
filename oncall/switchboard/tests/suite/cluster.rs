//! A cluster: what kubectl is asked for. It is a script, found by PATH, so the test that uses it is a process
//! of its own.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use serde_json::json;
use switchboard::{Cluster, Outcome, Place, Tools};

use crate::support::action;

/// The name of the test that the other process runs.
const INSIDE: &str = "cluster::inside";

fn pod(name: &str, service: &str) -> serde_json::Value {
    json!({
        "metadata": { "name": name, "labels": { "app.kubernetes.io/name": service } },
        "spec": { "containers": [{
            "env": [{ "name": "FAULTS_ENABLED" }], "ports": [{ "name": "admin", "containerPort": 9101 }],
        }] },
        "status": { "phase": "Running" },
    })
}

/// Writes down what it is asked for.
fn kubectl(folder: &Path) {
    let mut items = vec![
        pod("order-api-a", "order-api"),
        pod("order-api-b", "order-api"),
        pod("order-worker-a", "order-worker"),
    ];
    let write = |name: &str, items: &[serde_json::Value]| {
        fs::write(folder.join(name), json!({ "items": items }).to_string()).unwrap();
    };
    write("pods.json", &items);
    items.push(pod("order-api-c", "order-api-drained"));
    write("drained.json", &items);
    let here = folder.display();
    let script = format!(
        "#!/bin/sh\nshift 2\necho \"$*\" >>{here}/calls\ncase \"$*\" in\n\
         'get pods'*) test -e {here}/drained && exec cat {here}/drained.json; exec cat {here}/pods.json ;;\n\
         'get deployment/order-api '*) echo 2 ;;\n\
         'label pod order-api-a '*) touch {here}/drained ;;\n\
         'exec order-worker-a '*) echo 'moved 0, of unknown origin 0, left 3' ;;\n\
         *order-worker*) echo 'error: timed out' >&2; exit 1 ;;\nesac\n"
    );
    let program = folder.join("kubectl");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_cluster_is_changed_through_kubectl_one_pod_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    kubectl(folder.path());
    #[expect(clippy::disallowed_methods, reason = "the other process needs it too, behind the script")]
    let path = std::env::var("PATH").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", INSIDE, "--ignored", "--nocapture"])
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    let changes: Vec<&str> = calls.lines().filter(|call| !call.starts_with("get ")).collect();
    assert_eq!(
        changes,
        [
            "delete pod order-api-a --wait=true",
            "rollout status deployment/order-api --timeout=60s",
            "delete pod order-api-b --wait=true",
            "rollout status deployment/order-api --timeout=60s",
            "delete pod order-worker-a --wait=true",
            "scale deployment/order-api --replicas=3",
            "exec order-worker-a -- /order-worker redrive --limit 0",
            "label pod order-api-a app.kubernetes.io/name=order-api-drained --overwrite",
            "label pod order-api-c app.kubernetes.io/name=order-api --overwrite",
        ]
    );
}

#[tokio::test]
#[ignore = "run by the test above, with another PATH"]
async fn inside() {
    let cluster = Cluster { context: None, namespace: "lab".to_owned(), pod: None };
    let (place, tools) = (Place::Kubernetes(cluster), Tools::default());
    let run = async |value| action(value).run(&place, &tools, None).await;
    let restart = action(json!({ "action": "restart", "target": "order-api" }));
    let would = restart.describe(&place, &tools, None).await.unwrap();
    let names: Vec<&str> = would.iter().map(|outcome| outcome.replica.as_str()).collect();
    assert_eq!(names, ["order-api-a", "order-api-b"]);
    assert_eq!(restart.mark(&place, &tools, None).await.unwrap().unwrap(), "order-api-a order-api-b");
    let done = restart.run(&place, &tools, None).await.unwrap();
    assert!(done.iter().all(|outcome| outcome.ok), "{done:?}");
    let failed = run(json!({ "action": "restart", "target": "order-worker" })).await.unwrap();
    assert!(!failed[0].ok && failed[0].text.contains("timed out"), "{failed:?}");

    let scale = action(json!({ "action": "scale", "target": "order-api", "replicas": 3 }));
    assert_eq!(scale.undo_from_now(&place, &tools).await.unwrap().text(), "set order-api to 2 replicas");
    let done: Vec<Outcome> = scale.run(&place, &tools, None).await.unwrap();
    assert!(done[0].text.contains("it had 2"), "{done:?}");
    let stranger = run(json!({ "action": "scale", "target": "grafana", "replicas": 3 })).await.unwrap_err();
    assert!(stranger.to_string().contains("there are: order-api, order-worker"), "{stranger}");

    let redrive = action(json!({ "action": "redrive", "target": "order-worker", "most": 2 }));
    let would = redrive.describe(&place, &tools, None).await.unwrap();
    assert_eq!(would[0].text, "2 of 3 dead letters would be put back");
    let drain = |target: &str| json!({ "action": "drain", "target": target, "ttl": "10m" });
    let refused = run(drain("order-api")).await.unwrap_err().to_string();
    assert!(refused.starts_with("target: expected one pod: order-api-a, order-api-b"), "{refused}");
    let only = run(drain("order-worker-a")).await.unwrap();
    assert_eq!((only[0].ok, only[0].text.as_str()), (false, "it is the only pod of order-worker"));
    assert!(run(drain("order-api-a")).await.unwrap()[0].ok);
    // Now another pod has left its Service, and still is one of the service.
    let second = run(drain("order-api-b")).await.unwrap();
    assert_eq!((second[0].ok, second[0].text.contains("never two are")), (false, true), "{second:?}");
    let back = run(json!({ "action": "undrain", "target": "order-api-c" })).await.unwrap();
    assert_eq!((back[0].ok, back[0].text.as_str()), (true, "is in its Service again"));
    let gone = run(json!({ "action": "undrain", "target": "order-api-z" })).await.unwrap();
    assert!(gone[0].ok && gone[0].text.contains("has replaced it"), "{gone:?}");

    let files = run(json!({ "action": "remove_files", "target": "order-api" })).await.unwrap_err();
    assert!(files.to_string().contains("elsewhere restart order-api"), "{files}");
}
