//! A cluster: what kubectl is asked for. It is a script, found by PATH, so the test that uses it is a process
//! of its own.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use serde_json::json;
use switchboard::{Cluster, Outcome, Place, Tools};

use crate::support::action;

/// The name of the test that the other process runs.
const INSIDE: &str = "cluster::inside";

/// A pod of a service; `serves` is the label by which its Service knows it.
fn pod(name: &str, service: &str, serves: &str, ready: bool) -> serde_json::Value {
    let labels = json!({ "app.kubernetes.io/name": service, "app.kubernetes.io/component": serves });
    let ready = if ready { "True" } else { "False" };
    json!({
        "metadata": { "name": name, "labels": labels },
        "spec": { "containers": [{
            "env": [{ "name": "FAULTS_ENABLED" }], "ports": [{ "name": "admin", "containerPort": 9101 }],
        }] },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": ready }] },
    })
}

/// Writes down what it is asked for.
fn kubectl(folder: &Path) {
    let plain = |name: &str, service: &str| pod(name, service, service, true);
    let mut items = vec![
        plain("order-api-a", "order-api"),
        plain("order-api-b", "order-api"),
        plain("order-worker-a", "order-worker"),
        plain("user-service-a", "user-service"),
        pod("user-service-b", "user-service", "user-service", false),
        plain("notifier-a", "notifier"),
        plain("notifier-b", "notifier"),
        plain("edge-a", "edge"),
        plain("edge-b", "edge"),
    ];
    let write = |name: &str, items: &[serde_json::Value]| {
        fs::write(folder.join(name), json!({ "items": items }).to_string()).unwrap();
    };
    write("pods.json", &items);
    items.push(pod("order-api-c", "order-api", "order-api-drained", true));
    write("drained.json", &items);
    let service = |name: &str, selector: serde_json::Value, port: &str| {
        let spec = json!({ "selector": selector, "ports": [{ "name": port, "port": 1 }] });
        fs::write(folder.join(name), json!({ "spec": spec }).to_string()).unwrap();
    };
    let selector = json!({ "app.kubernetes.io/name": "x", "app.kubernetes.io/component": "x" });
    service("service.json", selector.clone(), "http");
    service("silent.json", selector, "admin");
    service("old.json", json!({ "app.kubernetes.io/name": "x" }), "http");
    let here = folder.display();
    let script = format!(
        "#!/bin/sh\nshift 2\necho \"$*\" >>{here}/calls\ncase \"$*\" in\n\
         'get pods'*) test -e {here}/drained && exec cat {here}/drained.json; exec cat {here}/pods.json ;;\n\
         'get deployment/order-api '*) echo 2 ;;\n\
         'get service/notifier '*) exec cat {here}/silent.json ;;\n\
         'get service/edge '*) exec cat {here}/old.json ;;\n\
         'get service/'*) exec cat {here}/service.json ;;\n\
         'patch pod order-api-a '*drained*) touch {here}/drained ;;\n\
         'exec order-worker-a '*) echo 'moved 0, of unknown origin 0, left 3' ;;\n\
         *order-worker*) echo 'error: timed out' >&2; exit 1 ;;\nesac\n"
    );
    let program = folder.join("kubectl");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

/// How a pod leaves its Service or comes back: nothing but this label and what is ended first changes, so that whatever
/// knows the pod by its name still does.
fn patched(pod: &str, cost: &str, serves: &str) -> String {
    format!(
        "patch pod {pod} --type merge --patch {{\"metadata\":{{\"annotations\":{{\
         \"controller.kubernetes.io/pod-deletion-cost\":{cost}}},\
         \"labels\":{{\"app.kubernetes.io/component\":\"{serves}\"}}}}}}"
    )
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
            &patched("order-api-a", "\"-1\"", "order-api-drained"),
            &patched("order-api-c", "null", "order-api"),
            &patched("order-api-c", "null", "order-api"),
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
    assert!(
        stranger.to_string().contains("there are: edge, notifier, order-api, order-worker"),
        "{stranger}"
    );

    let redrive = action(json!({ "action": "redrive", "target": "order-worker", "most": 2 }));
    let would = redrive.describe(&place, &tools, None).await.unwrap();
    assert_eq!(would[0].text, "2 of 3 dead letters would be put back");
    let drain = |target: &str| json!({ "action": "drain", "target": target, "ttl": "10m" });
    let refused = run(drain("order-api")).await.unwrap_err().to_string();
    assert!(refused.starts_with("target: expected one pod: order-api-a, order-api-b"), "{refused}");
    let only = run(drain("order-worker-a")).await.unwrap();
    assert_eq!((only[0].ok, only[0].text.as_str()), (false, "it is the only pod of order-worker"));
    for (pod, why) in [
        ("user-service-a", "no other pod of user-service is ready"),
        ("notifier-a", "notifier takes no requests"),
        (
            "edge-a",
            "its Service is of an earlier chart, which selects no app.kubernetes.io/component: upgrade it",
        ),
    ] {
        let refused = run(drain(pod)).await.unwrap();
        assert_eq!((refused[0].ok, refused[0].text.as_str()), (false, why));
    }
    let none = run(json!({ "action": "undrain" })).await.unwrap();
    assert_eq!((none[0].ok, none[0].text.as_str()), (true, "no pod is drained: nothing to do"));
    assert!(run(drain("order-api-a")).await.unwrap()[0].ok);
    // Now another pod has left its Service, and still is one of the service.
    let second = run(drain("order-api-b")).await.unwrap();
    assert_eq!((second[0].ok, second[0].text.contains("never two are")), (false, true), "{second:?}");
    let back = run(json!({ "action": "undrain", "target": "order-api-c" })).await.unwrap();
    assert_eq!((back[0].ok, back[0].text.as_str()), (true, "is in its Service again"));
    let all = run(json!({ "action": "undrain" })).await.unwrap();
    let named = all.iter().map(|one| (one.replica.as_str(), one.ok)).collect::<Vec<_>>();
    assert_eq!(named, [("order-api-c", true)], "{all:?}");
    let gone = run(json!({ "action": "undrain", "target": "order-api-z" })).await.unwrap();
    assert!(gone[0].ok && gone[0].text.contains("has replaced it"), "{gone:?}");

    let files = run(json!({ "action": "remove_files", "target": "order-api" })).await.unwrap_err();
    assert!(files.to_string().contains("elsewhere restart order-api"), "{files}");
}
