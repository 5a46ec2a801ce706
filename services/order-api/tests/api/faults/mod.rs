//! Each fault point at order-api's boundaries: switched on, seen as a caller or an operator sees it, and ends by itself.
//!
//! The tests share one lab and take turns on it.

mod broker;
mod database;
mod http;
mod upstream;

use std::time::{Duration, Instant};

use ::http::Method;
use testkit::{Answer, eventually};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use crate::lab::{Lab, Parts, SOON, order};

/// The lab that fault tests break, one at a time.
async fn breakable() -> MutexGuard<'static, Lab> {
    static BREAKABLE: OnceCell<Mutex<Lab>> = OnceCell::const_new();
    let lab = BREAKABLE.get_or_init(|| async { Mutex::new(Lab::start(Parts::default()).await) }).await;
    let lab = lab.lock().await;
    // A failed test may have left a fault on.
    lab.admin.delete("/faults").await;
    lab.until_status(202, &order(1)).await;
    lab
}

/// Sets a plan such as `http-error?ttl=2s`.
async fn break_with(lab: &Lab, plan: &str) {
    lab.admin.put(&format!("/faults/{plan}")).await.expect_status(200);
}

/// Waits until `GET path` returns `status`.
async fn answers(lab: &Lab, path: &str, status: u16) -> Answer {
    eventually(SOON, || async {
        let answer = lab.http.try_send(Method::GET, path, &[], "").await;
        match answer {
            Ok(answer) if answer.status == status => Ok(answer),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

/// How long `GET path` takes.
async fn duration(lab: &Lab, path: &str) -> Duration {
    let start = Instant::now();
    lab.http.get(path).await.expect_status(200);
    start.elapsed()
}

/// Waits until `GET path` is faster than `limit`.
async fn is_quick(lab: &Lab, path: &str, limit: Duration) {
    eventually(SOON, || async {
        let took = duration(lab, path).await;
        if took < limit { Ok(()) } else { Err(format!("{took:?}")) }
    })
    .await;
}

/// Nothing that a trainee sees reveals the fault.
fn is_blind(answer: &Answer) {
    let told = answer.body.to_lowercase();
    for word in ["fault", "inject", "simulat", "chaos", "deliberate"] {
        assert!(!told.contains(word), "{told}");
    }
}
