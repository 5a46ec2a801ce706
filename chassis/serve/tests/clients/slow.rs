//! One slow client at a time: each of its turns has a time limit.

use std::time::{Duration, Instant};

use chassis_serve::{Limits, Refusal};
use tokio::io::AsyncWriteExt;

use crate::support::{BODY_LIMIT, GET, Port, eventually};

fn limits(time: Duration) -> Limits {
    Limits { head_timeout: time, body_timeout: time, write_timeout: time, ..Limits::default() }
}

const SHORT: Duration = Duration::from_millis(200);
/// Never reached by a test.
const LONG: Duration = Duration::from_secs(3000);

#[tokio::test]
async fn headers_that_trickle_in_end_the_connection() {
    let port = Port::open(Limits { head_timeout: SHORT, ..limits(LONG) }).await;
    let mut client = port.client().await;
    client.send("GET / HTTP/1.1\r\nhost: loc").await;
    client.closed().await;
    assert_eq!(port.refused(Refusal::SlowHead), 1);
}

#[tokio::test]
async fn a_connection_may_be_idle_for_longer_than_headers_may_take() {
    let port = Port::open(Limits { head_timeout: SHORT, ..limits(LONG) }).await;
    let (mut fresh, mut used, mut slow) = (port.client().await, port.client().await, port.client().await);
    assert_eq!(used.ask(GET).await.0, 200);
    // By the end of the second connection, the others were idle for longer than the time limit for headers.
    for _ in 0..2 {
        slow.send("GET ").await;
        slow.closed().await;
        slow = port.client().await;
    }
    assert_eq!(used.ask(GET).await.0, 200);
    assert_eq!(fresh.ask(GET).await.0, 200);
    // The limit also applies to the second request of a connection.
    used.send("GET ").await;
    used.closed().await;
    assert_eq!(port.refused(Refusal::SlowHead), 3);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_with_408_and_the_connection_closed() {
    let port = Port::open(Limits { body_timeout: SHORT, ..limits(LONG) }).await;
    for request in [
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nx",
        "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let mut client = port.client().await;
        let (status, text) = client.ask(request).await;
        assert_eq!(status, 408, "{text}");
        assert!(text.contains("problems.md#request-timeout") && text.contains("connection: close"), "{text}");
        client.closed().await;
    }
    assert_eq!(port.refused(Refusal::SlowBody), 2);
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_refused_at_once() {
    let port = Port::open(limits(LONG)).await;
    let announced = BODY_LIMIT + 1;
    for extra in ["", "expect: 100-continue\r\n"] {
        let mut client = port.client().await;
        let request =
            format!("POST / HTTP/1.1\r\nhost: localhost\r\n{extra}content-length: {announced}\r\n\r\n");
        let (status, text) = client.ask(&request).await;
        assert_eq!(status, 413, "and no 100 Continue before it: {text}");
        assert!(text.contains("at most 1024 bytes"), "{text}");
    }
}

#[tokio::test]
async fn a_client_that_sends_all_of_a_large_body_reads_the_refusal_and_no_reset() {
    let port = Port::open(limits(LONG)).await;
    for framing in ["content-length: 4194304", "transfer-encoding: chunked"] {
        let mut client = port.client().await;
        let head = format!("POST / HTTP/1.1\r\nhost: localhost\r\n{framing}\r\n\r\n");
        client.send(&head).await;
        if framing.starts_with("transfer") {
            client.send("400000\r\n").await;
        }
        // Most clients read only when they have sent everything.
        client.0.write_all(&vec![b'x'; 4 << 20]).await.expect("the server reads on");
        assert_eq!(client.answer().await.0, 413, "{framing}");
    }
}

#[tokio::test]
async fn a_client_that_keeps_sending_after_the_refusal_is_cut() {
    let port = Port::open(limits(LONG)).await;
    let mut client = port.client().await;
    let (status, _) = client.ask("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999\r\n\r\n").await;
    assert_eq!(status, 413);
    let begun = Instant::now();
    while client.0.write_all(b"x").await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(15), "still open");
        // The pace of the client, not a wait for something.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_its_response_is_cut() {
    let port = Port::open(Limits { write_timeout: SHORT, ..limits(LONG) }).await;
    let mut client = port.client().await;
    client.send("GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    eventually("cut", || port.refused(Refusal::SlowRead) == 1).await;
    client.closed().await;
    // The same answer reaches a client that reads.
    let mut client = port.client().await;
    client.send("GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    client.closed().await;
    assert_eq!(port.refused(Refusal::SlowRead), 1);
}

#[tokio::test]
async fn a_request_in_progress_has_no_deadline_of_the_connection() {
    let port = Port::open(limits(SHORT)).await;
    let mut hanging = port.client().await;
    hanging.send("GET /hang HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    for _ in 0..3 {
        let mut slow = port.client().await;
        slow.send("GET ").await;
        slow.closed().await;
    }
    let mut byte = [0];
    assert_eq!(
        hanging.0.try_read(&mut byte).expect_err("neither closed nor answered").kind(),
        std::io::ErrorKind::WouldBlock
    );
}

#[tokio::test]
async fn a_reset_from_within_a_request_is_a_reset_and_not_an_orderly_close() {
    use tokio::io::AsyncReadExt;
    let port = Port::open(limits(LONG)).await;
    let mut client = port.client().await;
    client.send("GET /reset HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let error = client.0.read(&mut [0; 64]).await.expect_err("a reset, not an end of stream");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_request_that_arrived_before_the_drain_is_answered() {
    let port = Port::open(limits(LONG)).await;
    let mut client = port.client().await;
    assert_eq!(client.ask(GET).await.0, 200);
    // Nothing runs between these two lines: the request is in the kernel, and the server has not seen it.
    assert_eq!(client.0.try_write(GET.as_bytes()).unwrap(), GET.len());
    let drained = tokio::spawn(port.server.drain());
    let (status, text) = client.answer().await;
    assert_eq!(status, 200);
    assert!(text.contains("connection: close"), "{text}");
    client.closed().await;
    drained.await.unwrap();
}

#[tokio::test]
async fn a_drain_does_not_wait_for_clients_that_send_nothing_or_half_a_request() {
    let port = Port::open(limits(LONG)).await;
    let (mut silent, mut half, mut body) = (port.client().await, port.client().await, port.client().await);
    half.send("GET / HT").await;
    body.send("POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nx").await;
    let mut used = port.client().await;
    assert_eq!(used.ask(GET).await.0, 200);
    tokio::time::timeout(Duration::from_secs(10), port.server.drain()).await.expect("a drain that ends");
    for client in [&mut silent, &mut half, &mut body, &mut used] {
        client.closed().await;
    }
}
