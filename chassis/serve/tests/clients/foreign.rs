//! Requests that a web page of another site can make a browser send.

use chassis_serve::{Limits, Refusal};

use crate::support::{GET, Port};

async fn status(port: &Port, request: &str) -> (u16, String) {
    port.client().await.ask(request).await
}

#[tokio::test]
async fn a_host_that_was_rebound_to_this_address_gets_nothing() {
    let limits = Limits { allowed_hosts: vec!["order-api".parse().unwrap()], ..Limits::default() };
    let port = Port::open(limits).await;
    for host in ["localhost:9101", "127.0.0.1", "[::1]:80", "order-api:8001"] {
        assert_eq!(status(&port, &GET.replace("localhost", host)).await.0, 200, "{host}");
    }
    let (code, text) = status(&port, &GET.replace("localhost", "evil.example:9101")).await;
    assert_eq!(code, 421);
    for word in
        ["evil.example", "ALLOWED_HOSTS", "localhost, any IP address, order-api", "misdirected-request"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert_eq!(port.refused(Refusal::WrongHost), 1);
}

#[tokio::test]
async fn another_site_can_change_nothing() {
    let port = Port::open(Limits::default()).await;
    let put = "PUT / HTTP/1.1\r\nhost: localhost:9101\r\ncontent-length: 0\r\n";
    assert_eq!(status(&port, &format!("{put}\r\n")).await.0, 200, "a program, such as curl");
    assert_eq!(
        status(&port, &format!("{put}origin: http://localhost:9101\r\n\r\n")).await.0,
        200,
        "our own page"
    );
    for header in [
        "origin: http://evil.example",
        "origin: null",
        "origin: http://localhost:3000",
        "sec-fetch-site: cross-site",
    ] {
        let (code, text) = status(&port, &format!("{put}{header}\r\n\r\n")).await;
        assert_eq!(code, 403, "{header}");
        assert!(text.contains("cross-origin") && text.contains("curl"), "{text}");
    }
    assert_eq!(port.refused(Refusal::CrossOrigin), 4);
}

#[tokio::test]
async fn a_simple_cross_site_post_is_refused_before_its_body_is_read() {
    let port = Port::open(Limits::default()).await;
    let post = "POST / HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example\r\ncontent-type: text/plain\r\n\
        content-length: 500\r\n\r\n";
    assert_eq!(status(&port, post).await.0, 403);
}
