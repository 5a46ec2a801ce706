//! `lab gitops`: what nobody else approved, what cannot be read and what its own rules refuse is not what should run, whichever
//! way it comes. What is approved is in force on a lab within seconds.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use crate::lab::{Lab, eventually, text};

/// A commit is in force within a second or two; another lab may be starting meanwhile.
pub(crate) const SOON: Duration = Duration::from_secs(90);

pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn gitops(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.arg("--dir").arg(self.path("lab")).arg("gitops").args(args).output().expect("lab runs")
    }

    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.gitops(args);
        assert!(output.status.success(), "lab gitops {args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let output = self.gitops(args);
        assert!(!output.status.success(), "lab gitops {args:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    /// A folder with the state, and this added to its file.
    pub(crate) fn state(&self, name: &str, more: &str) -> String {
        let folder = self.path(name);
        let place = folder.display().to_string();
        self.ok(&["checkout", &place]);
        let file = folder.join("desired.yaml");
        let state = fs::read_to_string(&file).expect("a state");
        fs::write(file, format!("{state}{more}")).expect("a state");
        place
    }
}

/// Git in a folder, without the settings of the person who runs the test.
fn git(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(args).env("GIT_CONFIG_GLOBAL", "/dev/null");
    for (name, value) in [("NAME", "ada"), ("EMAIL", "ada@localhost")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    command.output().expect("git runs")
}

#[test]
fn a_change_is_proposed_by_one_person_and_put_into_force_by_another() {
    let desk = Desk::new();
    let state = desk.state("state", "limit: {rps: 20, burst: 40}\n");
    let proposed = desk.ok(&["propose", &state, "--by", "ada", "--why", "Let fewer in"]);
    assert!(proposed.contains("proposal 1"), "{proposed}");
    assert_eq!(desk.ok(&["diff", "--proposal", "1"]).trim(), "limit: nothing -> rps=20 burst=40");
    let own = desk.refused(&["approve", "1", "--by", "ada"]);
    assert!(own.contains("ada wrote it and approved it: somebody else has to"), "{own}");
    assert!(!desk.ok(&["show"]).contains("rps=20"), "nothing was applied");
    desk.ok(&["approve", "1", "--by", "eve"]);
    assert!(desk.ok(&["show"]).contains("limit = rps=20 burst=40"));
    let log = desk.ok(&["log"]);
    assert!(log.contains("ada, approved by eve: Let fewer in"), "{log}");
    desk.ok(&["revert", "main", "--by", "eve", "--why", "It was too few"]);
    desk.ok(&["approve", "1", "--by", "ada"]);
    assert!(!desk.ok(&["show"]).contains("rps=20"));
}

#[test]
fn a_rule_that_fails_its_own_cases_and_a_state_that_cannot_be_read_are_refused() {
    let desk = Desk::new();
    let state = desk.state("state", "modes: {sql-injection: perhaps}\n");
    let wrong = desk.refused(&["propose", &state, "--by", "ada", "--why", "Try it"]);
    assert!(wrong.contains("modes.sql-injection: expected one of off, simulate, enforce"), "{wrong}");
    let state = desk.state("rules", "");
    let rules = Path::new(&state).join("waf");
    fs::create_dir(&rules).expect("a folder");
    let rule = include_str!("../../../waf/path-traversal.yaml");
    let backwards = rule.replace("verdict: pass", "verdict: block");
    assert_ne!(rule, backwards);
    fs::write(rules.join("path-traversal.yaml"), backwards).expect("a rule");
    desk.ok(&["propose", &state, "--by", "ada", "--why", "Guard the files"]);
    let wrong = desk.refused(&["approve", "1", "--by", "eve"]);
    assert!(wrong.contains("path-traversal"), "{wrong}");
    assert!(!desk.ok(&["show"]).contains("path-traversal"), "nothing was applied");
}

#[test]
fn a_push_passes_the_same_gate() {
    let desk = Desk::new();
    desk.ok(&["show"]);
    let clone = desk.path("clone");
    let from = desk.path("lab/gitops.git").display().to_string();
    let cloned = git(desk.folder.path(), &["clone", "--quiet", &from, "clone"]);
    assert!(cloned.status.success(), "{}", text(&cloned.stderr));
    let file = clone.join("desired.yaml");
    let state = fs::read_to_string(&file).expect("a state");
    fs::write(&file, format!("{state}firewall: true\n")).expect("a state");
    assert!(git(&clone, &["commit", "--quiet", "--all", "-m", "Keep the firewall on"]).status.success());
    let push = git(&clone, &["push", "--quiet", "origin", "HEAD:main"]);
    let said = text(&push.stderr);
    assert!(!push.status.success() && said.contains("nobody has approved it"), "{said}");
    assert!(!desk.ok(&["show"]).contains("firewall"), "nothing was applied");
    let message = "Keep the firewall on\n\nApproved-by: eve";
    assert!(git(&clone, &["commit", "--quiet", "--amend", "-m", message]).status.success());
    let push = git(&clone, &["push", "--quiet", "origin", "HEAD:main"]);
    assert!(push.status.success(), "{}", text(&push.stderr));
    assert!(desk.ok(&["show"]).contains("firewall = true"));
}

/// Waits until the rule `scanners` has this mode on both edges, order-api its circuit breaker or not, and the lab says that it is as
/// it should be.
async fn in_force(lab: &Lab, mode: &str, breaker: bool) {
    eventually(SOON, || async {
        let (all, status) = (lab.json(&["waf", "list", "--json"]), lab.json(&["gitops", "status", "--json"]));
        let has = |edge: &str| {
            let rules = all[edge]["rules"].as_array();
            rules.is_some_and(|rules| {
                rules.iter().any(|rule| rule["id"] == "scanners" && rule["mode"] == mode)
            })
        };
        let protections = lab.json(&["protections", "order-api", "--json"]);
        let switched = protections.as_object().is_some_and(|all| {
            let own = all.values().flat_map(|replica| replica.as_array().into_iter().flatten());
            own.filter(|one| one["name"] == "circuit-breaker").all(|one| one["enabled"] == breaker)
        });
        let synced = status["health"] == "Synced" && status["current"] == true;
        if has("edge") && has("edge-2") && switched && synced { Ok(()) } else { Err(format!("{status}")) }
    })
    .await;
}

#[tokio::test]
async fn what_is_approved_is_in_force_on_every_edge_and_what_is_changed_by_hand_is_set_back() {
    let Some(lab) = Lab::up(&["--no-load", "--replicas", "edge=2"]).await else { return };
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("state");
    let place = folder.display().to_string();
    lab.ok(&["gitops", "checkout", &place]);
    let file = folder.join("desired.yaml");
    let state = fs::read_to_string(&file).expect("a state");
    let after = "  order-worker:\n";
    assert!(state.contains(after), "{state}");
    let state = state.replacen(after, &format!("    flags: {{circuit-breaker: false}}\n{after}"), 1);
    fs::write(&file, format!("{state}modes: {{scanners: simulate}}\n")).expect("a state");
    lab.ok(&["gitops", "propose", &place, "--by", "ada", "--why", "Scanners are only counted"]);
    lab.ok(&["gitops", "approve", "1", "--by", "eve"]);
    let synced = lab.ok(&["gitops", "sync", "--timeout", "90s"]);
    assert!(synced.starts_with("Synced with "), "{synced}");
    in_force(&lab, "simulate", false).await;
    lab.ok(&["waf", "disable", "scanners"]);
    lab.ok(&["protections", "order-api", "circuit-breaker", "on"]);
    in_force(&lab, "simulate", false).await;
    eventually(SOON, || async {
        let status = lab.run(&["gitops", "status"]);
        let said = text(&status.stdout);
        if status.status.success() && said.starts_with("Synced with ") { Ok(()) } else { Err(said) }
    })
    .await;
    lab.ok(&["gitops", "revert", "main", "--by", "eve", "--why", "They are a nuisance"]);
    lab.ok(&["gitops", "approve", "1", "--by", "ada"]);
    in_force(&lab, "enforce", true).await;
    lab.down();
}

/// Commits a rule, as ada, whom eve approves.
fn commits(lab: &Lab, state: &Path, rule: &str, text: &str) {
    let rules = state.join("waf");
    fs::create_dir_all(&rules).expect("a folder");
    fs::write(rules.join(format!("{rule}.yaml")), text).expect("a rule");
    let place = state.display().to_string();
    lab.ok(&["gitops", "propose", &place, "--by", "ada", "--why", "Refuse more"]);
    lab.ok(&["gitops", "approve", "1", "--by", "eve"]);
}

/// Which of the two edges have a pushed rule of this name.
fn pushed(lab: &Lab, rule: &str) -> [bool; 2] {
    let all = lab.json(&["waf", "list", "--json"]);
    ["edge", "edge-2"].map(|edge| {
        let rules = all[edge]["rules"].as_array();
        rules.is_some_and(|rules| rules.iter().any(|one| one["id"] == rule && one["pushed"] == true))
    })
}

#[tokio::test]
async fn a_committed_rule_meets_one_edge_first_and_the_others_only_if_it_costs_little_there() {
    let Some(lab) = Lab::up(&["--rate", "20", "--replicas", "edge=2"]).await else { return };
    let outside = tempfile::tempdir().expect("a folder");
    let state = outside.path().join("state");
    lab.ok(&["gitops", "checkout", &state.display().to_string()]);
    // As in 2019, its cases say what it finds and not what it costs: the gate lets it through.
    let rule = include_str!("../../../waf/incidents/inline-script.yaml");
    let (rule, _) = rule.split_once("  - what: an order\n").expect("the cases that cost");
    commits(&lab, &state, "inline-script", rule);
    eventually(SOON, || async {
        let said = text(&lab.run(&["gitops", "status"]).stdout);
        let stopped = said.starts_with("Degraded") && said.contains("edge had it first: ");
        if stopped { Ok(()) } else { Err(said) }
    })
    .await;
    assert_eq!(pushed(&lab, "inline-script"), [false, false]);

    fs::remove_file(state.join("waf/inline-script.yaml")).expect("the rule");
    let cheap = include_str!("../../../waf/scanners.yaml").replace("title: ", "title: All ");
    commits(&lab, &state, "scanners", &cheap);
    eventually(SOON, || async {
        let said = text(&lab.run(&["gitops", "status"]).stdout);
        if said.starts_with("Synced") { Ok(()) } else { Err(said) }
    })
    .await;
    assert_eq!(pushed(&lab, "scanners"), [true, true]);
    lab.down();
}
