//! The proxy between real sockets, in front of a server that sends everything back.

#![allow(clippy::unwrap_used, reason = "a test: a panic is how it fails")]

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use wire::{Conditions, Gate, Proxy};

/// Long enough for what happens to happen on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that sends back what it gets, and closes when its client has.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
            });
        }
    });
    addr
}

async fn proxy() -> Proxy {
    Proxy::start("127.0.0.1:0".parse().unwrap(), echo().await, 7).await.unwrap()
}

/// Says something, and hears it again.
async fn talk(stream: &mut TcpStream, word: &str) -> std::io::Result<String> {
    stream.write_all(word.as_bytes()).await?;
    hear(stream, word.len()).await
}

async fn hear(stream: &mut TcpStream, bytes: usize) -> std::io::Result<String> {
    let mut heard = vec![0; bytes];
    timeout(PATIENCE, stream.read_exact(&mut heard)).await.map_err(|_| ErrorKind::TimedOut)??;
    Ok(String::from_utf8(heard).unwrap())
}

/// What a reader gets from a connection that is reset: on Linux that, elsewhere perhaps an end.
fn broken(result: &std::io::Result<String>) -> bool {
    let kind = result.as_ref().err().map(std::io::Error::kind);
    matches!(kind, Some(ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe))
}

#[tokio::test]
async fn without_conditions_bytes_and_closes_pass_as_they_come() {
    let proxy = proxy().await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(talk(&mut stream, "hello").await.unwrap(), "hello");
    // Half closed: the other half still has something to say.
    stream.write_all(b"last words").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, "last words");
}

#[tokio::test]
async fn more_than_the_queue_holds_arrives_in_order_in_spite_of_latency_and_jitter() {
    let proxy = proxy().await;
    proxy.set(Conditions { latency_ms: 2, jitter_ms: 2, ..Conditions::default() });
    let (mut from, mut to) = TcpStream::connect(proxy.addr()).await.unwrap().into_split();
    let sent: Vec<u8> = (0..1_000_000_u32).map(|byte| byte.to_le_bytes()[byte as usize % 3]).collect();
    let expected = sent.clone();
    tokio::spawn(async move {
        let _ = to.write_all(&sent).await;
        let _ = to.shutdown().await;
    });
    let mut heard = Vec::new();
    timeout(PATIENCE, from.read_to_end(&mut heard)).await.unwrap().unwrap();
    assert!(heard == expected, "{} of {} bytes", heard.len(), expected.len());
}

#[tokio::test]
async fn a_partition_holds_everything_back_and_a_cut_resets_everything() {
    let proxy = proxy().await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    talk(&mut stream, "hello").await.unwrap();
    proxy.set(Conditions::gate(Gate::Hold));
    let mut late = TcpStream::connect(proxy.addr()).await.unwrap();
    stream.write_all(b"one").await.unwrap();
    late.write_all(b"two").await.unwrap();
    // Absence is the subject.
    let mut byte = [0; 1];
    assert!(timeout(Duration::from_millis(50), stream.read(&mut byte)).await.is_err());
    proxy.set(Conditions::default());
    assert_eq!(hear(&mut stream, 3).await.unwrap(), "one");
    assert_eq!(hear(&mut late, 3).await.unwrap(), "two");
    proxy.set(Conditions::gate(Gate::Cut));
    assert!(broken(&hear(&mut stream, 1).await));
    if let Ok(mut new) = TcpStream::connect(proxy.addr()).await {
        assert!(broken(&talk(&mut new, "x").await));
    }
}

#[tokio::test]
async fn what_waits_for_a_narrow_way_arrives_once_it_is_wide_again() {
    let proxy = proxy().await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    talk(&mut stream, "hello").await.unwrap();
    proxy.set(Conditions { bandwidth: Some(1), ..Conditions::default() });
    // Ten minutes at one byte per second.
    let word = "x".repeat(600);
    stream.write_all(word.as_bytes()).await.unwrap();
    // Absence is the subject.
    let mut byte = [0; 1];
    assert!(timeout(Duration::from_millis(50), stream.read(&mut byte)).await.is_err());
    proxy.set(Conditions::default());
    assert_eq!(hear(&mut stream, word.len()).await.unwrap(), word);
}

#[tokio::test]
async fn while_it_is_shut_open_connections_are_served_and_new_ones_wait() {
    let proxy = proxy().await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    talk(&mut stream, "hello").await.unwrap();
    proxy.set(Conditions::gate(Gate::Shut));
    let mut late = TcpStream::connect(proxy.addr()).await.unwrap();
    late.write_all(b"late").await.unwrap();
    assert_eq!(talk(&mut stream, "still").await.unwrap(), "still");
    proxy.set(Conditions::default());
    assert_eq!(hear(&mut late, 4).await.unwrap(), "late");
}

#[tokio::test]
async fn lost_bytes_and_a_target_that_is_gone_are_resets() {
    let proxy = proxy().await;
    proxy.set(Conditions { loss: 1.0, ..Conditions::default() });
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    assert!(broken(&talk(&mut stream, "hello").await));

    // Bound, but not listening: connections are refused, and nobody else can take the port.
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let target = gone.local_addr().unwrap();
    let proxy = Proxy::start("127.0.0.1:0".parse().unwrap(), target, 7).await.unwrap();
    if let Ok(mut stream) = TcpStream::connect(proxy.addr()).await {
        assert!(broken(&talk(&mut stream, "hello").await));
    }
}
