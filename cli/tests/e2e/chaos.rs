//! `lab up --chaos`: services connect through proxies, and an order to the part `chaos` reaches them.

use std::fs;

use chrono::{TimeDelta, Utc};
use contracts::users::seeded_user_id;
use serde_json::{Value, json};

use crate::{
    lab::{BACK, Lab, eventually},
    sandbox,
};

/// Reads a user that was not read before, so that it is not in the cache; the status.
async fn read(lab: &Lab, number: u32) -> u16 {
    let url = format!("http://127.0.0.1:{}/users/{}", lab.named_port("user-service"), seeded_user_id(number));
    reqwest::get(url).await.map_or(0, |answer| answer.status().as_u16())
}

#[tokio::test]
async fn what_is_cut_between_two_parts_is_cut_and_stop_restores_it() {
    let Some(lab) = Lab::up(&["--chaos", "--no-load"]).await else { return };
    let url = lab.variable("user-service", "DATABASE_URL").expect("its database");
    let way = format!("@127.0.0.1:{}/", lab.named_port("chaos-user-service-postgres"));
    assert!(url.contains(&way), "connects past the proxy");
    assert_eq!(read(&lab, 1).await, 200);
    // First: while the way is cut, the orders of the probes fail too.
    sandbox::falls_below_its_line_and_is_repaired(&lab).await;

    let what =
        json!({ "kind": "link", "from": "user-service", "to": "postgres", "conditions": { "gate": "cut" } });
    let until = Utc::now() + TimeDelta::minutes(10);
    let orders = json!({ "revision": 1, "list": [{ "until": until, "what": what }] });
    let folder = lab.dir().join("chaos");
    fs::write(folder.join("orders.new"), orders.to_string()).expect("the lab's folder");
    fs::rename(folder.join("orders.new"), folder.join("orders.json")).expect("the lab's folder");
    eventually(BACK, || async {
        let done = fs::read_to_string(folder.join("done.json")).map_err(|error| error.to_string())?;
        let done: Value = serde_json::from_str(&done).map_err(|error| error.to_string())?;
        if done == json!({ "revision": 1, "refused": [] }) { Ok(()) } else { Err(done.to_string()) }
    })
    .await;
    let status = read(&lab, 2).await;
    assert!(status >= 500, "{status}");

    lab.ok(&["chaos", "stop"]);
    eventually(BACK, || async {
        match read(&lab, 3).await {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    })
    .await;
    lab.down();
}
