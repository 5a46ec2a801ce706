//! Readiness as the part itself reports it, not just an open port: an HTTP status, Redis's answer to `PING`,
//! PostgreSQL's request for a password, a Kafka broker that names itself. No probe needs a secret, so the state
//! file has none.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::LazyLock,
    time::Duration,
};

use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How to ask whether a part is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// `GET url` answers 200.
    Http(String),
    /// A PostgreSQL server on this loopback port accepts log-ins.
    Postgres(u16),
    /// A Redis server on this loopback port responds, even if it only asks for a password.
    Redis(u16),
    /// A Kafka broker on this loopback port knows of a broker in service.
    Kafka(u16),
    /// A file exists (for parts in tests).
    File(PathBuf),
}

/// Without proxies: every part is on the loopback interface. Without TLS, so building it cannot fail.
static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::builder().no_proxy().build().unwrap_or_default());

/// Longest wait for a response; a slower one counts as not ready.
const PATIENCE: Duration = Duration::from_secs(1);

impl Probe {
    /// Asks once.
    ///
    /// # Errors
    /// Why the part is not ready, as a sentence for people.
    pub async fn ask(&self) -> Result<(), String> {
        match tokio::time::timeout(PATIENCE, self.answer()).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {}", humantime::format_duration(PATIENCE))),
        }
    }

    async fn answer(&self) -> Result<(), String> {
        match self {
            Self::Http(url) => ready(url).await,
            Self::Postgres(port) => postgres(*port).await.map_err(|error| error.to_string())?,
            Self::Redis(port) => redis(*port).await.map_err(|error| error.to_string())?,
            Self::Kafka(port) => kafka(*port).await.map_err(|error| error.to_string())?,
            Self::File(path) => path.exists().then_some(()).ok_or_else(|| "not there yet".to_owned()),
        }
    }
}

async fn ready(url: &str) -> Result<(), String> {
    let response = CLIENT.get(url).send().await.map_err(|error| cause(&error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let body = response.text().await.unwrap_or_default();
    Err(reasons(&body).unwrap_or_else(|| status.to_string()))
}

/// The reasons in a readiness response that is not 200: the named reasons of a problem (RFC 9457), its detail, or
/// plain text.
fn reasons(body: &str) -> Option<String> {
    let problem = serde_json::from_str::<Value>(body).unwrap_or_default();
    let named = problem["errors"].as_object().into_iter().flatten();
    let named: Vec<_> =
        named.map(|(name, why)| format!("{name}: {}", why.as_str().unwrap_or_default())).collect();
    if !named.is_empty() {
        return Some(named.join("; "));
    }
    let sentence = problem["detail"].as_str().or_else(|| problem["title"].as_str());
    sentence.or_else(|| body.lines().map(str::trim).find(|line| !line.is_empty())).map(str::to_owned)
}

/// The innermost cause of a failed call: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

async fn connect(port: u16) -> std::io::Result<TcpStream> {
    TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// Start-up message of protocol 3.0. A server that is still recovering responds with an error, a ready one asks for
/// authentication. Closing the connection then is what clients do that have yet to prompt for a password, so the
/// server logs nothing.
async fn postgres(port: u16) -> std::io::Result<Result<(), String>> {
    let mut stream = connect(port).await?;
    let body = b"\x00\x03\x00\x00user\0lab\0database\0postgres\0\0";
    let length = u32::try_from(body.len() + 4).unwrap_or_default();
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(body).await?;
    let kind = stream.read_u8().await?;
    // Read the whole response: closing with unread data would look like a lost connection, which is logged.
    let mut rest = vec![0; 512];
    let read = stream.read(&mut rest).await?;
    if kind == b'R' {
        return Ok(Ok(()));
    }
    let text = String::from_utf8_lossy(&rest[..read]);
    let message = text.split('\0').find_map(|field| field.strip_prefix('M')).unwrap_or("refused");
    Ok(Err(message.to_owned()))
}

async fn redis(port: u16) -> std::io::Result<Result<(), String>> {
    let mut stream = connect(port).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer[..read]);
    Ok(if ["+PONG", "-NOAUTH"].iter().any(|good| answer.starts_with(good)) {
        Ok(())
    } else {
        Err(answer.trim().to_owned())
    })
}

/// Metadata request, version 1, for no topic. A broker that has just come back returns an empty list of brokers
/// until its controller lets it in.
async fn kafka(port: u16) -> std::io::Result<Result<(), String>> {
    // Length; API 3, version 1; correlation id; no client id; an empty list of topics.
    const REQUEST: &[u8] = b"\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\0\0\0\0";
    let mut stream = connect(port).await?;
    stream.write_all(REQUEST).await?;
    let (_length, _correlation) = (stream.read_u32().await?, stream.read_u32().await?);
    let brokers = stream.read_u32().await?;
    Ok(if brokers > 0 { Ok(()) } else { Err("the broker is not in service yet".to_owned()) })
}
