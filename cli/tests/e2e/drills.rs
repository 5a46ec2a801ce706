//! Drills through the command: one is proven, doing nothing fails, an abort and SIGKILL leave nothing behind, and
//! a person's run has a score. More of them are proven by `cargo xtask test`, in a step of its own.

use std::{collections::BTreeSet, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::process::Command;

use crate::lab::{BACK, Lab, eventually, text};

/// Drills with one cause, one page and one way out.
const QUICK: [&str; 2] = ["first-page", "second-try"];
/// What the switches require: without it, they tell everybody which fault is on.
const TOKEN: &str = "opens";
/// From the start of a run until its fault is set, pages, or is gone: Prometheus forgets and starts again,
/// and the shop has to be well for a while.
const SOON: Duration = Duration::from_secs(300);

impl Lab {
    /// Where the run is that is on.
    fn drill(&self) -> Value {
        self.json(&["drill", "status", "--json"])
    }

    /// Faults that are on, without the one of the lab's hello-world.
    pub(crate) fn faults(&self) -> BTreeSet<String> {
        let status = self.json(&["status", "--reveal", "--json"]);
        let faults = status["faults"].as_array().expect("the active faults").iter();
        let names = faults.map(|one| one["fault"].as_str().expect("a name").to_owned());
        names.filter(|name| name != "risky").collect()
    }

    /// Waits until the drill has broken something.
    async fn broken(&self) {
        eventually(SOON, || async {
            let faults = self.faults();
            if faults.is_empty() { Err(format!("nothing is broken: {:#}", self.drill())) } else { Ok(()) }
        })
        .await;
    }
}

#[tokio::test]
async fn a_drill_is_proven_and_nothing_tells_its_answer() {
    let Some(lab) = Lab::up(&["--rate", "50", "--faults-token", TOKEN]).await else { return };
    one_is_proven(&lab);
    to_do_nothing_fails_and_nothing_tells_the_answer(&lab);
}

#[tokio::test]
async fn a_drill_is_aborted_and_another_one_done_by_a_person() {
    let Some(lab) = Lab::up(&["--rate", "50"]).await else { return };
    an_abort_leaves_nothing_behind(&lab).await;
    a_person_gets_a_score(&lab).await;
}

#[tokio::test]
async fn a_kill_of_the_control_room_or_of_lab_leaves_nothing_broken() {
    let Some(lab) = Lab::up(&["--rate", "50"]).await else { return };
    a_run_outlives_the_control_room(&lab).await;
    a_verification_outlives_its_command(&lab).await;
}

fn one_is_proven(lab: &Lab) {
    let junit = lab.dir().join("drills.xml");
    let measured = lab.dir().join("measured.json");
    let (path, times) = (junit.to_string_lossy(), measured.to_string_lossy());
    let args: [&str; 8] = ["drill", "verify", QUICK[0], "--timings", "--junit", &path, "--measured", &times];
    let output = lab.run(&[&["--faults-token", TOKEN][..], &args].concat());
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}\n{}", text(&output.stderr));
    assert!(shown.contains("1 of 1 passed"), "{shown}");
    assert!(shown.contains("OrderAvailabilityBudgetBurn") && !shown.contains("never"), "{shown}");
    let written = std::fs::read_to_string(&junit).expect("the report");
    assert_eq!(written.matches("</testsuite>").count(), 1, "{written}");
    assert!(written.contains("classname=\"drill.first-page\"") && !written.contains("<failure"), "{written}");
    let times: Value = serde_json::from_slice(&std::fs::read(&measured).expect("the times")).expect("JSON");
    let page = times["first-page"]["OrderAvailabilityBudgetBurn"].as_f64();
    assert!(page.is_some_and(|seconds| (0.0..20.0).contains(&seconds)), "{times:#}");
}

fn to_do_nothing_fails_and_nothing_tells_the_answer(lab: &Lab) {
    let args = ["drill", "validity", QUICK[0], "--check", "nothing", "--check", "leaks", "--json"];
    let sheets = lab.json(&[&["--faults-token", TOKEN][..], &args].concat());
    let sheet = &sheets[0];
    assert_eq!(
        (&sheet["nothing"]["is"], &sheet["nothing"]["said"]),
        (&"right".into(), &"fails".into()),
        "{sheet:#}"
    );
    assert_eq!(sheet["leaks"]["is"], "right", "{sheet:#}");
    assert_eq!(sheet["found"].as_array().map(Vec::len), Some(0), "{sheet:#}");
    let runs = lab.ok(&["drill", "show", QUICK[0]]);
    assert!(runs.contains("nothing") && runs.contains("failed"), "both runs are listed:\n{runs}");
}

async fn an_abort_leaves_nothing_behind(lab: &Lab) {
    let begun = lab.json(&["drill", "start", QUICK[0], "--as", "ada", "--json"]);
    assert_eq!(begun["responder"], "ada", "{begun:#}");
    assert_eq!(begun["truth"], Value::Null, "a trainee does not learn the truth");
    let second = lab.run(&["drill", "start", QUICK[1], "--as", "ben"]);
    assert!(
        !second.status.success() && text(&second.stderr).contains("is under way"),
        "{}",
        text(&second.stderr)
    );
    lab.broken().await;
    let aborted = lab.json(&["drill", "abort", "a test", "--as", "ada", "--json"]);
    assert_eq!(
        (&aborted["verdict"], &aborted["phase"]),
        (&"aborted".into(), &"finished".into()),
        "{aborted:#}"
    );
    assert_eq!(lab.faults(), BTreeSet::new());
    assert_eq!(lab.drill(), Value::Null);
    let nobody = lab.run(&["drill", "hint"]);
    assert!(text(&nobody.stderr).contains("no drill runs"), "{}", text(&nobody.stderr));
}

async fn a_run_outlives_the_control_room(lab: &Lab) {
    let begun = lab.json(&["drill", "start", QUICK[0], "--as", "ada", "--json"]);
    lab.broken().await;
    lab.kill_the_control_room().await;
    let found = lab.drill();
    assert_eq!((&found["id"], &found["phase"]), (&begun["id"], &"observe".into()), "{found:#}");
    assert_ne!(lab.faults(), BTreeSet::new(), "what is broken outlives the control room");
    let aborted = lab.json(&["drill", "abort", "a test", "--as", "ada", "--json"]);
    assert_eq!(
        (&aborted["verdict"], &aborted["phase"]),
        (&"aborted".into(), &"finished".into()),
        "{aborted:#}"
    );
    is_as_before(lab).await;
}

async fn a_verification_outlives_its_command(lab: &Lab) {
    let mut command = Command::from(lab.command(&["drill", "verify", QUICK[0]]));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut verify = command.spawn().expect("lab runs");
    lab.broken().await;
    verify.kill().await.expect("it takes SIGKILL");
    let run = lab.drill();
    assert_eq!(run["ended_at"], Value::Null, "killed in the middle: {run:#}");
    assert_ne!(run, Value::Null, "the control room continues alone");
    eventually(SOON, || async {
        let run = lab.drill();
        if run.is_null() { Ok(()) } else { Err(format!("not over: {run:#}")) }
    })
    .await;
    is_as_before(lab).await;
}

/// No run, no fault, and the load that the lab was started with.
async fn is_as_before(lab: &Lab) {
    assert_eq!(lab.drill(), Value::Null);
    assert_eq!(lab.faults(), BTreeSet::new());
    eventually(BACK, || async {
        let load = lab.query("max(load_target_rps)").await;
        let asked = load.first().and_then(|one| one["value"][1].as_str());
        if asked == Some("50") { Ok(()) } else { Err(format!("not 50 requests per second: {load:?}")) }
    })
    .await;
}

async fn a_person_gets_a_score(lab: &Lab) {
    lab.ok(&["drill", "start", QUICK[0], "--as", "ada"]);
    // Until it begins, an incident is one of the drill before: it is dismissed then.
    eventually(SOON, || async {
        let run = lab.drill();
        if run["phase"] == "observe" { Ok(()) } else { Err(format!("not begun: {run:#}")) }
    })
    .await;
    let incident = eventually(SOON, || async {
        let open = lab.json(&["incident", "list", "--json"]);
        let found = open[0]["id"].as_str().map(str::to_owned);
        found.ok_or_else(|| format!("nobody was paged: {:#}", lab.drill()))
    })
    .await;
    let ada = |args: &[&str]| lab.ok(&[args, &["--as", "ada"]].concat());
    ada(&["incident", "ack", &incident]);
    assert!(ada(&["drill", "hint"]).contains("points"), "a hint has its price");
    ada(&["drill", "update", "orders fail since the release; rolling it back"]);
    ada(&["drill", "act", "rollback", "order-api-1-8"]);
    let query = "sum(rate(http_requests_total{job=\"order-api\", status=~\"5..\"}[1m]))";
    let answer = ["--component", "order-api", "--mechanism", "bad-release", "--change", "order-api-1-8"];
    ada(&[&["drill", "answer"][..], &answer, &["--onset", "20s", "--evidence", query]].concat());
    ada(&["drill", "submit"]);
    eventually(BACK, || async {
        let run = lab.drill();
        if run.is_null() { Ok(()) } else { Err(format!("not over: {run:#}")) }
    })
    .await;
    let run = lab.json(&["drill", "report", "--json", "--as", "ada"]);
    assert_eq!(run["verdict"], "passed", "{run:#}");
    let total = run["score"]["total"].as_u64();
    assert!(total.is_some_and(|total| total >= 60), "{:#}", run["score"]);
    assert_eq!(run["truth"]["change"], "order-api-1-8", "afterwards everybody knows");
    let page = lab.ok(&["drill", "report", "--as", "ada"]);
    assert!(page.contains("## Score") && page.contains("## What I learned"), "{page}");
    assert_eq!(lab.faults(), BTreeSet::new());
}
