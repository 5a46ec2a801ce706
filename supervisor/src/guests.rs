//! What changes while the lab runs: parts that come and go, and parts that run as something else from their next start on.
//!
//! A guest is supervised like every other part, and is on the board while it is wanted. Unlike them it is optional: one that does
//! not start is shown as failed, and the lab keeps running. Guests end with the lab.

use std::{collections::BTreeMap, sync::Arc};

use rustix::process::Signal;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Board, Folder, Part, Policy, Result, Stop, logfile,
    part::{Line, Lines},
    private::write_private,
    tend::{Role, Tender},
};

/// What is asked of the supervisor.
#[derive(Debug)]
enum Order {
    Start(Box<Part>),
    Stop(String),
}

/// Changes the parts of a running lab. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Roster {
    orders: mpsc::UnboundedSender<Order>,
    lines: Lines,
}

/// The supervisor's end of a [`Roster`].
#[derive(Debug)]
pub struct Guests {
    orders: mpsc::UnboundedReceiver<Order>,
    pub(crate) lines: Lines,
}

/// Both ends.
#[must_use]
pub fn roster() -> (Roster, Guests) {
    let (sender, orders) = mpsc::unbounded_channel();
    let lines = Lines::default();
    (Roster { orders: sender, lines: Arc::clone(&lines) }, Guests { orders, lines })
}

impl Roster {
    /// Starts a further part, once everything has been ready. It waits for no other part. One whose name is on the board already
    /// is not started.
    pub fn start(&self, part: Part) {
        // Fails only if the lab has stopped.
        let _ = self.orders.send(Order::Start(Box::new(part)));
    }

    /// Stops a part that was started with [`Roster::start`]; it leaves the board when it has ended.
    pub fn stop(&self, name: &str) {
        let _ = self.orders.send(Order::Stop(name.to_owned()));
    }

    /// Lets a part run as something else from its next start on, and asks its process to stop, so that this is now. That end is
    /// no crash.
    ///
    /// # Errors
    /// When the announcement cannot be written.
    pub fn become_of(&self, folder: &Folder, board: &Board, name: &str, line: Line) -> Result<()> {
        self.lines.lock().insert(name.to_owned(), line);
        let Some(process) = board.now().part(name).and_then(|part| part.process) else { return Ok(()) };
        write_private(&folder.restart(name), &serde_json::to_string(&process)?)?;
        process.signal(Signal::TERM);
        Ok(())
    }
}

/// What every guest is looked after with.
pub(crate) struct House<'h> {
    pub(crate) folder: &'h Folder,
    pub(crate) board: &'h Board,
    pub(crate) policy: Policy,
    pub(crate) stop: &'h Stop,
}

impl House<'_> {
    /// Does what the roster asks; never returns. What runs is in `running`, which outlives this.
    pub(crate) async fn host(&self, guests: &mut Guests, running: &mut JoinSet<()>) {
        let mut stays: BTreeMap<String, CancellationToken> = BTreeMap::new();
        while let Some(order) = guests.orders.recv().await {
            match order {
                Order::Start(part) => {
                    if self.board.now().part(&part.name).is_none() {
                        let leaves = self.stop.gently.child_token();
                        stays.insert(part.name.clone(), leaves.clone());
                        self.welcome(*part, &guests.lines, leaves, running);
                    }
                }
                Order::Stop(name) => {
                    if let Some(leaves) = stays.remove(&name) {
                        leaves.cancel();
                    }
                }
            }
            // Those that have ended.
            while running.try_join_next().is_some() {}
        }
        std::future::pending::<()>().await;
    }

    fn welcome(&self, part: Part, lines: &Lines, leaves: CancellationToken, running: &mut JoinSet<()>) {
        logfile::start_over(&self.folder.log(&part.name));
        self.board.add(&part);
        let (board, name) = (self.board.clone(), part.name.clone());
        let tender = Tender {
            folder: self.folder.clone(),
            part,
            board: self.board.clone(),
            policy: self.policy,
            stop: Stop { gently: leaves.clone(), now: self.stop.now.clone() },
            lines: Arc::clone(lines),
            role: Role::Guest,
        };
        running.spawn(async move {
            let (ready, ended) = (watch::Sender::new(false), watch::Sender::new(false));
            tender.run(Vec::new(), Vec::new(), ready, ended).await;
            // One that has failed stays on the board until nobody wants it any more.
            leaves.cancelled().await;
            board.remove(&name);
        });
    }
}
