//! `lab up --chaos`: services connect through proxies, and an order to the part `chaos` reaches them. And the commands
//! that give such orders: an experiment and the monkey end what they begin.

use std::{collections::BTreeSet, fs, time::Duration};

use chrono::{TimeDelta, Utc};
use contracts::users::seeded_user_id;
use serde_json::{Value, json};

use crate::{
    lab::{BACK, Lab, eventually, text},
    sandbox,
};

/// For a run that counts: on a busy machine, a few slow requests burn a young budget, and a run may stop before its first
/// strike.
const TRIES: Duration = Duration::from_secs(240);
/// The way to the database is a little slower for three seconds. `ABORT` is what stops it.
const EXPERIMENT: &str = "\
title: The way to the database is a little slower
hypothesis: Nobody notices.
scope: {services: [order-api], budget: 100%}
steady_state:
  - {name: orders are answered, query: 'slo:sli_error:ratio_rate5s{slo=\"order-availability\"} < 0.0144'}
holds: 2s
method:
  - {network: {from: order-api, to: postgres, latency: 5ms}, lasts: 3s}
abort:
  - {name: it is time to stop, query: 'ABORT'}
recover_within: 60s
";
/// Within a minute, this seed has one strike: from 30 s on, 5 % of the requests to order-api fail, for 27 s. (`--dry-run`
/// shows it.)
const SEED: &str = "552";

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

#[tokio::test]
async fn an_experiment_and_the_monkey_end_what_they_begin_and_keep_to_their_bounds() {
    let Some(lab) = Lab::up(&["--chaos", "--rate", "40"]).await else { return };
    a_hypothesis_holds(&lab).await;
    an_experiment_that_is_stopped_knows_nothing(&lab).await;
    the_monkey_breaks_something_within_its_budget(&lab).await;
    lab.down();
}

/// Runs the experiment; its exit code and its report. If it broke something, no order is left.
fn experiment(lab: &Lab, abort: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("experiment.yaml");
    fs::write(&file, EXPERIMENT.replace("ABORT", abort)).expect("a file");
    let output = lab.run(&["chaos", "run", &file.to_string_lossy(), "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    if report["passes"][0]["ending"] != "invalid" {
        let orders = fs::read(lab.dir().join("chaos/orders.json")).expect("the part `chaos` was told");
        let orders: Value = serde_json::from_slice(&orders).expect("JSON");
        assert_eq!(orders["list"], json!([]), "an order is left: {report:#}");
    }
    (output.status.code(), report)
}

async fn a_hypothesis_holds(lab: &Lab) {
    let (code, report) = eventually(TRIES, || async {
        match experiment(lab, "vector(0) > 1") {
            // What is not known is found out by another try.
            (Some(2), report) => Err(format!("{report:#}")),
            (code, report) => Ok((code, report)),
        }
    })
    .await;
    assert_eq!((code, &report["holds"]), (Some(0), &true.into()), "{report:#}");
    assert_eq!(report["findings"], json!([]), "{report:#}");
    let passes = report["passes"].as_array().expect("passes");
    let [pass] = passes.as_slice() else { panic!("one pass without a pair: {report:#}") };
    assert_eq!((&pass["ending"], &pass["deviations"]), (&"steady".into(), &json!([])), "{report:#}");
    assert!(pass["recovered_after"].is_number(), "{report:#}");
}

async fn an_experiment_that_is_stopped_knows_nothing(lab: &Lab) {
    let (code, report) = eventually(TRIES, || async {
        let (code, report) = experiment(lab, "vector(1)");
        // It could not begin: something was not steady before.
        if report["passes"][0]["ending"] == "invalid" {
            return Err(format!("{report:#}"));
        }
        Ok((code, report))
    })
    .await;
    assert_eq!((code, &report["holds"]), (Some(2), &Value::Null), "{report:#}");
    let pass = &report["passes"][0];
    assert_eq!(pass["ending"], "aborted", "{report:#}");
    assert!(pass["why"].as_str().is_some_and(|why| why.contains("it is time to stop")), "{report:#}");
}

async fn the_monkey_breaks_something_within_its_budget(lab: &Lab) {
    let args = ["chaos", "monkey", "--for", "1m", "--seed", SEED, "--budget", "100%", "--json"];
    let report = eventually(TRIES, || async {
        let output = lab.run(&args);
        let said = text(&output.stderr);
        let report: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {said}"))?;
        // The budget was burned before the strike by what else runs on this machine.
        if report["strikes"] == json!([]) {
            return Err(format!("{report:#}"));
        }
        assert!(output.status.success(), "everything comes back: {said}\n{report:#}");
        Ok(report)
    })
    .await;
    let strikes = report["strikes"].as_array().expect("strikes");
    let [strike] = strikes.as_slice() else { panic!("one strike: {report:#}") };
    assert_eq!(
        (&strike["service"], &strike["fault"]),
        (&"order-api".into(), &"http-error".into()),
        "{report:#}"
    );
    let burned = report["burned"].as_object().expect("budgets");
    assert!(burned.values().any(|share| share.as_f64() > Some(0.0)), "users felt it: {report:#}");
    assert!(burned.values().all(|share| share.as_f64() < Some(1.0)), "within the budget: {report:#}");
    assert!(strike["recovered_after"].is_number(), "{report:#}");
    assert_eq!(lab.faults(), BTreeSet::new(), "no fault is left");
}
