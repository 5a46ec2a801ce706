//! How a restored server, or control room's file, becomes the lab's: two renames while nobody uses it. In a running lab the
//! supervisor does it between two runs of the part; otherwise this process does, while it holds the lab's lock.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use supervisor::{
    lock::{self, Taken},
    state::LabState,
    sweep, write_private,
};
use tokio::time::sleep;

use super::{
    request::{SERVER, request, running},
    room, spool,
};
use crate::{
    failover::{build, over},
    home::Home,
    parts::{apache_kafka, control_room::CONTROL_ROOM, postgres::Local, stores},
};

/// Name of the restored server's data, beside those of the lab's.
pub(crate) const RESTORED: &str = "restored";
/// What the lab's data are called after they were replaced; those of one time before are deleted.
const BEFORE: &str = "cluster.before";
/// Longest time for a part to be back.
const BACK: Duration = Duration::from_secs(60);
/// Longest time for a killed process to be gone.
const GONE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(30);

/// Where the restored file of the control room waits.
pub(crate) fn restored_room(home: &Home) -> PathBuf {
    home.dir.join(CONTROL_ROOM).join("room.db.restored")
}

/// Replaces what these parts have with what was restored.
///
/// # Errors
/// When a part does not come back, or something cannot be renamed.
pub(crate) async fn replace(home: &Home, parts: &[&str]) -> Result<()> {
    match lock::take_or_make(&home.dir)? {
        Some(Taken::By(_)) => {
            for part in parts {
                ask(home, part).await?;
            }
            Ok(())
        }
        // Held until this function ends: no lab starts meanwhile.
        Some(Taken::Ours(_lock)) => {
            sweep(&home.dir).await?;
            parts.iter().try_for_each(|part| swap(home, part))
        }
        None => bail!("{} has gone", home.dir.display()),
    }
}

/// Stops a part, and waits until its supervisor has done the errand and the part is ready again.
async fn ask(home: &Home, name: &str) -> Result<()> {
    let state = home.lab()?;
    if !state.supervisor.alive() {
        bail!("the supervisor was killed, and it has to restart {name}: `lab up` recovers");
    }
    let part = state.part(name).with_context(|| format!("this lab has no part {name}"))?;
    if name == SERVER && over::asked(home) {
        bail!(
            "a failover is under way, and nothing was replaced: wait until it has ended, and run this again"
        );
    }
    write_private(&request(home, name), "")?;
    let process = part.process.filter(|process| process.alive());
    if let Some(process) = process {
        // Asked for: not counted as a crash, and not made to wait.
        write_private(&home.dir.restart(name), &serde_json::to_string(&process)?)?;
        process.signal(part.stop.signal());
    }
    let deadline = Instant::now() + BACK;
    let gone = || process.is_none_or(|process| !process.alive());
    while request(home, name).exists() || !gone() || part.probe.ask().await.is_err() {
        if Instant::now() > deadline {
            bail!(
                "{name} is not back after {} s: see lab status and lab logs --service {name}",
                BACK.as_secs()
            );
        }
        sleep(LOOK).await;
    }
    let waiting = match name {
        SERVER => Local::of(home)?.beside(RESTORED),
        _ => restored_room(home),
    };
    if waiting.exists() {
        bail!(
            "{name} was restarted with what it had: the last lines of its log say why nothing was replaced"
        );
    }
    Ok(())
}

/// Replaces what one part has. The part must not be running.
///
/// # Errors
/// When nothing was restored, or something cannot be renamed; the lab then has what it had.
pub(crate) fn swap(home: &Home, part: &str) -> Result<()> {
    match part {
        SERVER if over::asked(home) => over::carry_out(home),
        SERVER => server(home),
        CONTROL_ROOM => room::put(&restored_room(home), &home.dir.join(CONTROL_ROOM).join("room.db")),
        other => bail!("there are no backups of {other}"),
    }
}

fn server(home: &Home) -> Result<()> {
    let local = Local::of(home)?;
    let (restored, cluster, before) = (local.beside(RESTORED), local.cluster(), local.beside(BEFORE));
    if !restored.join("PG_VERSION").is_file() {
        bail!("no server was restored in {}", restored.display());
    }
    if cluster.exists() {
        if before.exists() {
            fs::remove_dir_all(&before).with_context(|| format!("cannot remove {}", before.display()))?;
        }
        fs::rename(&cluster, &before).with_context(|| format!("cannot put {} aside", cluster.display()))?;
    }
    if let Err(error) = fs::rename(&restored, &cluster) {
        let _ = fs::rename(&before, &cluster);
        return Err(error).with_context(|| format!("cannot create {}", cluster.display()));
    }
    local.rules()?;
    forget(home)?;
    // A replica follows one history of the primary, and this is another.
    build::anew(home)?;
    Ok(())
}

/// Forgets what the server that is replaced had announced, and what was archived from it but not shipped yet.
///
/// # Errors
/// When a part that holds messages does not end, or a file cannot be removed.
pub(crate) fn forget(home: &Home) -> Result<()> {
    forget_messages(home)?;
    // The stream begins again, on the timeline of the new server.
    let spool = spool(home);
    if spool.exists() {
        fs::remove_dir_all(&spool).with_context(|| format!("cannot remove {}", spool.display()))?;
    }
    Ok(())
}

/// The brokers that a lab runs itself: one in memory, one with a log on disk.
const BROKERS: &[&str] = &[stores::KAFKA, apache_kafka::APACHE];
/// Parts that may hold messages about orders that the restored server does not have, in addition to the broker: those that were
/// about to send.
const SENDERS: &[&str] = &["order-api", "order-worker"];

/// Whether the messages of this lab are its own to take back: its broker is not elsewhere.
pub(crate) fn has_broker(state: &LabState) -> bool {
    state.parts.iter().any(|part| BROKERS.contains(&part.service()))
}

/// Restarts them while the server is still down, a broker on disk with an empty log. Otherwise an order that the restore took back
/// would be paid, and orders that are sent again would be paid twice. What the restored server knows is published again from its
/// outbox.
fn forget_messages(home: &Home) -> Result<()> {
    let state = running(home);
    let parts = state.iter().flat_map(|state| &state.parts);
    let holding = |service: &str| BROKERS.contains(&service) || SENDERS.contains(&service);
    let processes: Vec<_> = parts
        .filter(|part| holding(part.service()))
        .filter_map(|part| Some((part.name.as_str(), part.process.filter(|process| process.alive())?)))
        .collect();
    // Stopped before they are killed: the supervisor starts a killed broker at once, and it must not find its log.
    processes.iter().for_each(|(_, process)| process.signal(Signal::STOP));
    let aside = apache_kafka::put_log_aside(home);
    // Even if that failed: what stays stopped would hang.
    for (name, process) in &processes {
        write_private(&home.dir.restart(name), &serde_json::to_string(process)?)?;
        process.signal(Signal::KILL);
    }
    aside?;
    let deadline = Instant::now() + GONE;
    while let Some((name, _)) = processes.iter().find(|(_, process)| process.alive()) {
        if Instant::now() > deadline {
            bail!("{name} does not end, and may send messages of the time that is taken back");
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
