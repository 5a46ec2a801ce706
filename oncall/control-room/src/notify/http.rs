//! One POST to a receiver. `http://` goes through reqwest, `https://` through a curl child, because no program of the
//! workspace links a TLS library. No error contains a URL: it may be a secret.

use std::path::PathBuf;

use reqwest::redirect::Policy;

use super::{
    curl,
    exchange::{Answer, CONNECT, LARGEST, PATIENCE, Request, seconds},
    failure::Failure,
};

/// Sends requests. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    plain: reqwest::Client,
    curl: PathBuf,
}

impl Client {
    /// With the curl of the search path.
    pub(crate) fn new() -> Self {
        let builder =
            reqwest::Client::builder().connect_timeout(CONNECT).timeout(PATIENCE).redirect(Policy::none());
        // Without TLS, building the client cannot fail.
        Self { plain: builder.build().unwrap_or_default(), curl: PathBuf::from("curl") }
    }

    /// Sends it and reads the answer, whatever its status.
    pub(crate) async fn post(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        match request.url.split_once("://") {
            Some(("http", _)) => self.plain(request).await,
            Some(("https", _)) => curl::post(&self.curl, request).await,
            _ => Err(Failure::Never("the address is not an http:// or https:// URL".to_owned())),
        }
    }

    async fn plain(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let mut sending = self.plain.post(request.url).body(request.body.clone());
        for (name, value) in &request.headers {
            sending = sending.header(*name, value);
        }
        let mut response = sending.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let wait = response.headers().get("retry-after").and_then(|value| seconds(value.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                return Err(Failure::Unclear("the answer is larger than 1 MiB".to_owned()));
            }
        }
        Ok(Answer { status, wait, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

fn failure(error: reqwest::Error) -> Failure {
    let (builder, connect) = (error.is_builder(), error.is_connect());
    let why = reasons(&error.without_url());
    if builder {
        Failure::Never(why)
    } else if connect {
        Failure::not_yet(why)
    } else {
        Failure::Unclear(why)
    }
}

/// An error and its causes in a line.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_connection_delivered_nothing_and_the_error_names_no_url() {
        // Bound, but not listening: connections are refused, and nobody else can take the port.
        let closed = tokio::net::TcpSocket::new_v4().unwrap();
        closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}/secret-path", closed.local_addr().unwrap());
        let request = Request { url: &url, headers: Vec::new(), body: String::new() };
        let failed = Client::new().post(&request).await.unwrap_err();
        assert!(matches!(failed, Failure::NotYet { .. }), "{failed:?}");
        assert!(!failed.why().contains("secret-path"), "{failed:?}");
    }

    #[tokio::test]
    async fn an_address_of_another_kind_is_refused() {
        let request = Request { url: "ftp://example.org", headers: Vec::new(), body: String::new() };
        assert!(matches!(Client::new().post(&request).await, Err(Failure::Never(_))));
    }
}
