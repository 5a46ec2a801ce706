//! Five hundred clients that hold connections, of each kind, from the same address as a client that wants to be served.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use chassis_serve::{Limits, Refusal};
use tokio::{io::AsyncWriteExt, net::TcpSocket, task::JoinSet};

use crate::support::{Client, GET, Port, eventually};

const CLIENTS: usize = 500;
const REQUESTS: usize = 600;
/// Pairs of a quiet round and one with the crowd. The median of an odd number is one of them.
const ROUNDS: usize = 5;
/// The largest median of p99 with the crowd to p99 without it.
const MOST: f64 = 2.0;
/// Added to both sides of a ratio: below it, a scheduler's turn decides, and not the crowd. So `MOST` allows a
/// millisecond more than twice the quiet value.
const GRAIN: Duration = Duration::from_millis(1);

/// How a client holds its connection.
#[derive(Debug, Clone, Copy)]
enum Kind {
    SlowHead,
    SlowBody,
    NeverReads,
    Idle,
}

/// Opens a connection, holds it, and opens the next one when it is closed.
async fn hold(kind: Kind, address: std::net::SocketAddr, opened: Arc<AtomicUsize>) {
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        if matches!(kind, Kind::NeverReads) {
            socket.set_recv_buffer_size(4096).unwrap();
        }
        let Ok(mut tcp) = socket.connect(address).await else { continue };
        let begin = match kind {
            Kind::SlowHead => "GET / HTTP/1.1\r\n",
            Kind::SlowBody => "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n",
            Kind::NeverReads => "GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n",
            Kind::Idle => "",
        };
        let mut open = tcp.write_all(begin.as_bytes()).await.is_ok();
        opened.fetch_add(1, SeqCst);
        while open {
            // The pace of the client, not a wait for something.
            tokio::time::sleep(Duration::from_millis(500)).await;
            open = match kind {
                Kind::SlowHead | Kind::SlowBody => tcp.write_all(b"x").await.is_ok(),
                // Only a read notices the close; a peek consumes nothing.
                Kind::Idle => tcp.peek(&mut [0]).await.is_err(),
                Kind::NeverReads => true,
            };
        }
    }
}

/// The 99th percentile of small requests, some on a kept connection and some on a new one.
async fn p99(port: &Port) -> Duration {
    let mut kept = port.client().await;
    let mut times = Vec::new();
    for number in 0..REQUESTS {
        let begun = Instant::now();
        let status =
            if number % 10 == 0 { port.client().await.ask(GET).await.0 } else { kept.ask(GET).await.0 };
        assert_eq!(status, 200);
        times.push(begun.elapsed());
    }
    times.sort();
    times[REQUESTS * 99 / 100]
}

/// The crowd, once all of it is there and the port has closed as many connections as are too many.
async fn crowd(kind: Kind, port: &Port) -> JoinSet<()> {
    let (opened, before) = (Arc::new(AtomicUsize::new(0)), port.refused(Refusal::Crowded));
    let over = CLIENTS - Limits::default().max_connections_per_client as usize;
    let mut crowd = JoinSet::new();
    for _ in 0..CLIENTS {
        crowd.spawn(hold(kind, port.address(), Arc::clone(&opened)));
    }
    eventually("all clients are there", || {
        opened.load(SeqCst) >= CLIENTS && port.refused(Refusal::Crowded) >= before + over
    })
    .await;
    crowd
}

/// How many times as long p99 takes with the crowd, in one pair of rounds, one right after the other.
async fn slowdown(kind: Kind, port: &Port) -> f64 {
    // Nothing that is measured: the connections of the crowd before end meanwhile, and caches fill.
    p99(port).await;
    let quiet = p99(port).await;
    let mut crowd = crowd(kind, port).await;
    let beside = p99(port).await;
    crowd.shutdown().await;
    (beside + GRAIN).div_duration_f64(quiet + GRAIN)
}

/// Other programs slow the machine too, but hardly in most rounds and only beside the crowd: so the median counts,
/// once, and no round is repeated.
async fn normal_requests_are_served_beside(kind: Kind) {
    // One crowd at a time, or the timing says nothing.
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _alone = ALONE.lock().await;
    let port = Port::open(Limits::default()).await;
    let mut slowdowns = Vec::new();
    for _ in 0..ROUNDS {
        slowdowns.push(slowdown(kind, &port).await);
    }
    slowdowns.sort_by(f64::total_cmp);
    println!("{kind:?}: p99 with the crowd to p99 without it, in each round: {slowdowns:.2?}");
    assert!(slowdowns[ROUNDS / 2] <= MOST, "{kind:?}: {slowdowns:.2?}, and the median may be {MOST}");
}

#[tokio::test]
async fn five_hundred_clients_with_slow_headers_harm_nobody() {
    normal_requests_are_served_beside(Kind::SlowHead).await;
}

#[tokio::test]
async fn five_hundred_clients_with_slow_bodies_harm_nobody() {
    normal_requests_are_served_beside(Kind::SlowBody).await;
}

#[tokio::test]
async fn five_hundred_clients_that_never_read_harm_nobody() {
    normal_requests_are_served_beside(Kind::NeverReads).await;
}

#[tokio::test]
async fn five_hundred_idle_clients_harm_nobody() {
    normal_requests_are_served_beside(Kind::Idle).await;
}

#[tokio::test]
async fn the_bound_never_costs_a_request_in_progress() {
    let limits = Limits { max_connections_per_client: 3, ..Limits::default() };
    let port = Port::open(limits).await;
    let mut working: Vec<Client> = Vec::new();
    for _ in 0..10 {
        let mut client = port.client().await;
        client.send("GET /hang HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        working.push(client);
    }
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(port.client().await);
    }
    eventually("the idle ones beyond three go", || port.refused(Refusal::Crowded) >= 7).await;
    for client in &working {
        assert!(
            client.0.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
        );
    }
    assert_eq!(port.client().await.ask(GET).await.0, 200);
}

#[tokio::test]
async fn unfinished_bodies_share_one_bound_on_memory() {
    // Sixteen times what they may hold together.
    let settings = chassis_serve::Settings::new(
        &Limits { max_connections_per_client: 2000, max_connections: 2000, ..Limits::default() },
        1 << 20,
    );
    let refused = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&refused);
    let settings = settings.telling(move |_| {
        told.fetch_add(1, SeqCst);
    });
    let routes =
        chassis_serve::whole_requests(axum::Router::new().route("/", axum::routing::post(|| async { "ok" })));
    let server = chassis_serve::Server::bind(([127, 0, 0, 1], 0).into(), routes, settings).await.unwrap();
    let mut open = Vec::new();
    for _ in 0..100 {
        let mut tcp = tokio::net::TcpStream::connect(server.address).await.unwrap();
        tcp.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n")
            .await
            .unwrap();
        let _ = tcp.write_all(&vec![b'x'; 999_999]).await;
        open.push(tcp);
    }
    eventually("bodies beyond 32 MiB cost a connection each", || refused.load(SeqCst) >= 60).await;
}

#[tokio::test]
async fn clients_that_connect_together_are_all_served() {
    let port = Port::open(Limits::default()).await;
    // More than may wait, all of them connected before the first one sends a request: like a burst of clients on a busy machine.
    let mut burst = Vec::new();
    for _ in 0..CLIENTS {
        burst.push(port.client().await);
    }
    for client in &mut burst {
        client.send(GET).await;
    }
    for client in &mut burst {
        assert_eq!(client.answer().await.0, 200);
    }
    assert_eq!(port.refused(Refusal::Crowded), 0);
}
