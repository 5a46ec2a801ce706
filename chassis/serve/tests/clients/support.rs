//! A port to attack, and a client that sends what it is told to, byte by byte.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Request, routing::get};
use chassis_serve::{Connection, Limits, Refusal, Server, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest wait for an expected event.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const BODY_LIMIT: usize = 1024;

/// More than the kernel takes for a client that does not read, and one copy for all of them.
static LARGE: [u8; 8 << 20] = [b'x'; 8 << 20];

/// A port with a small response, a large one, one that never comes, and a route that needs a body.
pub(crate) struct Port {
    pub(crate) server: Server,
    refused: Arc<Mutex<Vec<Refusal>>>,
}

impl Port {
    pub(crate) async fn open(limits: Limits) -> Self {
        let refused = Arc::<Mutex<Vec<Refusal>>>::default();
        let told = Arc::clone(&refused);
        let settings =
            Settings::new(&limits, BODY_LIMIT).telling(move |refusal| told.lock().unwrap().push(refusal));
        let routes = chassis_serve::whole_requests(routes());
        let server = Server::bind(([127, 0, 0, 1], 0).into(), routes, settings).await.unwrap();
        Self { server, refused }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub(crate) async fn client(&self) -> Client {
        Client(TcpStream::connect(self.address()).await.unwrap())
    }

    /// Number of refusals so far.
    pub(crate) fn refused(&self, kind: Refusal) -> usize {
        self.refused.lock().unwrap().iter().filter(|refusal| **refusal == kind).count()
    }
}

fn routes() -> Router {
    let length = |body: String| async move { body.len().to_string() };
    let hang = || async { std::future::pending::<()>().await };
    let reset = |request: Request| async move {
        request.extensions().get::<Connection>().unwrap().reset();
        std::future::pending::<()>().await;
    };
    Router::new()
        .route("/", get(|| async { "ok" }).put(|| async { "changed" }).post(length))
        .route("/large", get(|| async { LARGE.as_slice() }))
        .route("/hang", get(hang))
        .route("/reset", get(reset))
}

/// One connection of a client.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads one answer with a `Content-Length`: its status and its text, head included.
    pub(crate) async fn answer(&mut self) -> (u16, String) {
        timeout(PATIENCE, self.read_answer()).await.expect("an answer").expect("an answer")
    }

    async fn read_answer(&mut self) -> io::Result<(u16, String)> {
        let mut text = Vec::new();
        loop {
            let read = self.0.read_buf(&mut text).await?;
            let so_far = String::from_utf8_lossy(&text);
            if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length =
                    head.split_once("content-length: ").map_or("0", |(_, rest)| rest.lines().next().unwrap());
                if body.len() >= length.parse().unwrap() {
                    return Ok((so_far[9..12].parse().unwrap(), so_far.into_owned()));
                }
            }
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Sends a whole request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &str) -> (u16, String) {
        self.send(request).await;
        self.answer().await
    }

    /// Waits until the server has closed the connection; earlier input is discarded.
    pub(crate) async fn closed(&mut self) {
        let mut waste = vec![0; 64 << 10];
        let closing = async { while matches!(self.0.read(&mut waste).await, Ok(1..)) {} };
        timeout(PATIENCE, closing).await.expect("a closed connection");
    }
}

/// A complete small request.
pub(crate) const GET: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Waits until `condition` is true, or fails after [`PATIENCE`].
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
