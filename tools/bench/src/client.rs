//! A closed-loop HTTP/1.1 client that costs as little as possible, so that the measurement is about the server.
//!
//! Each connection is a task that writes a prepared request, reads one response with `Content-Length`, and repeats.

use std::{
    net::SocketAddr,
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The result of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Responses with a 2xx status.
    pub(crate) ok: u64,
    /// Other responses.
    pub(crate) other: u64,
    /// Wall time, in seconds.
    pub(crate) seconds: f64,
}

impl Rate {
    /// Successful responses per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.ok as f64 / self.seconds
    }
}

/// Sends the requests that `request(connection, n)` returns over `connections` keep-alive connections for `time`.
///
/// # Errors
/// When a connection fails or a response cannot be read.
pub(crate) async fn hammer<F>(
    addr: SocketAddr,
    connections: usize,
    time: Duration,
    request: F,
) -> anyhow::Result<Rate>
where
    F: Fn(usize, u64, &mut Vec<u8>) + Send + Sync + 'static,
{
    let (stop, ok, other) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let request = Arc::new(request);
    let start = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|c| {
            let (stop, ok, other, request) = (stop.clone(), ok.clone(), other.clone(), request.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(addr).await?;
                let mut bytes = Vec::with_capacity(1024);
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    bytes.clear();
                    request(c, n, &mut bytes);
                    n += 1;
                    let counter =
                        if (200..300).contains(&connection.call(&bytes).await?) { &ok } else { &other };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let seconds = start.elapsed().as_secs_f64();
    let (ok, other) = (ok.load(Ordering::Relaxed), other.load(Ordering::Relaxed));
    for task in tasks {
        task.await??;
    }
    Ok(Rate { ok, other, seconds })
}

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await.with_context(|| format!("connecting to {addr}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 16 * 1024], filled: 0 })
    }

    /// Sends one request and returns the status of its response.
    pub(crate) async fn call(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        loop {
            if let Some((status, length)) = answer(&self.buffer[..self.filled])? {
                self.buffer.copy_within(length..self.filled, 0);
                self.filled -= length;
                return Ok(status);
            }
            if self.filled == self.buffer.len() {
                bail!("a response is longer than {} bytes", self.buffer.len());
            }
            let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            self.filled += read;
        }
    }
}

/// Status and full length of the response at the start of `bytes`, once it is complete.
fn answer(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let Some(head) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..head]).context("a response that is not HTTP")?;
    let status = text.get(9..12).and_then(|s| s.parse().ok()).context("a response without a status")?;
    let body: usize = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .context("a response without Content-Length")?;
    let total = head + 4 + body;
    Ok((bytes.len() >= total).then_some((status, total)))
}
