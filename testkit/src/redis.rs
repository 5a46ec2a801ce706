//! One real Redis server per test, without persistence.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{needs::program, ports::free_addr, tether::Tether};

/// A running server; stopped when dropped.
pub struct Redis {
    addr: SocketAddr,
    tether: Option<Tether>,
}

impl Redis {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// When Redis is missing (call `needs!(Redis)` first) or does not start.
    pub async fn start() -> Self {
        let addr = free_addr();
        Self { addr, tether: Some(spawn(addr).await) }
    }

    /// Its address; does not change with [`Redis::restart`].
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connection string.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.addr)
    }

    /// Process id; `None` while it is down.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.tether.as_ref().map(Tether::pid)
    }

    /// Ends it at once (SIGKILL); the port then refuses connections.
    pub fn kill(&mut self) {
        if let Some(tether) = self.tether.take() {
            tether.kill("KILL");
        }
    }

    /// Starts it again on the same port, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.kill();
        self.tether = Some(spawn(self.addr).await);
    }

    /// Stops it from responding while its connections stay open (SIGSTOP).
    pub fn freeze(&self) {
        self.tether.iter().for_each(|tether| tether.signal("STOP"));
    }

    /// Reverts [`Redis::freeze`].
    pub fn thaw(&self) {
        self.tether.iter().for_each(|tether| tether.signal("CONT"));
    }

    /// Sends one inline command (`FLUSHALL`, `TTL users:1`) and returns the raw reply.
    pub async fn command(&self, line: &str) -> String {
        send(self.addr, line).await.expect("Redis answers")
    }
}

async fn spawn(addr: SocketAddr) -> Tether {
    let folder = tempfile::Builder::new().prefix("testkit-redis-").tempdir().expect("a temp folder").keep();
    let mut command =
        vec![program("redis-server").expect("`redis-server` is installed").display().to_string()];
    let port = addr.port().to_string();
    let dir = folder.display().to_string();
    let flags = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", &dir];
    command.extend(flags.map(str::to_owned));
    let mut tether = Tether::start(&folder, "KILL", &command);
    for _ in 0..500 {
        if send(addr, "PING").await.is_ok_and(|reply| reply.starts_with("+PONG")) && tether.alive() {
            return tether;
        }
        if !tether.alive() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("redis-server did not start on {addr}: {}", tether.last_words());
}

async fn send(addr: SocketAddr, line: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    let (mut reply, mut some) = (Vec::new(), vec![0; 64 * 1024]);
    while rest_of(&reply).is_none() {
        match stream.read(&mut some).await? {
            0 => break,
            read => reply.extend_from_slice(&some[..read]),
        }
    }
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

/// What follows the first whole value of the Redis protocol; `None` while that is incomplete.
fn rest_of(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")?;
    let (head, rest) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]);
    let count = || head[1..].parse::<usize>().ok();
    match head.as_bytes().first()? {
        // A negative length means a null value.
        b'$' => count().map_or(Some(rest), |length| rest.get(length + 2..)),
        b'*' => (0..count().unwrap_or_default()).try_fold(rest, |rest, _| rest_of(rest)),
        _ => Some(rest),
    }
}
