//! The load generator's own routes.

use load::admin::{Rate, routes};
use prometheus::Gauge;
use serde_json::json;
use switchboard::Tools;
use tokio::net::TcpListener;

use crate::support::{action, nowhere, only};

async fn generator(rps: f64) -> (Rate, Tools) {
    let rate = Rate::new(rps, Gauge::new("rps", "requests per second").unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let router = routes(rate.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (rate, Tools { load: Some(url), ..Tools::default() })
}

#[tokio::test]
async fn the_rate_is_read_changed_and_taken_back() {
    let (rate, tools) = generator(50.0).await;
    assert_eq!(tools.load_rate().await.unwrap(), 50.0);
    let act = action(json!({ "action": "set_load", "rps": 12.5 }));
    let would = only(act.describe(&nowhere(), &tools, None).await.unwrap());
    assert_eq!((would.as_str(), rate.get()), ("50 requests per second now; it would be 12.5", 50.0));
    let undo = act.undo_from_now(&nowhere(), &tools).await.unwrap();
    let done = only(act.run(&nowhere(), &tools, None).await.unwrap());
    assert_eq!((done.as_str(), rate.get()), ("12.5 requests per second; it was 50", 12.5));
    only(undo.run(&nowhere(), &tools, None).await.unwrap());
    assert_eq!(rate.get(), 50.0);
}

#[tokio::test]
async fn a_rate_that_the_generator_refuses_changes_nothing() {
    let (rate, tools) = generator(50.0).await;
    let act = action(json!({ "action": "set_load", "rps": 1e9 }));
    let error = act.run(&nowhere(), &tools, None).await.unwrap_err().to_string();
    assert!(error.contains("rps: a number from 0 to "), "{error}");
    assert_eq!(rate.get(), 50.0);
}
