//! Parts of a lab on this machine that are killed and stay stopped, as after a crash from which nothing comes back. The
//! supervisor keeps the time (`supervisor::Folder::held`): a part comes back even if nobody is left who would start it.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::PathBuf,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Outcome,
    restart::{KILLED, back},
};
use crate::{
    Error, Lab, Result, Tools,
    tools::{process::Process, state::Part},
};

/// For how long a part may stay stopped at most.
const LONGEST: Duration = Duration::from_secs(3600);
/// How long it may take until it is ready again.
const READY: Duration = Duration::from_secs(60);
/// How the name of a file ends that is still being written.
const DRAFT: &str = "new";

/// Kills a part, with all of its replicas; it stays stopped for this long, or until it is started.
pub(super) async fn stop(tools: &Tools, target: &str, ttl: Duration, dry: bool) -> Result<Vec<Outcome>> {
    if ttl > LONGEST {
        let expected = "expected at most 1h".to_owned();
        return Err(Error::Wrong { field: "ttl", expected });
    }
    let lab = lab(tools, target)?;
    let parts = lab.state()?.stoppable(target)?;
    if dry {
        let would = |part: &Part| Outcome::good(&part.name, "would be killed, and stay stopped");
        return Ok(parts.iter().map(would).collect());
    }
    let until = Utc::now() + TimeDelta::seconds(i64::try_from(ttl.as_secs()).unwrap_or_default());
    for part in &parts {
        let failed = |error: io::Error| Error::Lab(format!("{} cannot be stopped: {error}", part.name));
        hold(lab, &part.name, until).map_err(failed)?;
    }
    // Whatever runs now: it may have been started since. All at once, as with the machine that they were on.
    let state = lab.state()?;
    let processes: Vec<Process> = parts.iter().filter_map(|part| state.part(&part.name)?.process).collect();
    for process in &processes {
        process.kill();
    }
    for process in processes {
        process.ended(KILLED).await;
    }
    Ok(parts.iter().map(|part| Outcome::good(&part.name, "was killed, and stays stopped")).collect())
}

/// Starts a part that stays stopped, with all of its replicas; it is well if it runs.
pub(super) async fn start(tools: &Tools, target: &str, dry: bool) -> Result<Vec<Outcome>> {
    let lab = lab(tools, target)?;
    let mut outcomes = Vec::new();
    for part in lab.state()?.stoppable(target)? {
        outcomes.push(start_one(lab, part, dry).await?);
    }
    Ok(outcomes)
}

async fn start_one(lab: &Lab, mut part: Part, dry: bool) -> Result<Outcome> {
    let runs = part.status == "ready" && part.process.is_some_and(Process::alive);
    if dry {
        let text = if runs { "runs: nothing to do" } else { "does not run; it would be started" };
        return Ok(Outcome::good(&part.name, text));
    }
    match fs::remove_file(held(lab, &part.name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::Lab(format!("{} cannot be started: {error}", part.name)));
        }
        _ if runs => return Ok(Outcome::good(&part.name, "runs")),
        _ => {}
    }
    // Any process of it will do, even one that is starting already.
    part.process = None;
    let now = back(lab, &part, READY).await?;
    Ok(Outcome::good(&part.name, format!("pid {} is ready", now.pid)))
}

impl Lab {
    /// The parts that stay stopped now.
    #[must_use]
    pub fn stopped(&self) -> Vec<String> {
        let stays = |part: &String| {
            let text = fs::read_to_string(held(self, part)).ok();
            let until = text.and_then(|text| text.trim().parse::<DateTime<Utc>>().ok());
            until.is_some_and(|until| until > Utc::now())
        };
        let files = fs::read_dir(self.dir.join("held")).into_iter().flatten().flatten();
        let paths =
            files.map(|file| file.path()).filter(|path| path.extension().is_none_or(|end| end != DRAFT));
        let names = paths.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let mut stopped: Vec<String> = names.filter(stays).collect();
        stopped.sort_unstable();
        stopped
    }
}

fn lab<'t>(tools: &'t Tools, target: &str) -> Result<&'t Lab> {
    let elsewhere = format!("elsewhere stop and start {target} with what runs it");
    tools.lab(&format!("{target} can be neither stopped nor started"), &elsewhere)
}

/// Where the supervisor looks: `supervisor::Folder::held`.
fn held(lab: &Lab, part: &str) -> PathBuf {
    lab.dir.join("held").join(part)
}

fn hold(lab: &Lab, part: &str, until: DateTime<Utc>) -> io::Result<()> {
    let path = held(lab, part);
    DirBuilder::new().recursive(true).mode(0o700).create(lab.dir.join("held"))?;
    let draft = path.with_extension(DRAFT);
    // One that is left has another time in it.
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(until.to_rfc3339().as_bytes())?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A process of this test stands for a lab in which nobody starts anything again.
    #[tokio::test]
    async fn a_part_that_is_stopped_stays_so_until_it_is_started_or_its_time_is_over() {
        let mut sleep = tokio::process::Command::new("sleep");
        let mut child = sleep.arg("600").process_group(0).kill_on_drop(true).spawn().unwrap();
        let (Some(me), Some(process)) = (Process::of(std::process::id()), child.id().and_then(Process::of))
        else {
            eprintln!("SKIPPED: there is no /proc here");
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let write = |process: Option<Process>| {
            let part = json!({
                "name": "postgres", "instance_of": null, "admin": null, "ports": {},
                "status": if process.is_some() { "ready" } else { "backoff" },
                "process": process, "started_at": null,
            });
            let state = json!({ "supervisor": me, "phase": { "name": "ready" }, "parts": [part] });
            fs::write(folder.path().join("state.json"), state.to_string()).unwrap();
        };
        write(Some(process));
        let lab = Lab { root: "/".into(), dir: folder.path().into(), program: "lab".into() };
        let tools = Tools { lab: Some(lab.clone()), ..Tools::default() };

        let minute = Duration::from_secs(60);
        let would = stop(&tools, "postgres", minute, true).await.unwrap();
        assert!(would[0].ok && process.alive() && lab.stopped().is_empty(), "{would:?}");
        let refused = stop(&tools, "postgres", 2 * LONGEST, false).await.unwrap_err().to_string();
        assert!(refused.starts_with("ttl: "), "{refused}");
        let refused = stop(&tools, "control-room", minute, false).await.unwrap_err().to_string();
        assert!(refused.ends_with("there are: postgres"), "{refused}");

        let done = stop(&tools, "postgres", minute, false).await.unwrap();
        assert!(done[0].ok && !child.wait().await.unwrap().success(), "it was killed: {done:?}");
        assert_eq!(lab.stopped(), ["postgres"]);
        hold(&lab, "postgres", Utc::now() - TimeDelta::seconds(1)).unwrap();
        assert!(lab.stopped().is_empty(), "its time is over");

        // It runs again: as itself, this test.
        hold(&lab, "postgres", Utc::now() + TimeDelta::seconds(60)).unwrap();
        write(Some(me));
        let done = start(&tools, "postgres", false).await.unwrap();
        assert_eq!(done, [Outcome::good("postgres", "runs")]);
        assert!(lab.stopped().is_empty() && !held(&lab, "postgres").exists());
    }
}
