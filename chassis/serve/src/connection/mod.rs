//! The turns of a connection. Either the program works on a request, and no deadline of this crate runs; or the connection
//! waits for its client, which has a time limit for each turn: to begin a request, to end its headers, to read the response. (The
//! limit for the body is in [`crate::exchange`], which can respond.)
//!
//! All state is in atomics: the accept loop looks at every connection when it must close one. A request without a body costs three
//! additions and two clock reads, and no timer is touched between two requests that come within the idle time.

pub(crate) mod turn;

use std::{
    future::poll_fn,
    net::IpAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use futures::task::AtomicWaker;
use tokio::time::Instant;

use crate::{
    clock::{Clock, millis},
    gate::Known,
    limits::{Limits, Protocol, Refusal},
};

/// Longest time between two requests. Longer than clients keep idle connections (reqwest: 90 s): a server that closes first resets
/// requests in transit.
const IDLE: Duration = Duration::from_secs(120);
/// Longest time for which the rest of a refused body is discarded, so that the client reads the response and not a reset.
const LINGER: Duration = Duration::from_secs(2);

/// The connection that a request came on; every request carries one as an extension.
#[derive(Debug, Clone)]
pub struct Connection(pub(crate) Arc<State>);

impl Connection {
    /// The address at its other end: the client, or what stands between the client and this port. An IPv4 address that arrived on
    /// an IPv6 socket is an IPv4 address.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.0.peer
    }

    /// Resets it: SO_LINGER 0 and a close, so the peer's kernel gets an RST and everything in transit is lost. The server drops the
    /// requests on it at their next await point.
    pub fn reset(&self) {
        self.0.end(RESET);
    }
}

const OPEN: u8 = 0;
const RESET: u8 = 1;
const CLOSED: u8 = 2;
const DISMISSED: u8 = 3;

/// One connection.
#[derive(Debug)]
pub(crate) struct State {
    clock: Clock,
    protocol: Protocol,
    peer: IpAddr,
    /// What the gate knows of it.
    pub(crate) known: Known,
    /// Requests whose future runs.
    running: AtomicU32,
    /// Of these, requests that wait for the rest of their body.
    reading: AtomicU32,
    /// Responses not yet completely in the server's buffers.
    answering: AtomicU32,
    /// A request has arrived.
    called: AtomicBool,
    /// Part of a request's head has arrived.
    head: AtomicBool,
    /// A body was refused before its end.
    unread: AtomicBool,
    lingering: AtomicBool,
    /// When the client's turn began.
    since: AtomicU64,
    /// Since when the client has stopped reading its response; 0 while it reads.
    stalled: AtomicU64,
    /// When it is closed to make room, unless a request arrives; 0 if it may stay.
    leaves_at: AtomicU64,
    end: AtomicU8,
    task: AtomicWaker,
}

impl State {
    pub(crate) fn new(clock: Clock, protocol: Protocol, peer: IpAddr) -> Self {
        Self {
            clock,
            protocol,
            peer: peer.to_canonical(),
            known: Known::default(),
            running: AtomicU32::new(0),
            reading: AtomicU32::new(0),
            answering: AtomicU32::new(0),
            called: AtomicBool::new(false),
            head: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            lingering: AtomicBool::new(false),
            since: AtomicU64::new(clock.now()),
            stalled: AtomicU64::new(0),
            leaves_at: AtomicU64::new(0),
            end: AtomicU8::new(OPEN),
            task: AtomicWaker::new(),
        }
    }

    /// Ends the connection as soon as its task runs: its place is needed.
    pub(crate) fn close(&self) {
        self.end(CLOSED);
    }

    /// Ends the connection as soon as its task runs, unless a request has arrived by then.
    pub(crate) fn dismiss(&self) {
        self.end(DISMISSED);
    }

    /// A whole head arrived: the request is worth its place.
    fn keep(&self) {
        self.leaves_at.store(0, Relaxed);
    }

    /// Ends the connection after `time`, unless a request has arrived on it by then.
    pub(crate) fn give_notice(&self, time: Duration) {
        self.leaves_at.store(self.clock.now() + millis(time), Relaxed);
        self.task.wake();
    }

    /// Whether it was given notice.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaves_at.load(Relaxed) != 0
    }

    fn end(&self, how: u8) {
        self.end.store(how, SeqCst);
        self.task.wake();
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.end.load(SeqCst) == RESET
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.end.load(SeqCst) != OPEN
    }

    /// Bytes arrived. Without a request in progress they begin one; HTTP/2 also has frames between requests.
    pub(crate) fn received(&self) {
        let between = self.running.load(Relaxed) == 0 && self.answering.load(Relaxed) == 0;
        let begins = self.protocol == Protocol::Http1 || !self.called.load(Relaxed);
        if between && begins && !self.head.load(Relaxed) {
            let _ = self.end.compare_exchange(DISMISSED, OPEN, SeqCst, Relaxed);
            self.head.store(true, Relaxed);
            self.since.store(self.clock.now(), Relaxed);
        }
    }

    /// The client has stopped reading its response.
    pub(crate) fn stalls(&self) {
        if self.stalled.load(Relaxed) == 0 {
            self.stalled.store(self.clock.now(), Relaxed);
        }
    }

    /// It read a good part: its time limit restarts.
    pub(crate) fn takes(&self) {
        self.stalled.store(self.clock.now(), Relaxed);
    }

    /// It read everything.
    pub(crate) fn taken(&self) {
        if self.stalled.load(Relaxed) != 0 {
            self.stalled.store(0, Relaxed);
        }
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled.load(Relaxed) != 0
    }

    /// The rest of the body is not wanted.
    pub(crate) fn leaves_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    pub(crate) fn is_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }

    /// The response is sent; further input is discarded.
    pub(crate) fn lingers(&self) {
        if !self.lingering.swap(true, Relaxed) {
            self.since.store(self.clock.now(), Relaxed);
        }
    }

    /// Since when the connection waits for its client; `None` while a request on it is in progress.
    pub(crate) fn waits_since(&self) -> Option<u64> {
        if self.running.load(Relaxed) > self.reading.load(Relaxed) {
            return None;
        }
        match self.stalled.load(Relaxed) {
            0 if self.answering.load(Relaxed) > 0 => None,
            0 => Some(self.since.load(Relaxed)),
            stalled => Some(stalled),
        }
    }

    /// Whether it is between two requests.
    pub(crate) fn is_idle(&self) -> bool {
        self.called.load(Relaxed)
            && !self.head.load(Relaxed)
            && !self.is_stalled()
            && self.waits_since().is_some()
    }

    /// Whether it waits for the rest of a body.
    pub(crate) fn is_reading(&self) -> bool {
        self.reading.load(Relaxed) > 0
    }

    /// When the connection is closed if nothing happens, and what that counts as.
    fn deadline(&self, limits: &Limits) -> Option<(u64, Option<Refusal>)> {
        let since = self.waits_since()?;
        let turn = self.turn(limits).map(|(time, refusal)| (since + millis(time), refusal));
        match self.leaves_at.load(Relaxed) {
            0 => turn,
            at => turn.filter(|(end, _)| *end <= at).or(Some((at, Some(Refusal::Crowded)))),
        }
    }

    /// How long the client's current turn may take; the limit for the body is applied where it is read.
    fn turn(&self, limits: &Limits) -> Option<(Duration, Option<Refusal>)> {
        if self.is_stalled() {
            Some((limits.write_timeout, Some(Refusal::SlowRead)))
        } else if self.lingering.load(Relaxed) {
            Some((LINGER, None))
        } else if self.is_reading() {
            None
        } else if self.head.load(Relaxed) {
            Some((limits.head_timeout, Some(Refusal::SlowHead)))
        } else {
            Some((IDLE, None))
        }
    }
}

/// Runs a connection until it ends, its client has used up its time, or somebody closes it.
pub(crate) async fn supervise(
    connection: impl Future,
    state: &State,
    limits: &Limits,
    refused: impl Fn(Refusal),
) {
    let mut connection = pin!(connection);
    let mut timer = pin!(tokio::time::sleep(Duration::ZERO));
    poll_fn(|cx| {
        state.task.register(cx.waker());
        // A dismissed connection is read first: a request that has already arrived is answered, and the answer ends it.
        if state.end.load(SeqCst) == CLOSED || connection.as_mut().poll(cx).is_ready() || state.is_ending() {
            return Poll::Ready(());
        }
        loop {
            let Some((at, refusal)) = state.deadline(limits) else { return Poll::Pending };
            let at = state.clock.instant(at);
            // A timer that is due earlier is left alone: one wake-up too many costs less than a timer moved, and a look at the
            // clock, at each request.
            if timer.is_elapsed() || timer.deadline() > at {
                if Instant::now() >= at {
                    refusal.into_iter().for_each(&refused);
                    return Poll::Ready(());
                }
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}
