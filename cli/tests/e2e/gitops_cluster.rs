//! `lab --context … gitops`: desired state of edges in a cluster, seen and kept over their admin ports. Only kubectl is a fake, which
//! lists pods and "forwards" to edges that this test has started; the edges, the repository and the command are real.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::{Http, Process, free_addr};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{
    gitops::{Desk, SOON},
    lab::{eventually, text},
};

/// An edge that runs as a pod.
struct Edge {
    _process: Process,
    admin: Http,
}

impl Edge {
    async fn mode(&self) -> Value {
        self.admin.get("/waf/scanners").await.expect_status(200).json()["mode"].take()
    }

    async fn limit(&self) -> Value {
        self.admin.get("/limit").await.expect_status(200).json()["limit"]["rps"].take()
    }
}

/// What `lab gitops keep` prints.
struct Keeper {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Keeper {
    /// Waits for a line with these words.
    async fn says(&mut self, words: &str) {
        let mut said = Vec::new();
        let found = async {
            while let Some(line) = self.lines.next_line().await.expect("text") {
                let found = line.contains(words);
                said.push(line);
                if found {
                    return true;
                }
            }
            false
        };
        let found = timeout(SOON, found).await.unwrap_or(false);
        assert!(found, "{words}\nnot in\n{}", said.join("\n"));
    }

    async fn ends(mut self) {
        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("it runs");
        kill_process(id, Signal::INT).expect("it runs");
        let ended = timeout(SOON, self.child.wait()).await.expect("it ends").expect("a child");
        assert!(ended.success(), "{ended}");
    }
}

/// A repository, and pods in a cluster of fakes.
struct Cluster {
    desk: Desk,
}

impl Cluster {
    /// With a state that has this in addition, and does this about drift.
    fn new(more: &str, drift: &str) -> Self {
        let desk = Desk::new();
        let state = desk.state("state", more);
        let file = Path::new(&state).join("desired.yaml");
        let before = fs::read_to_string(&file).expect("a state");
        assert!(before.contains("drift: heal\n"), "{before}");
        fs::write(file, before.replace("drift: heal\n", &format!("drift: {drift}\n"))).expect("a state");
        desk.ok(&["propose", &state, "--by", "ada", "--why", "Try it"]);
        desk.ok(&["approve", "1", "--by", "eve"]);
        let script = format!(
            "#!/bin/sh\ncd {}\ncase \"$*\" in\n*'get pods '*) exec cat pods.json ;;\n*' port-forward pod/'*)\n\
             for word in \"$@\"; do case $word in pod/*) pod=${{word#pod/}} ;; esac; done\n\
             echo \"Forwarding from 127.0.0.1:$(cat \"$pod\") -> 9100\"\n\
             while kill -0 $PPID 2>/dev/null; do sleep 0.1; done ;;\n*) echo \"unknown: $*\" >&2; exit 1 ;;\nesac\n",
            desk.path(".").display()
        );
        let program = desk.path("kubectl");
        fs::write(&program, script).expect("a script");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        Self { desk }
    }

    /// Starts an edge that has the name of a pod.
    async fn edge(&self, name: &str) -> Edge {
        let (public, admin) = (free_addr(), free_addr());
        let program = Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name("edge");
        let flags = ["--public-addr", &public.to_string(), "--admin-addr", &admin.to_string()];
        let process = Process::start(program.to_str().expect("UTF-8"), &flags);
        process.ready(admin).await;
        fs::write(self.desk.path(name), admin.port().to_string()).expect("a port");
        Edge { _process: process, admin: Http::to(admin) }
    }

    /// What kubectl lists from now on.
    fn lists(&self, pods: &[&str]) {
        let pod = |name: &&str| {
            let started = "2026-03-02T09:00:00Z";
            json!({
                "metadata": { "name": name, "labels": { "app.kubernetes.io/name": "edge" } },
                "spec": { "containers": [{ "name": "edge", "env": [{ "name": "FAULTS_ENABLED" }],
                    "ports": [{ "name": "admin", "containerPort": 9100 }] }] },
                "status": { "phase": "Running", "containerStatuses": [{ "name": "edge", "ready": true,
                    "state": { "running": { "startedAt": started } } }] },
            })
        };
        let list = json!({ "items": pods.iter().map(pod).collect::<Vec<Value>>() });
        // As a whole: kubectl may be listing them.
        fs::write(self.desk.path("next.json"), list.to_string()).expect("pods");
        fs::rename(self.desk.path("next.json"), self.desk.path("pods.json")).expect("pods");
    }

    #[expect(clippy::disallowed_methods, reason = "PATH is what the test changes")]
    fn lab(&self, args: &[&str]) -> Command {
        let path = format!("{}:{}", self.desk.path(".").display(), std::env::var("PATH").expect("a PATH"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.args(["--context", "kind-x", "--dir"]).arg(self.desk.path("lab")).arg("gitops").args(args);
        command.env("PATH", path).env_remove("FAULTS_TOKEN").stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Whether it succeeds, and what it prints.
    async fn runs(&self, args: &[&str]) -> (bool, String) {
        let output = timeout(SOON, self.lab(args).output()).await.expect("it ends").expect("lab runs");
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }

    fn keep(&self) -> Keeper {
        let mut command = self.lab(&["keep"]);
        let mut child = command.stderr(Stdio::inherit()).spawn().expect("lab runs");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Keeper { child, lines }
    }
}

#[tokio::test]
async fn what_is_changed_by_hand_on_an_edge_is_seen_with_its_pod_and_set_back_within_seconds() {
    let cluster = Cluster::new("modes: {scanners: simulate}\nlimit: {rps: 500, burst: 1000}\n", "heal");
    let (a, b) = (cluster.edge("edge-a").await, cluster.edge("edge-b").await);
    cluster.lists(&["edge-a", "edge-b"]);
    let (synced, said) = cluster.runs(&["status"]).await;
    assert!(!synced && said.starts_with("OutOfSync with "), "{said}");
    assert!(said.contains("modes.scanners is enforce on edge-a, edge-b and should be simulate"), "{said}");
    assert_eq!([a.mode().await, b.mode().await], ["enforce", "enforce"], "a status changes nothing");

    let (synced, said) = cluster.runs(&["sync"]).await;
    assert!(synced && said.starts_with("Synced with "), "{said}");
    assert_eq!([a.mode().await, b.mode().await], ["simulate", "simulate"]);
    assert_eq!([a.limit().await, b.limit().await], [500.0, 500.0]);

    b.admin.put("/waf/scanners?mode=off").await.expect_status(200);
    let (synced, said) = cluster.runs(&["status"]).await;
    let expected = "modes.scanners is not the same everywhere on edge-b and should be simulate";
    assert!(!synced && said.contains(expected), "{said}");
    assert_eq!(b.mode().await, "off", "a status changes nothing");

    let mut keeper = cluster.keep();
    keeper.says("Synced with ").await;
    assert_eq!(b.mode().await, "simulate");
    a.admin.delete("/limit").await.expect_status(200);
    let back = "it was changed by hand, and is set back";
    keeper
        .says(&format!("limit is not the same everywhere on edge-a and should be rps=500 burst=1000; {back}"))
        .await;
    // After it: in which order two changes are seen is chance.
    a.admin.put("/routes/orders?order-api=7").await.expect_status(200);
    keeper.says("the weights of the route orders of edge-a were changed by hand; they are set back").await;
    eventually(SOON, || async {
        let routes = a.admin.get("/routes").await.json();
        let (limit, set) = (a.limit().await, &routes["routes"][0]["weights_set"]);
        if limit == 500.0 && *set == false { Ok(()) } else { Err(format!("{limit} {set}")) }
    })
    .await;
    keeper.ends().await;
}

#[tokio::test]
async fn what_is_changed_by_hand_stays_if_the_state_says_so_until_a_pod_is_replaced() {
    let cluster = Cluster::new("modes: {scanners: simulate}\n", "keep");
    let (a, b) = (cluster.edge("edge-a").await, cluster.edge("edge-b").await);
    cluster.lists(&["edge-a", "edge-b"]);
    let mut keeper = cluster.keep();
    keeper.says("Synced with ").await;
    assert_eq!([a.mode().await, b.mode().await], ["simulate", "simulate"]);
    b.admin.put("/waf/scanners?mode=off").await.expect_status(200);
    keeper.says("OutOfSync with ").await;
    keeper.says("on edge-b and should be simulate; it was changed by hand, and stays").await;
    assert_eq!(b.mode().await, "off");

    // The new pod has nothing of what was set in the old one: then every pod gets it again.
    let c = cluster.edge("edge-c").await;
    assert_eq!(c.mode().await, "enforce");
    cluster.lists(&["edge-b", "edge-c"]);
    keeper.says("Synced with ").await;
    assert_eq!([b.mode().await, c.mode().await], ["simulate", "simulate"]);

    // Until somebody asks for all of it: weights, too.
    c.admin.put("/waf/scanners?mode=off").await.expect_status(200);
    c.admin.put("/routes/orders?order-api=7").await.expect_status(200);
    keeper.says("the weights of the route orders of edge-c were changed by hand; they stay").await;
    let (synced, said) = cluster.runs(&["sync"]).await;
    assert!(synced && said.starts_with("Synced with "), "{said}");
    let routes = c.admin.get("/routes").await.json();
    assert_eq!((c.mode().await, &routes["routes"][0]["weights_set"]), (json!("simulate"), &json!(false)));
    keeper.ends().await;
}

#[tokio::test]
async fn a_lab_on_this_machine_is_kept_by_lab_up() {
    let desk = Desk::new();
    let said = desk.refused(&["keep"]);
    assert!(said.contains("`lab up` keeps a lab on this machine"), "{said}");
}
