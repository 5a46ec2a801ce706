//! Restarts in order: a process is asked to stop, drains, and is started again by what keeps it up, the supervisor
//! of a lab on this machine or the Deployment in a cluster. Several replicas one after the other, each once the one
//! before is ready, so that a service with replicas never stops as a whole.
//!
//! The supervisor is told in advance, so that it neither counts a crash nor waits before the next start.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    time::{Duration, Instant},
};

use chrono::Utc;

use super::{Outcome, silence, time};
use crate::{
    Cluster, Error, Lab, Place, Result, Tools,
    tools::{process::Process, state::Part},
};

/// How long things may take.
struct Pace {
    /// To stop in order; then it is killed.
    grace: Duration,
    /// Until it is ready again.
    ready: Duration,
}

/// The supervisor gives as much grace when the lab stops.
const USUAL: Pace = Pace { grace: Duration::from_secs(12), ready: Duration::from_secs(60) };
/// How long a killed process may take to disappear.
pub(super) const KILLED: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// The rule looks back for a minute; before that, the process has to stop and to start.
const MUTED: Duration = Duration::from_secs(120);

pub(super) async fn act(place: &Place, tools: &Tools, target: &str, dry: bool) -> Result<Vec<Outcome>> {
    if let Place::Kubernetes(cluster) = place {
        return in_cluster(cluster, target, dry).await;
    }
    let lab = lab(tools, target)?;
    let parts = lab.state()?.restartable(target)?;
    if dry {
        return Ok(parts.iter().map(|part| Outcome::good(&part.name, would(part))).collect());
    }
    Ok(each(lab, &parts, tools, &USUAL).await)
}

/// One after the other; those behind one that does not come back stay as they are.
async fn each(lab: &Lab, parts: &[Part], tools: &Tools, pace: &Pace) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut stuck: Option<&str> = None;
    for part in parts {
        if let Some(other) = stuck {
            outcomes.push(Outcome::bad(&part.name, format!("left as it is, because {other} is not ready")));
            continue;
        }
        match one(lab, part, tools, pace).await {
            Ok(text) => outcomes.push(Outcome::good(&part.name, text)),
            Err(error) => {
                stuck = Some(&part.name);
                outcomes.push(Outcome::bad(&part.name, error.to_string()));
            }
        }
    }
    outcomes
}

/// Which processes there are: others, once they were restarted.
pub(super) async fn mark(place: &Place, tools: &Tools, target: &str) -> Result<String> {
    if let Place::Kubernetes(cluster) = place {
        let pods = cluster.meant(target).await?;
        return Ok(pods.iter().map(|pod| pod.name.as_str()).collect::<Vec<_>>().join(" "));
    }
    let parts = lab(tools, target)?.state()?.restartable(target)?;
    let process = |part: &Part| match part.process {
        Some(Process { pid, started }) => format!("{}={pid}/{started}", part.name),
        None => format!("{}=none", part.name),
    };
    Ok(parts.iter().map(process).collect::<Vec<_>>().join(" "))
}

fn lab<'t>(tools: &'t Tools, target: &str) -> Result<&'t Lab> {
    let elsewhere =
        format!("elsewhere: docker compose restart {target}, or kubectl rollout restart deployment/{target}");
    tools.lab(&format!("{target} cannot be restarted"), &elsewhere)
}

async fn in_cluster(cluster: &Cluster, target: &str, dry: bool) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for pod in cluster.meant(target).await? {
        if dry {
            outcomes.push(Outcome::good(&pod.name, "would be deleted, and replaced by its Deployment"));
            continue;
        }
        match cluster.replace(&pod).await {
            Ok(()) => outcomes.push(Outcome::good(&pod.name, "was replaced, and all replicas are ready")),
            Err(error) => {
                outcomes.push(Outcome::bad(&pod.name, error.to_string()));
                // No second replica goes while one is missing.
                break;
            }
        }
    }
    Ok(outcomes)
}

fn would(part: &Part) -> String {
    match part.process.filter(|process| process.alive()) {
        Some(process) => {
            let since = part.started_at.and_then(|at| (Utc::now() - at).to_std().ok());
            let since = since.map_or_else(String::new, |up| format!(", up for {}", time::words(up)));
            format!("pid {}{since}, would be asked to stop and started again", process.pid)
        }
        None => format!("does not run now ({}): its supervisor starts it again by itself", part.status),
    }
}

/// One process; returns what happened.
async fn one(lab: &Lab, part: &Part, tools: &Tools, pace: &Pace) -> Result<String> {
    let begun = Instant::now();
    let mut said = Vec::new();
    if let Some(process) = part.process.filter(|process| process.alive()) {
        let muted = silence::planned(tools, part, MUTED).await.is_ok();
        let failed = |error: io::Error| Error::Lab(format!("{} cannot be stopped: {error}", part.name));
        announce(lab, &part.name, process).map_err(failed)?;
        process.terminate().map_err(failed)?;
        let orderly = process.ended(pace.grace).await;
        if !orderly {
            process.kill();
            process.ended(KILLED).await;
        }
        let how = if orderly { "stopped" } else { "did not stop in time and was killed" };
        said.push(format!("pid {} {how}", process.pid));
        if muted {
            said.push(format!("ProcessRestarted is muted for {}", time::words(MUTED)));
        }
    }
    let now = back(lab, part, pace.ready).await?;
    let took = begun.elapsed().as_secs_f64();
    said.insert(1.min(said.len()), format!("pid {} is ready after {took:.1} s", now.pid));
    Ok(said.join(", "))
}

/// Tells the supervisor that this process is stopped on request: `supervisor::Folder::restart`.
fn announce(lab: &Lab, part: &str, process: Process) -> io::Result<()> {
    let folder = lab.dir.join("restart");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let draft = folder.join(format!("{part}.new"));
    // One that is left has another process in it.
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&serde_json::to_vec(&process)?)?;
    fs::rename(&draft, folder.join(part))
}

/// Waits until another process of the part is ready.
pub(super) async fn back(lab: &Lab, part: &Part, within: Duration) -> Result<Process> {
    let deadline = Instant::now() + within;
    loop {
        let state = lab.state()?;
        let now = state.part(&part.name);
        let ready = now.filter(|now| now.status == "ready").and_then(|now| now.process);
        if let Some(process) = ready.filter(|process| Some(*process) != part.process && process.alive()) {
            return Ok(process);
        }
        if Instant::now() > deadline {
            let status = now.map_or("gone", |now| now.status.as_str());
            let within = within.as_secs();
            return Err(Error::Lab(format!("not ready within {within} s, it is {status}: see `lab status`")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Processes of this test stand for a lab in which nobody starts anything again.
    #[tokio::test]
    async fn a_process_that_ignores_the_request_is_killed_and_the_replicas_behind_it_are_left_alone() {
        let shell = || {
            let mut command = tokio::process::Command::new("sh");
            // The shell says when nothing can stop it any more.
            command.args(["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]);
            command.process_group(0).stdout(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap()
        };
        let (mut first, mut second) = (shell(), shell());
        for child in [&mut first, &mut second] {
            let mut ready = [0; 6];
            let output = child.stdout.as_mut().unwrap();
            tokio::io::AsyncReadExt::read_exact(output, &mut ready).await.unwrap();
        }
        let Some(me) = Process::of(std::process::id()) else {
            eprintln!("SKIPPED: there is no /proc here");
            return;
        };
        let part = |name: &str, of: Option<&str>, process: Option<Process>| {
            json!({
                "name": name, "instance_of": of, "admin": "http://127.0.0.1:1", "ports": {},
                "status": "ready", "process": process, "started_at": null,
            })
        };
        let of = |child: &tokio::process::Child| child.id().and_then(Process::of);
        let parts =
            [part("order-api", None, of(&first)), part("order-api-2", Some("order-api"), of(&second))];
        let state = json!({ "supervisor": me, "phase": { "name": "ready" }, "parts": parts });
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("state.json"), state.to_string()).unwrap();
        let lab = Lab { root: "/".into(), dir: folder.path().into(), program: "lab".into() };
        let parts = lab.state().unwrap().restartable("order-api").unwrap();
        let soon = Pace { grace: Duration::from_millis(200), ready: Duration::from_millis(200) };
        let outcomes = each(&lab, &parts, &Tools::default(), &soon).await;
        let texts: Vec<(bool, &str)> = outcomes.iter().map(|one| (one.ok, one.text.as_str())).collect();
        let stuck = "not ready within 0 s, it is ready: see `lab status`";
        assert_eq!(texts, [(false, stuck), (false, "left as it is, because order-api is not ready")]);
        assert!(!first.wait().await.unwrap().success(), "it was killed");
        assert!(second.try_wait().unwrap().is_none(), "it still runs");
        let announced = fs::read(folder.path().join("restart/order-api")).unwrap();
        assert_eq!(Some(serde_json::from_slice::<Process>(&announced).unwrap()), parts[0].process);
    }
}
