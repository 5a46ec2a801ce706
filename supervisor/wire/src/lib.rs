//! A TCP proxy that behaves as it is told, like a bad network between two programs: it delays, loses, cuts, swallows
//! or throttles the bytes that pass through it.
//!
//! Knows no protocol. Without conditions it passes bytes and closes as they come; conditions can change at any time,
//! and apply to connections that are already open.

mod conditions;
mod dice;
mod lane;
mod pass;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

pub use self::conditions::{Conditions, Gate};
use self::{dice::Dice, lane::Lanes};

/// Pause after a connection could not be accepted: probably the process is out of file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// A proxy in front of one address. When dropped, it stops and resets its connections.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    conditions: watch::Sender<Conditions>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on `at`, port 0 for a free one, and passes connections to `target`, which need not be there yet. The same
    /// `seed` rolls the same dice for the same bytes.
    ///
    /// # Errors
    /// When it cannot listen on the address.
    pub async fn start(at: SocketAddr, target: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let addr = listener.local_addr()?;
        let (conditions, watching) = watch::channel(Conditions::default());
        let accepting = tokio::spawn(accept(listener, target, seed, watching));
        Ok(Self { addr, conditions, accepting })
    }

    /// The address to connect to instead of the target.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What connections meet from now on.
    pub fn set(&self, conditions: Conditions) {
        self.conditions.send_if_modified(|now| {
            let changed = *now != conditions;
            *now = conditions;
            changed
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.set(Conditions::gate(Gate::Cut));
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    seed: u64,
    conditions: watch::Receiver<Conditions>,
) {
    let lanes = Arc::new(Lanes::default());
    let mut number = 0;
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                number += 1;
                let dice = Dice::of(seed, number);
                tokio::spawn(pass::serve(client, target, dice, Arc::clone(&lanes), conditions.clone()));
            }
            Err(_) => sleep(BREATH).await,
        }
    }
}

/// Closes a connection with a reset, as a crashed peer does.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}
