//! Sweeps every fault of user-service: nothing reveals it, and it leaves nothing behind.

use std::sync::Arc;

use serde_json::json;
use testkit::{Http, Postgres, Redis, TraceSink, free_addr, needs, sweep};

use crate::rig::path;

const BINARY: &str = env!("CARGO_BIN_EXE_user-service");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_gives_itself_away_or_leaves_anything_behind() {
    needs!(Postgres, Redis);
    let server = sweep::server().await;
    let replicas = futures::future::join_all((0..3).map(|_| replica(&server))).await;
    sweep::sweep(replicas).await;
}

async fn replica(server: &Arc<Postgres>) -> sweep::Subject {
    let (name, url) = server.owned_database("users").await;
    let (redis, traces) = (Redis::start().await, TraceSink::start().await);
    let (public, admin) = (free_addr(), free_addr());
    let (public_text, admin_text, otlp) = (public.to_string(), admin.to_string(), traces.endpoint());
    let data = sweep::data();
    let data_text = data.path().to_string_lossy().into_owned();
    let redis_url = redis.url();
    let flags = [
        ["--public-addr", &public_text],
        ["--admin-addr", &admin_text],
        ["--database-url", &url],
        ["--redis-url", &redis_url],
        ["--otlp-endpoint", &otlp],
        ["--data-dir", &data_text],
        ["--db-pool-size", "4"],
        // Entries expire during the sweep.
        ["--cache-ttl", "300ms"],
        ["--log-level", "debug"],
    ];
    let process = sweep::process(BINARY, &flags.concat());
    process.ready(admin).await;
    let http = Http::to(public);
    let traffic = move || {
        let http = http.clone();
        Box::pin(traffic(http)) as futures::future::BoxFuture<'static, ()>
    };
    sweep::Subject {
        name: user_service::SERVICE.name,
        process,
        admin: Http::to(admin),
        database: Some(sweep::Database { server: Arc::clone(server), name }),
        redis: Some(redis),
        data,
        traces,
        traffic: Box::new(traffic),
        keep: Box::new(()),
    }
}

/// Reads of a few users, including an unknown one, a page, and a change; and an account that exists already. The user that
/// is changed is read afterwards: a change removes the copy, and at rest every key has to be seen that may be there later.
async fn traffic(http: Http) {
    let send = async |method: http::Method, path: String, body: Option<serde_json::Value>| {
        let headers: &[(&str, &str)] =
            if body.is_some() { &[("content-type", "application/json")] } else { &[] };
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let _ = http.try_send(method, &path, headers, body).await;
    };
    let get = async |path: String| send(http::Method::GET, path, None).await;
    let change = async || {
        send(http::Method::PATCH, path(1), Some(json!({"name": "Ada"}))).await;
        get(path(1)).await;
    };
    let account = json!({"name": "Ada", "email": "ada@example.com"});
    futures::join!(
        get(path(1)),
        get(path(2)),
        get(path(2)),
        get("/users/01900000-0000-7000-8000-ffffffffffff".to_owned()),
        get("/users?limit=2".to_owned()),
        change(),
        send(http::Method::POST, "/users".to_owned(), Some(account)),
    );
}
