//! Sweeps every fault of the edge: nothing reveals it, and it leaves nothing behind.

use std::fs;

use futures::future::{BoxFuture, join_all};
use http::Method;
use testkit::{Http, TraceSink, free_addr, sweep};

use crate::rig::{Upstream, to_with};

const BINARY: &str = env!("CARGO_BIN_EXE_edge");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_gives_itself_away_or_leaves_anything_behind() {
    let replicas = join_all((0..3).map(|_| replica())).await;
    sweep::sweep(replicas).await;
}

async fn replica() -> sweep::Subject {
    let (upstream, traces) = (Upstream::start("one").await, TraceSink::start().await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.yaml");
    fs::write(&file, to_with(&[upstream.addr], "")).unwrap();
    let (public, admin) = (free_addr(), free_addr());
    let (public_text, admin_text, otlp) = (public.to_string(), admin.to_string(), traces.endpoint());
    let data = sweep::data();
    let data_text = data.path().to_string_lossy().into_owned();
    let flags = [
        ["--public-addr", &public_text],
        ["--admin-addr", &admin_text],
        ["--edge-routes", file.to_str().unwrap()],
        ["--otlp-endpoint", &otlp],
        ["--data-dir", &data_text],
        ["--log-level", "debug"],
    ];
    let process = sweep::process(BINARY, &flags.concat());
    process.ready(admin).await;
    let http = Http::to(public);
    sweep::Subject {
        name: edge::SERVICE.name,
        process,
        admin: Http::to(admin),
        database: None,
        redis: None,
        data,
        traces,
        traffic: Box::new(move || Box::pin(traffic(http.clone())) as BoxFuture<'static, ()>),
        keep: Box::new((folder, upstream)),
    }
}

/// Requests that are passed on, with and without a body; one for which there is nothing, one that the upstream refuses, and
/// one that the firewall refuses.
async fn traffic(http: Http) {
    let http = &http;
    futures::join!(
        send(http, Method::GET, "/orders", &[], ""),
        send(http, Method::POST, "/orders", &[("content-type", "application/json")], "{}"),
        send(http, Method::GET, "/status/404", &[], ""),
        send(http, Method::GET, "/status/503", &[], ""),
        send(http, Method::GET, "/orders", &[("user-agent", "nikto")], ""),
    );
}

async fn send(http: &Http, method: Method, path: &str, headers: &[(&str, &str)], body: &'static str) {
    drop(http.try_send(method, path, headers, body).await);
}
