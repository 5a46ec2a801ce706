//! Programs that nobody breaks: no switches, routes of their own on the admin port, ports without the layers, or no port at all.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::get};
use chassis_core::ServiceInfo;
use chassis_serve::Protocol;
use chassis_service::{App, PlainConfig, Port, lifecycle};
use clap::Parser;
use testkit::Http;
use tokio::sync::Semaphore;

use crate::support::{CATALOGUE, app, start_app};

#[derive(Parser)]
struct Config {
    #[command(flatten)]
    plain: PlainConfig,
}

/// A program on free ports that was told nothing.
fn plain() -> App {
    let config = Config::parse_from(["plain"]).plain.common(([127, 0, 0, 1], 0).into());
    let chassis = config.chassis(ServiceInfo { name: "plain", version: "1" }, &[], &[]);
    App::new(&config, chassis)
}

#[tokio::test]
async fn a_plain_program_has_an_admin_port_without_switches_and_names_its_own_routes() {
    let own = Router::new().route("/rate", get(|| async { "50" }));
    let running =
        lifecycle::Running::start(plain().administering(own, &["/rate"])).await.expect("a free port");
    let admin = Http::to(running.admin);
    assert_eq!(admin.get("/rate").await.expect_status(200).body, "50");
    assert_eq!(admin.get("/readyz").await.expect_status(200).body, "ready\n");
    for path in ["/faults", "/faults/cpu-burn", "/protections", "/elsewhere"] {
        admin.get(path).await.expect_problem(404, "not-found");
    }
    admin.put("/faults/cpu-burn").await.expect_problem(404, "not-found");
    let problem = admin.get("/elsewhere").await.json();
    assert_eq!(problem["errors"]["path"], "one of /livez, /readyz, /metrics, /version, /rate");
    let scrape = admin.get("/metrics").await;
    assert!(scrape.body.contains("build_info{"), "{}", scrape.body);
    assert!(!scrape.body.contains("cpu_usage_percent"), "what is not under operation is not measured");
    assert!(running.stop().await);
}

#[tokio::test]
async fn a_port_without_layers_answers_by_itself_and_is_drained() {
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let (entered, enters) = tokio::sync::oneshot::channel();
    let entered = Arc::new(Mutex::new(Some(entered)));
    let slow = move || async move {
        let _ = entered.lock().expect("no panic").take().map(|entered| entered.send(()));
        waiting.acquire().await.expect("an open gate").forget();
        "through"
    };
    let port = Port {
        name: "own",
        variable: "OWN_ADDR",
        address: ([127, 0, 0, 1], 0).into(),
        protocol: Protocol::Http1,
        routes: Router::new().route("/slow", get(slow)),
    };
    let service = start_app(app(&[], CATALOGUE).listening(port), Router::new()).await;
    let own = Http::to(service.running.port("own").expect("a port of that name"));
    assert_eq!(own.get("/nothing").await.expect_status(404).body, "", "no problem document");
    assert!(service.running.port("other").is_none());

    let request = tokio::spawn({
        let own = own.clone();
        async move { own.get("/slow").await }
    });
    enters.await.expect("the request has come");
    let stop = tokio::spawn(service.running.stop());
    gate.add_permits(1);
    assert_eq!(request.await.expect("no panic").expect_status(200).body, "through");
    assert!(stop.await.expect("no panic"), "everything finished");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_by_its_variable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = Port {
        name: "own",
        variable: "OWN_ADDR",
        address: taken.local_addr().expect("bound"),
        protocol: Protocol::Http1,
        routes: Router::new(),
    };
    let error = lifecycle::Running::start(plain().listening(port)).await.err().expect("the port is taken");
    let error = format!("{error:#}");
    assert!(error.starts_with("OWN_ADDR: cannot listen on 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_program_without_ports_ends_with_its_work() {
    let app = plain();
    let over = app.chassis.shutdown.clone();
    let (done, is_done) = tokio::sync::oneshot::channel();
    app.chassis.spawn(async move {
        over.cancel();
        // What it has begun it may end.
        tokio::task::yield_now().await;
        let _ = done.send(());
    });
    let run = tokio::time::timeout(Duration::from_secs(10), lifecycle::run_without_ports(app));
    run.await.expect("it ends by itself").expect("without an error");
    is_done.await.expect("the work came to its end");
}
