//! What `up` promises; a fault from its start through its page to its end; and that nothing is left behind.

use std::time::Duration;

use crate::{
    access, classic,
    dashboards::get,
    lab::{BACK, Lab, eventually, kill, text},
};

/// Time for an alert to fire, or to end: seconds by its rule, with a margin for a busy machine.
const PAGE: Duration = Duration::from_secs(60);

/// From the start of a lab until everything is ready, in milliseconds, its databases created first. No other lab runs beside this
/// one.
const READY_MS: u64 = 5_000;

async fn until(what: &str, deadline: Duration, holds: impl AsyncFn() -> bool) {
    eventually(deadline, || async { if holds().await { Ok(()) } else { Err(format!("not yet: {what}")) } })
        .await;
}

#[tokio::test]
async fn a_lab_comes_up_breaks_pages_is_fixed_and_goes_down_without_a_trace() {
    let Some(lab) = Lab::up(&["--rate", "40"]).await else { return };
    let status = lab.status();
    assert_eq!(status["ready"], true, "{status:#}");
    assert!(status["memory"]["rss"].as_u64() > Some(0));
    println!("everything was ready after {} ms", status["ready_ms"]);
    assert!(status["ready_ms"].as_u64().is_some_and(|ready| ready <= READY_MS), "{status:#}");
    classic::every_query_has_data(&format!("http://127.0.0.1:{}", lab.named_port("prometheus"))).await;
    assert_eq!(lab.alerts(), [], "a healthy lab has nothing pending or firing");
    access::says_which_client_got_404s(&lab).await;

    let broken = lab.ok(&["break", "order-api", "http-error", "rate=0.5", "ttl=5m"]);
    assert!(broken.contains("curl -X PUT"), "{broken}");
    let fires = |name: &str| lab.alerts().contains(&(name.to_owned(), "firing".to_owned()));
    until("HighErrorRate fires", PAGE, async || fires("HighErrorRate")).await;
    let traces = lab.json(&["traces", "--error", "--json"]);
    let id =
        traces["data"][0]["traceID"].as_str().unwrap_or_else(|| panic!("no trace with an error: {traces}"));
    let trace = lab.ok(&["trace", id]);
    assert!(trace.contains("order-api"), "{trace}");
    let logs = lab.ok(&["logs", "--level", "error", "--service", "order-api"]);
    assert!(logs.contains("ERROR"), "{logs}");
    assert!(!logs.contains("http-error"), "logs do not name the fault");

    lab.ok(&["fix"]);
    until("HighErrorRate ends", PAGE, async || !fires("HighErrorRate")).await;
    // The tickets of the objective have windows of minutes, as intended; a reset clears them.
    until("the windows are emptied", PAGE, async || lab.run(&["slo", "reset"]).status.success()).await;
    until("nothing fires", PAGE, async || lab.alerts().is_empty()).await;

    let ports = lab.ports();
    assert!(ports.len() > 10, "{ports:?}");
    lab.ok(&["down"]);
    lab.assert_gone(&ports);
    assert!(!lab.run(&["status"]).status.success(), "no lab runs");
}

#[tokio::test]
async fn killed_processes_come_back_even_the_supervisor() {
    let Some(lab) = Lab::up(&["--no-load"]).await else { return };
    let before = lab.part("user-service");
    kill(&before["pid"]);
    until("user-service is back", BACK, async || {
        let part = lab.part("user-service");
        part["ready"] == true && part["restarts"] == 1 && part["pid"] != before["pid"]
    })
    .await;

    let before = lab.part("redis");
    kill(&lab.status()["supervisor"]);
    until("the supervisor is gone", BACK, async || lab.status()["supervisor"].is_null()).await;
    let again = lab.start(&["--no-load"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_ne!(lab.part("redis")["pid"], before["pid"], "leftover processes were ended first");

    let twice = lab.start(&[]);
    assert!(text(&twice.stderr).contains("already runs"), "{}", text(&twice.stderr));

    kill(&lab.status()["supervisor"]);
    lab.down();
}

#[tokio::test]
async fn the_production_clock_loads_its_own_rules_and_is_named() {
    let Some(lab) = Lab::up(&["--clock", "production", "--no-load"]).await else { return };
    assert_eq!(lab.status()["clock"], "production");
    let url = format!("http://127.0.0.1:{}/api/v1/rules", lab.named_port("prometheus"));
    let rules = get(&url, &[]).await;
    let groups = rules["data"]["groups"].as_array().expect("groups");
    let of_orders: Vec<_> = groups.iter().filter(|group| group["name"] == "slo-order-availability").collect();
    let [group] = of_orders[..] else { panic!("one clock: {of_orders:?}") };
    assert!(group["file"].as_str().is_some_and(|file| file.ends_with("rules/production/slo.yml")), "{group}");
    assert_eq!(group["interval"], 60.0);
    let explained = lab.ok(&["slo", "explain", "OrderAvailabilityBudgetSpent"]);
    assert!(explained.contains("production clock"), "{explained}");
    let refused = lab.run(&["slo", "detect"]);
    assert!(text(&refused.stderr).contains("measures on the lab's clock"), "{}", text(&refused.stderr));
}

#[tokio::test]
async fn a_token_guards_the_switches_and_lab_uses_it() {
    let Some(lab) = Lab::up(&["--no-load", "--faults-token", "opens"]).await else { return };
    let refused = lab.run(&["break", "order-api", "http-error"]);
    assert!(text(&refused.stderr).contains("Authorization"), "{}", text(&refused.stderr));
    let broken = lab.ok(&["--faults-token", "opens", "break", "order-api", "http-error"]);
    assert!(!broken.contains("opens"), "the token is not printed: {broken}");
    lab.ok(&["--faults-token", "opens", "fix"]);
}

#[tokio::test]
async fn errors_say_what_would_be_right() {
    let Some(lab) = Lab::up(&["--no-load"]).await else { return };
    for (args, hint) in [
        (&["break", "order-ap", "http-error"][..], "user-service, order-worker, order-api"),
        (&["break", "order-api", "http-eror"], "http-error"),
        (&["break", "order-api", "http-error", "rte=1"], "rate"),
        (&["break", "order-api", "http-error", "rate=2"], "rate"),
        (&["break", "order-api", "http-error", "ttl=2h"], "ttl"),
        (&["fix", "order-api", "nonsense"], "http-error"),
        (&["protections", "order-api", "seatbelt", "off"], "circuit-breaker"),
        (&["logs", "--service", "nobody"], "order-api"),
        (&["logs", "--status", "40"], "such as 404"),
        (&["logs", "--top", "ip"], "route, status, peer"),
        (&["logs", "--status", "404", "--level", "warn"], "--level"),
        (&["trace", "xyz"], "hexadecimal"),
        (&["trace", "0af7651916cd43dd8448eb211c80319c"], "0af7651916cd43dd8448eb211c80319c"),
    ] {
        let output = lab.run(args);
        assert!(!output.status.success(), "lab {args:?} succeeded");
        assert!(text(&output.stderr).contains(hint), "lab {args:?}: {}", text(&output.stderr));
    }
}
