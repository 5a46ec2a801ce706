//! The pipeline loses nothing: under load every process gets SIGKILL in turn and comes back, and afterwards the
//! databases show that every order that was answered with 202 was settled exactly once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use testkit::invariants;

use crate::lab::{self, BACK, Lab, eventually};

/// Parts that are killed, in this order.
const VICTIMS: &[&str] = &["order-api", "order-worker", "user-service", "redis", "lab-kafka", "postgres"];
/// Time between two orders: short enough for each kill to hit some in every stage of the pipeline.
const PERIOD: Duration = Duration::from_millis(20);
/// Orders that must be accepted between two kills.
const BETWEEN: usize = 100;
/// Longest time for the pipeline to settle: an overdue order is published again after 15 s, possibly several times.
const REST: Duration = Duration::from_secs(180);

/// Places orders at a fixed rate, whatever the responses are, and records the accepted ones.
struct Orders {
    accepted: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<usize>,
}

impl Orders {
    fn start(url: String) -> Self {
        let (accepted, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let task = tokio::spawn(place(url, accepted.clone(), stop.clone()));
        Self { accepted, stop, task }
    }

    fn count(&self) -> usize {
        self.accepted.lock().expect("not poisoned").len()
    }

    async fn stop(self) -> (Vec<String>, usize) {
        self.stop.store(true, Ordering::Relaxed);
        let sent = self.task.await.expect("the sender runs");
        (self.accepted.lock().expect("not poisoned").clone(), sent)
    }
}

async fn place(url: String, accepted: Arc<Mutex<Vec<String>>>, stop: Arc<AtomicBool>) -> usize {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client");
    let mut ticks = tokio::time::interval(PERIOD);
    let mut calls = tokio::task::JoinSet::new();
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let user = contracts::users::seeded_user_id(u32::try_from(sent % 1000).unwrap_or(0));
        let body = json!({"user_id": user, "items": [{"sku": "KILL-1", "quantity": 1 + sent % 5, "unit_price_cents": 199}]});
        let (request, accepted) = (client.post(&url).json(&body), accepted.clone());
        calls.spawn(async move {
            // A response may be lost; a 202 is a promise.
            let Ok(answer) = request.send().await else { return };
            if answer.status() == 202
                && let Ok(order) = answer.json::<Value>().await
            {
                accepted.lock().expect("not poisoned").extend(order["id"].as_str().map(str::to_owned));
            }
        });
        sent += 1;
    }
    calls.join_all().await;
    sent
}

fn kill(lab: &Lab, victim: &str) -> u64 {
    let part = lab.part(victim);
    lab::kill(&part["pid"]);
    part["restarts"].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_accepted_order_is_lost_or_doubled_when_every_process_is_killed_in_turn() {
    let Some(lab) = Lab::up(&["--no-load", "--trace-ratio", "0.01"]).await else { return };
    let url = format!("http://127.0.0.1:{}/orders", lab.port("order-api", "order-api"));
    let database = |name: &str| lab.database(name);
    let orders = Orders::start(url);

    for victim in VICTIMS {
        let goal = orders.count() + BETWEEN;
        eventually(BACK, || async {
            let count = orders.count();
            if count >= goal {
                Ok(())
            } else {
                Err(format!("{count} of {goal} orders accepted before killing {victim}"))
            }
        })
        .await;
        let restarts = kill(&lab, victim);
        eventually(BACK, || async {
            let part = lab.part(victim);
            let back = part["ready"] == true && part["restarts"].as_u64() > Some(restarts);
            if back { Ok(()) } else { Err(format!("{victim} is not back: {part}")) }
        })
        .await;
    }
    let goal = orders.count() + BETWEEN;
    eventually(BACK, || async {
        if orders.count() >= goal {
            Ok(())
        } else {
            Err("too few orders were accepted after the last kill".to_owned())
        }
    })
    .await;

    let (accepted, sent) = orders.stop().await;
    let report = eventually(REST, || async {
        let report = invariants::check(&database("orders"), &database("fulfillment"), &accepted).await;
        let report = report.map_err(|error| error.to_string())?;
        if report.holds() { Ok(report) } else { Err(report.to_string()) }
    })
    .await;
    println!("{sent} sent, {} accepted; {report}", accepted.len());
    assert!(accepted.len() >= BETWEEN * (VICTIMS.len() + 1));
    lab.down();
}
