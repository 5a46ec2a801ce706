//! The accept loop, and a drain that is bounded in time.
//!
//! Every connection belongs to the server: a dropped server closes them all.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::Router;
use futures::FutureExt as _;
use hyper::{
    Request,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    Protocol, Settings,
    clock::{Clock, millis},
    connection::{State, supervise},
    crowd::Crowd,
    exchange::{self, Link},
    gate::Gate,
    port::Port,
    stream::Stream,
};

/// Largest request head and largest part of a response that is buffered, in bytes: with the number of connections this
/// bounds the memory that clients can use.
const BUFFER: usize = 64 << 10;
/// Kernel buffer for a response, in bytes (the kernel doubles it): for a peer that does not read it would grow to megabytes.
const SEND_BUFFER: usize = 128 << 10;
/// Connections that the kernel holds until they are accepted. Beyond it clients wait a second or more to retry; the standard
/// library's 128 is less than a burst of clients.
const BACKLOG: u32 = 4096;
/// Concurrent requests on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// Time limit for a client's turn once the server drains.
const DRAIN_PATIENCE: Duration = Duration::from_secs(1);
/// How often a draining server looks for connections that it can close. Each wait ends with a look at all sockets, so that what
/// has arrived is known.
const GLANCE: Duration = Duration::from_millis(20);
/// Pause after a failed accept.
const BREATH: Duration = Duration::from_millis(50);

/// A listening server. Dropping it closes the listener and every connection at once.
pub struct Server {
    /// The bound address.
    pub address: SocketAddr,
    port: Arc<Port>,
    drain: CancellationToken,
    serving: AbortOnDropHandle<()>,
}

impl Server {
    /// Binds `address` and serves `routes` in the background.
    ///
    /// # Errors
    /// If the address cannot be bound; the message names it.
    pub async fn bind(address: SocketAddr, routes: Router, settings: Settings) -> io::Result<Self> {
        Self::open(address, Holding::Alone, routes, settings)
    }

    /// As [`Server::bind`], on an address that other processes of the same account bind in the same way (`SO_REUSEPORT`): Linux
    /// gives each new connection to one of them, chosen by the hash of its two addresses.
    ///
    /// # Errors
    /// If the address cannot be bound, or somebody has it alone; the message names it.
    pub async fn share(address: SocketAddr, routes: Router, settings: Settings) -> io::Result<Self> {
        Self::open(address, Holding::Shared, routes, settings)
    }

    /// Not async: rustc makes the code of an async function in each crate that awaits it, and all of hyper is in this one.
    fn open(address: SocketAddr, holding: Holding, routes: Router, settings: Settings) -> io::Result<Self> {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
        let listener = listen(address, holding).map_err(named)?;
        let address = listener.local_addr().map_err(named)?;
        let drain = CancellationToken::new();
        let port = Arc::new(Port {
            // Builds the services of all routes now; otherwise the router would build them for each request.
            routes: routes.with_state(()),
            gate: Gate::new(&settings.limits.allowed_hosts),
            crowd: Arc::new(Crowd::new(&settings.limits)),
            settings,
            clock: Clock::start(),
            retiring: AtomicBool::new(false),
            last_came: AtomicU64::new(0),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&port), drain.clone()));
        Ok(Self { address, port, drain, serving: AbortOnDropHandle::new(serving) })
    }

    /// Sends clients away without losing a request: from now on each response says `Connection: close`, and new connections
    /// are still served. A server that closes idle connections instead resets requests in transit.
    pub fn retire(&self) {
        self.port.retiring.store(true, Relaxed);
    }

    /// Waits until no new connection has arrived for `time`: by then the balancer knows that this server is leaving.
    pub async fn quiet_for(&self, time: Duration) {
        let time = millis(time);
        loop {
            let quiet = self.port.clock.now() - self.port.last_came.load(Relaxed);
            if quiet >= time {
                return;
            }
            sleep(Duration::from_millis(time - quiet)).await;
        }
    }

    /// Refuses new connections, lets requests in progress finish, then returns. Cancel it to abort them.
    pub async fn drain(self) {
        self.retire();
        self.drain.cancel();
        // It ends by itself; a panic in it has been reported by the runtime.
        let _ = self.serving.await;
    }
}

/// Who may bind an address at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holding {
    /// Nobody else.
    Alone,
    /// Processes of the same account that ask for the same.
    Shared,
}

fn listen(address: SocketAddr, holding: Holding) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port whose last connections still linger can be bound again at once.
    socket.set_reuseaddr(true)?;
    if holding == Holding::Shared {
        socket.set_reuseport(true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve(listener: TcpListener, port: Arc<Port>, drain: CancellationToken) {
    let graceful = GracefulShutdown::new();
    // Owned here, so that they end with this future.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = drain.cancelled() => break,
        };
        match accepted {
            Ok((tcp, peer)) => open(&port, &graceful, &mut connections, tcp, peer),
            Err(error) => accept_failed(&port, &error).await,
        }
    }
    // These clients are already connected: closing the listener would reset them.
    while let Some(Ok((tcp, peer))) = listener.accept().now_or_never() {
        open(&port, &graceful, &mut connections, tcp, peer);
    }
    drop(listener);
    // Idle connections are closed here and not by hyper, which does not check whether a request has just arrived. Those that
    // have sent nothing yet, or half a request, get some time. Each answer ends its connection.
    let impatient = async {
        loop {
            sleep(GLANCE).await;
            port.crowd.dismiss_idle();
            port.crowd.close_waiting_since_before(port.clock.now().saturating_sub(millis(DRAIN_PATIENCE)));
        }
    };
    let finished = async {
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    };
    tokio::select! {
        () = finished => {}
        () = impatient => {}
    }
}

/// The peer may already be gone. Anything else is a lack of descriptors or memory, which closing a waiting connection frees.
async fn accept_failed(port: &Port, error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    port.crowd.close_longest();
    sleep(BREATH).await;
}

fn open(
    port: &Arc<Port>,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
    tcp: TcpStream,
    peer: SocketAddr,
) {
    // Responses are small and complete: waiting to fill a segment would only add latency.
    let _ = tcp.set_nodelay(true);
    port.last_came.store(port.clock.now(), Relaxed);
    let _ = SockRef::from(&tcp).set_send_buffer_size(SEND_BUFFER);
    let state = Arc::new(State::new(port.clock, port.settings.protocol, peer.ip()));
    let place = port.crowd.enter(peer.ip(), &state);
    let io = TokioIo::new(Stream::new(tcp, Arc::clone(&state)));
    let service = service_fn({
        let link = Arc::new(Link { port: Arc::clone(port), state: Arc::clone(&state) });
        move |request: Request<Incoming>| exchange::answer(&link, request)
    });
    // A broken connection is not our error: its requests count as cancelled.
    match port.settings.protocol {
        Protocol::Http1 => {
            // The deadlines are ours: hyper's own would also count idle time.
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(None)
                .max_buf_size(BUFFER)
                .serve_connection(io, service);
            connections.spawn(run(Arc::clone(port), state, place, connection));
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .keep_alive_interval(Duration::from_secs(20))
                .serve_connection(io, service);
            connections.spawn(run(Arc::clone(port), state, place, graceful.watch(connection)));
        }
    }
}

async fn run(port: Arc<Port>, state: Arc<State>, place: crate::crowd::Place, connection: impl Future + Send) {
    supervise(connection, &state, &port.settings.limits, |refusal| port.refused(refusal)).await;
    drop(place);
}
