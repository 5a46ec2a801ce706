//! `lab --context`: the fault switch of every pod of a service, through kubectl. Only kubectl is a fake, which
//! lists pods and "forwards" to servers of this test; everything else is the real command.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: a panic is how it fails, and PATH is what it changes"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Responds to every request as a fault switch would, and records its first line and its `authorization`.
struct Switch {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Switch {
    /// One whose fake kubectl, which forwards to it, is in `folder`.
    fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let memory = Arc::clone(&asked);
        let folder = folder.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let mut heard = lines.next().unwrap_or_default();
                for line in lines.take_while(|line| !line.is_empty()) {
                    if line.to_lowercase().starts_with("authorization:") {
                        heard.push_str(&format!(" [{line}]"));
                    }
                }
                memory.lock().unwrap().push(heard);
                prints(&folder, port);
                let body = r#"{"active":{"rate":0.2,"parameters":{},"expires_at":"2030-01-01T00:00:00Z","seconds_left":300.0}}"#;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Waits until the fake kubectl that forwards to `port` has printed a line, now that its forward is in use.
fn prints(folder: &Path, port: u16) {
    let printed = || fs::metadata(folder.join(format!("printed-{port}"))).map_or(0, |file| file.len());
    let (before, begun) = (printed(), Instant::now());
    while printed() == before && !folder.join("unheard").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it prints nothing");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A pod as the Kubernetes API describes it.
fn pod(name: &str, service: &str, phase: &str, going: bool, env: &str) -> String {
    let going = if going { r#","deletionTimestamp":"2030-01-01T00:00:00Z""# } else { "" };
    format!(
        r#"{{"metadata":{{"name":"{name}","labels":{{"app.kubernetes.io/name":"{service}"}}{going}}},"spec":{{"containers":[{{"name":"{service}","env":[{{"name":"{env}","value":"true"}}],"ports":[{{"name":"admin","containerPort":9101}}]}}]}},"status":{{"phase":"{phase}"}}}}"#
    )
}

/// Two running pods of order-api, one of which has left its Service, one of user-service, and several that must be
/// ignored.
fn kubectl(folder: &Path, a: &Switch, b: &Switch) {
    let items = [
        pod("order-api-a", "order-api", "Running", false, "FAULTS_ENABLED"),
        pod("order-api-b", "order-api", "Running", false, "FAULTS_ENABLED"),
        pod("order-api-going", "order-api", "Running", true, "FAULTS_ENABLED"),
        pod("order-api-new", "order-api", "Pending", false, "FAULTS_ENABLED"),
        pod("user-service-a", "user-service", "Running", false, "FAULTS_ENABLED"),
        pod("grafana-a", "grafana", "Running", false, "GF_PATHS_DATA"),
    ];
    let left = r#""app.kubernetes.io/name":"order-api","app.kubernetes.io/component":"order-api-drained""#;
    let is_out = |pod: &str| pod.contains("\"order-api-b\"");
    let name = r#""app.kubernetes.io/name":"order-api""#;
    let items = items.map(|pod| if is_out(&pod) { pod.replace(name, left) } else { pod });
    fs::write(folder.join("pods.json"), format!(r#"{{"items":[{}]}}"#, items.join(","))).unwrap();
    let here = folder.display();
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>{here}/calls\ncase \"$*\" in\n\
         *'get pods'*) exec cat {here}/pods.json ;;\n*'patch pod '*) exit ;;\n\
         *pod/order-api-a*) port={} ;;\n*pod/order-api-b*) port={} ;;\n\
         *) echo 'error: pods \"x\" is forbidden' >&2; exit 1 ;;\nesac\n\
         echo \"Forwarding from 127.0.0.1:$port -> 9101\"\n\
         # The real one prints a line for each connection, and dies when its output is closed.\n\
         trap '' PIPE\nwhile sleep 0.05; do echo \"Handling connection for $port\" 2>/dev/null || {{ echo x >>{here}/unheard; exit 1; }}; echo x >>{here}/printed-$port; done\n",
        a.port, b.port
    );
    let program = folder.join("kubectl");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

fn lab(folder: &Path, args: &[&str]) -> Output {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env("PATH", path)
        .env_remove("FAULTS_TOKEN")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut bytes = bytes;
    bytes.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_fault_reaches_every_running_pod_of_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (Switch::start(folder.path()), Switch::start(folder.path()));
    kubectl(folder.path(), &a, &b);
    let args = ["--context", "kind-x", "--namespace", "game-day", "--faults-token", "secret"];
    let output = lab(folder.path(), &[&args[..], &["break", "order-api", "http-error", "rate=0.2"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    for switch in [&a, &b] {
        let asked = switch.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(asked[0].starts_with("PUT /faults/http-error?rate=0.2 "), "{asked:?}");
        assert!(asked[0].contains("Bearer secret"), "{asked:?}");
    }
    let said = text(&output.stdout);
    assert!(
        said.contains("http-error on order-api-a") && said.contains("http-error on order-api-b"),
        "{said}"
    );
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls.lines().count(), 3, "{calls}");
    assert!(
        !folder.path().join("unheard").exists(),
        "kubectl's output was closed while its forward was in use"
    );
    assert!(calls.lines().all(|call| call.starts_with("--context kind-x --namespace game-day ")), "{calls}");
}

#[test]
fn a_fault_can_be_for_one_pod_and_is_ended_in_all() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (Switch::start(folder.path()), Switch::start(folder.path()));
    kubectl(folder.path(), &a, &b);
    let output =
        lab(folder.path(), &["--context", "k8s", "--pod", "order-api-b", "break", "order-api", "http-hang"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!((a.asked().len(), b.asked().len()), (0, 1));
    let output = lab(folder.path(), &["--context", "k8s", "fix", "order-api"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(a.asked()[0].starts_with("DELETE /faults "), "{:?}", a.asked());
    assert!(b.asked()[1].starts_with("DELETE /faults "), "{:?}", b.asked());
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert!(!calls.contains("--context"), "`k8s` is kubectl's current context: {calls}");
}

#[test]
fn fix_puts_drained_pods_back_even_if_another_pod_cannot_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (Switch::start(folder.path()), Switch::start(folder.path()));
    kubectl(folder.path(), &a, &b);
    let calls = || fs::read_to_string(folder.path().join("calls")).unwrap();
    let output = lab(folder.path(), &["--context", "k8s", "fix", "order-api"]);
    assert!(output.status.success() && !calls().contains("patch"), "one service: {}", calls());
    let output = lab(folder.path(), &["--context", "k8s", "fix"]);
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("user-service-a: kubectl port-forward"), "{said}");
    let calls = calls();
    let patches: Vec<&str> = calls.lines().filter(|call| call.contains("patch pod")).collect();
    assert!(patches.len() == 1 && patches[0].contains("patch pod order-api-b "), "{calls}");
    assert!(patches[0].contains(r#""app.kubernetes.io/component":"order-api"}"#), "{calls}");
}

#[test]
fn unreachable_peers_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (Switch::start(folder.path()), Switch::start(folder.path()));
    kubectl(folder.path(), &a, &b);
    for (args, expected) in [
        (
            &["break", "payment", "http-error"][..],
            "no pod of a service `payment` runs; there are: order-api, user-service",
        ),
        (
            &["--pod", "order-api-z", "break", "order-api", "http-error"],
            "`order-api-z`; there are: order-api-a, order-api-b",
        ),
        (
            &["break", "user-service", "http-error"],
            "user-service-a: kubectl port-forward: error: pods \"x\" is forbidden",
        ),
        (&["alerts"], "service/prometheus: kubectl port-forward: error: pods \"x\" is forbidden"),
        (&["pages"], "service/control-room: kubectl port-forward: "),
        (&["slo", "reset"], "`lab slo reset` works on a lab on this machine only"),
        (&["status"], "`lab status` works on a lab on this machine only"),
    ] {
        let output = lab(folder.path(), &[&["--context", "k8s"], args].concat());
        assert!(!output.status.success());
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    assert!(a.asked().is_empty() && b.asked().is_empty());
}

#[test]
fn a_url_is_used_instead_of_any_lab_and_named_when_it_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    for (args, expected) in [
        (&["--prometheus", "http://127.0.0.1:1", "alerts"][..], "http://127.0.0.1:1/api/v1/alerts: "),
        (&["--control-room", "http://127.0.0.1:1", "pages"], "http://127.0.0.1:1/api/v1/pages: "),
        (&["--jaeger", "http://127.0.0.1:1", "traces"], "http://127.0.0.1:1/api/traces: "),
        (&["--prometheus", "http://127.0.0.1:1", "pages"], "add --control-room URL"),
        (&["--prometheus", "http://127.0.0.1:1", "slo", "reset"], "leave out the URLs"),
        (&["--prometheus", "https://host", "alerts"], "expected http://host:port"),
    ] {
        let output = lab(folder.path(), args);
        assert!(!output.status.success());
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}
