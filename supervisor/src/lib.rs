//! Starts the parts in the order of their dependencies, keeps them up, and stops them in the opposite order.
//!
//! Knows processes and nothing about what they do: the table of parts is its input. However it ends, no process of
//! the lab is left.

mod backoff;
mod board;
mod command;
mod environment;
mod error;
mod folder;
mod guests;
pub mod lock;
pub mod logfile;
mod memory;
pub mod part;
pub mod ports;
mod private;
pub mod probe;
pub mod process;
pub mod state;
mod steps;
mod sweep;
mod tend;

use std::{collections::HashMap, time::Instant};

use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{
    guests::House,
    state::{Phase, Status},
    tend::{Role, Tender},
};

pub use self::{
    backoff::Policy,
    board::{Board, Say},
    error::{Error, Result},
    folder::Folder,
    guests::{Guests, Roster, roster},
    part::Part,
    private::write_private,
    sweep::sweep,
};

/// What the user at the terminal may ask for: stop in order, or stop at once.
#[derive(Clone, Default)]
pub struct Stop {
    /// Cancelled by the first Ctrl-C or SIGTERM.
    pub gently: CancellationToken,
    /// Cancelled by the second: what is still running is killed.
    pub now: CancellationToken,
}

/// Runs the parts until `stop`; returns when none of them is running any more.
///
/// # Errors
/// When a part did not start; names it and the reason.
pub async fn run(
    folder: &Folder,
    parts: Vec<Part>,
    board: &Board,
    policy: Policy,
    stop: &Stop,
) -> Result<()> {
    let (_roster, guests) = roster();
    run_with(folder, parts, board, policy, stop, guests).await
}

/// The same, with parts that come and go, and change, as the other end of `guests` says.
///
/// # Errors
/// As [`run`].
pub async fn run_with(
    folder: &Folder,
    parts: Vec<Part>,
    board: &Board,
    policy: Policy,
    stop: &Stop,
    mut guests: Guests,
) -> Result<()> {
    let began = Instant::now();
    let mut links = Links::new(&parts)?;
    folder.let_all_go();
    let mut tenders = JoinSet::new();
    for part in parts {
        logfile::start_over(&folder.log(&part.name));
        let (needs, dependents, ready, ended) = links.of(&part);
        let tender = Tender {
            folder: folder.clone(),
            part,
            board: board.clone(),
            policy,
            stop: stop.clone(),
            lines: guests.lines.clone(),
            role: Role::Needed,
        };
        tenders.spawn(tender.run(needs, dependents, ready, ended));
    }
    let guard = CancellationToken::new();
    tokio::spawn(guard.clone().run_until_cancelled_owned(cap_logs(board.clone())));
    tokio::select! {
        () = all_ready(board) => board.ready(began.elapsed()),
        () = stop.gently.cancelled() => {}
        () = tokio::time::sleep(policy.patience) => give_up(board, policy, stop),
    }
    let (house, mut staying) = (House { folder, board, policy, stop }, JoinSet::new());
    tokio::select! {
        () = stop.gently.cancelled() => {}
        () = house.host(&mut guests, &mut staying) => {}
    }
    board.phase(Phase::Stopping);
    while staying.join_next().await.is_some() {}
    while tenders.join_next().await.is_some() {}
    guard.cancel();
    match board.now().phase {
        Phase::Failed { part, reason } => Err(Error::NotUp { part, reason }),
        _ => Ok(()),
    }
}

async fn all_ready(board: &Board) {
    let mut state = board.watch();
    // Fails only if the board is gone, and it is borrowed here.
    let _ = state.wait_for(|state| state.parts.iter().all(|part| part.status == Status::Ready)).await;
}

fn give_up(board: &Board, policy: Policy, stop: &Stop) {
    let state = board.now();
    // Blame the first part in the table that is not ready: the others wait for it.
    if let Some(part) = state.parts.iter().find(|part| part.status != Status::Ready) {
        let reason = format!("not ready after {}", humantime::format_duration(policy.patience));
        board.part(&part.name, |part| part.status = Status::Failed);
        board.phase(Phase::Failed { part: part.name.clone(), reason });
    }
    stop.gently.cancel();
}

async fn cap_logs(board: Board) {
    let mut tick = tokio::time::interval(logfile::INTERVAL);
    loop {
        tick.tick().await;
        for part in board.now().parts {
            // A log that does not exist yet, or a full disk: stopping the lab would fix neither.
            let _ = logfile::cap(&part.log, logfile::CAP);
        }
    }
}

/// Which part waits for which: two flags per part, "has been ready" and "has ended".
struct Links {
    ready: HashMap<String, watch::Sender<bool>>,
    ended: HashMap<String, watch::Sender<bool>>,
    dependents: HashMap<String, Vec<String>>,
}

type Flags = Vec<watch::Receiver<bool>>;

impl Links {
    fn new(parts: &[Part]) -> Result<Self> {
        let flags = || parts.iter().map(|part| (part.name.clone(), watch::Sender::new(false))).collect();
        let links = Self { ready: flags(), ended: flags(), dependents: dependents(parts) };
        for part in parts {
            if let Some(missing) = part.after.iter().find(|need| !links.ready.contains_key(*need)) {
                return Err(Error::NoPart { part: part.name.clone(), missing: missing.clone() });
            }
        }
        Ok(links)
    }

    fn of(&mut self, part: &Part) -> (Flags, Flags, watch::Sender<bool>, watch::Sender<bool>) {
        let flags = |names: &[String], of: &HashMap<String, watch::Sender<bool>>| {
            names.iter().filter_map(|name| of.get(name)).map(watch::Sender::subscribe).collect()
        };
        let dependents = self.dependents.get(&part.name).cloned().unwrap_or_default();
        (
            flags(&part.after, &self.ready),
            flags(&dependents, &self.ended),
            self.ready[&part.name].clone(),
            self.ended[&part.name].clone(),
        )
    }
}

fn dependents(parts: &[Part]) -> HashMap<String, Vec<String>> {
    let mut dependents: HashMap<String, Vec<String>> = HashMap::new();
    for part in parts {
        for need in &part.after {
            dependents.entry(need.clone()).or_default().push(part.name.clone());
        }
    }
    dependents
}

#[cfg(test)]
mod tests;
