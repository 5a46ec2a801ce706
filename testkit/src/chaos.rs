//! A TCP proxy that misbehaves on command: it cuts, swallows or delays the bytes that pass through it.

use std::{net::SocketAddr, time::Duration};

use wire::{Conditions, Gate, Proxy};

/// A proxy in front of one address. When dropped, it stops and resets its connections.
pub struct ChaosProxy(Proxy);

impl ChaosProxy {
    /// Starts a proxy to `target` on a free port.
    pub async fn to(target: SocketAddr) -> Self {
        let any = "127.0.0.1:0".parse().expect("an address");
        Self(Proxy::start(any, target, 0).await.expect("a free port"))
    }

    /// The address to connect to instead of the target.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// `url` with its host and port replaced by the proxy's.
    #[must_use]
    pub fn rewrite(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) =
            rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        let user = authority.rsplit_once('@').map(|(user, _)| format!("{user}@")).unwrap_or_default();
        format!("{scheme}://{user}{}/{path}", self.addr())
    }

    /// Resets all connections, and new ones at once.
    pub fn cut(&self) {
        self.0.set(Conditions::gate(Gate::Cut));
    }

    /// Keeps connections open, but passes no bytes.
    pub fn blackhole(&self) {
        self.0.set(Conditions::gate(Gate::Hold));
    }

    /// Delays what passes, in both directions.
    pub fn delay(&self, by: Duration) {
        self.0.set(Conditions::latency(by));
    }

    /// Serves the connections that are open, and leaves new ones waiting.
    pub fn shut(&self) {
        self.0.set(Conditions::gate(Gate::Shut));
    }

    /// Passes everything again; what a blackhole held back arrives now.
    pub fn restore(&self) {
        self.0.set(Conditions::default());
    }
}
