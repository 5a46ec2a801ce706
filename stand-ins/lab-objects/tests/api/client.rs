//! A client of S3: signs each request, and reads the few elements that tests ask for.

use std::net::SocketAddr;

use chrono::Utc;
use http::{Method, Request};
use lab_objects::auth::{Keys, Query, sign};
use sha2::{Digest as _, Sha256};
use testkit::{Answer, Http};

/// A client of one endpoint.
#[derive(Clone)]
pub(crate) struct Client {
    http: Http,
    host: String,
    keys: Keys,
}

/// The keys of all tests.
pub(crate) fn keys() -> Keys {
    Keys {
        region: "us-east-1".to_owned(),
        access_key: "lab".to_owned(),
        secret_key: "a-secret-of-tests".into(),
    }
}

impl Client {
    /// Of the store at `address`, with the keys of the tests.
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { http: Http::to(address), host: address.to_string(), keys: keys() }
    }

    /// The same, with another secret.
    pub(crate) fn with_secret(&self, secret: &str) -> Self {
        Self { keys: Keys { secret_key: secret.into(), ..self.keys.clone() }, ..self.clone() }
    }

    /// Sends a signed request; `None` if there was no whole answer.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        uri: &str,
        more: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let (hash, now) = (hex::encode(Sha256::digest(body)), Utc::now());
        let date = now.format("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = vec![("x-amz-content-sha256", hash.as_str()), ("x-amz-date", date.as_str())];
        headers.extend(more);
        let mut request = Request::builder().method(method).uri(uri).header("host", &self.host);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).expect("a request").into_parts().0;
        let query = Query::read(parts.uri.query().unwrap_or_default());
        let authorization = sign(&self.keys, &parts, &query, &hash, now).expect("a signature");
        headers.push(("authorization", authorization.as_str()));
        let method: Method = method.parse().expect("a method");
        self.http.try_send(method, uri, &headers, body.to_vec()).await.ok()
    }

    /// Sends a signed request.
    pub(crate) async fn send(&self, method: &str, uri: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, uri, more, body).await.unwrap_or_else(|| panic!("no answer to {method} {uri}"))
    }

    /// Sends a request as it is.
    pub(crate) async fn unsigned(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
        self.http.send(method.parse().expect("a method"), uri, headers, String::new()).await
    }

    /// Creates a bucket, or finds it there.
    pub(crate) async fn bucket(&self, name: &str) {
        let answer = self.send("PUT", &format!("/{name}"), &[], b"").await;
        assert!(matches!(answer.status, 200 | 409), "{answer:?}");
    }

    /// Puts an object; its `ETag`, quotes included.
    pub(crate) async fn put(&self, uri: &str, text: &str) -> String {
        let answer = self.send("PUT", uri, &[], text.as_bytes()).await;
        answer.expect_status(200).header("etag").to_owned()
    }

    /// The text of an object.
    pub(crate) async fn get(&self, uri: &str) -> String {
        self.send("GET", uri, &[], b"").await.expect_status(200).body.clone()
    }

    /// The status of a request without a body.
    pub(crate) async fn status(&self, method: &str, uri: &str) -> u16 {
        self.send(method, uri, &[], b"").await.status
    }
}

/// The texts of all elements of this name in an answer, in order.
pub(crate) fn texts(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let pieces = xml.split(open.as_str()).skip(1);
    pieces.filter_map(|piece| piece.split_once(close.as_str())).map(|(text, _)| text.to_owned()).collect()
}

/// The code of an error.
pub(crate) fn code(answer: &Answer) -> String {
    texts(&answer.body, "Code").into_iter().next().unwrap_or_default()
}
