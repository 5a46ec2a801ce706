//! Connections that can be reset from within a request: serve on an [`AbortableListener`] with
//! `into_make_service_with_connect_info::<ConnectionAbort>()`, and each request carries `ConnectInfo<ConnectionAbort>`.
//!
//! A reset is a real one: SO_LINGER 0 and a close, so the peer's kernel gets an RST and everything under way is lost.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use futures::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// Resets the connection that a request came on.
#[derive(Debug, Clone, Default)]
pub struct ConnectionAbort {
    inner: Arc<Flag>,
}

#[derive(Debug, Default)]
struct Flag {
    aborted: AtomicBool,
    reader: AtomicWaker,
}

impl ConnectionAbort {
    /// Resets the connection. The server drops the requests on it at their next await point.
    pub fn abort(&self) {
        self.inner.aborted.store(true, Ordering::SeqCst);
        self.inner.reader.wake();
    }

    fn aborted(&self) -> bool {
        self.inner.aborted.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, AbortableListener>> for ConnectionAbort {
    fn connect_info(stream: IncomingStream<'_, AbortableListener>) -> Self {
        stream.io().abort.clone()
    }
}

/// A TCP listener whose connections can be reset from within.
#[derive(Debug)]
pub struct AbortableListener(pub TcpListener);

impl Listener for AbortableListener {
    type Io = AbortableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (AbortableStream, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Answers are small and complete: waiting to fill a segment would only add latency.
        let _ = stream.set_nodelay(true);
        (AbortableStream { stream, abort: ConnectionAbort::default() }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that fails its next read or write, and closes with a reset, once it was aborted.
#[derive(Debug)]
pub struct AbortableStream {
    stream: TcpStream,
    abort: ConnectionAbort,
}

impl AbortableStream {
    /// The handle that resets this connection.
    #[must_use]
    pub fn abort(&self) -> ConnectionAbort {
        self.abort.clone()
    }

    fn check(&self) -> io::Result<()> {
        if !self.abort.aborted() {
            return Ok(());
        }
        let _ = self.stream.set_zero_linger();
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for AbortableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // First register, then look: an abort in between wakes.
        self.abort.inner.reader.register(cx.waker());
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for AbortableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A FIN before the RST would make it look like an orderly close.
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, extract::ConnectInfo, routing::get};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn an_aborted_request_ends_in_a_reset_and_not_in_an_orderly_close() {
        let hang = |ConnectInfo(connection): ConnectInfo<ConnectionAbort>| async move {
            connection.abort();
            std::future::pending::<()>().await;
        };
        let app =
            Router::new().route("/", get(hang)).into_make_service_with_connect_info::<ConnectionAbort>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(AbortableListener(listener), app).await });

        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let error = client.read(&mut [0; 64]).await.expect_err("a reset, not an end of stream");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        server.abort();
    }
}
