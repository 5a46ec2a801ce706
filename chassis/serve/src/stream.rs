//! The socket of a connection: tells its [`State`] what the client sends and reads, and can be reset.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::connection::State;

/// A client that reads this much of its response, in bytes, gets its full time limit again.
const GOOD_PART: usize = 16 << 10;
/// Most bytes discarded of an unwanted body.
const MAX_LINGER: usize = 32 << 20;

pub(crate) struct Stream {
    tcp: TcpStream,
    state: Arc<State>,
    /// Bytes read since the client stalled.
    taken: usize,
    thrown_away: usize,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream, state: Arc<State>) -> Self {
        Self { tcp, state, taken: 0, thrown_away: 0 }
    }

    /// Fails once the connection was reset, and makes its close a reset.
    fn check(&self) -> io::Result<()> {
        if !self.state.is_reset() {
            return Ok(());
        }
        let _ = self.tcp.set_zero_linger();
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    fn note(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Pending => self.state.stalls(),
            Poll::Ready(Ok(bytes)) if self.state.is_stalled() => {
                self.taken += bytes;
                if self.taken >= GOOD_PART {
                    self.taken = 0;
                    self.state.takes();
                }
            }
            Poll::Ready(_) => {}
        }
        written
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.state.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = Pin::new(&mut self.tcp).poll_write_vectored(cx, bytes);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        // Called when everything has been written: TCP itself has nothing to flush.
        self.taken = 0;
        self.state.taken();
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A FIN before the RST would make it look like an orderly close.
        self.check()?;
        ready!(Pin::new(&mut self.tcp).poll_shutdown(cx))?;
        if !self.state.is_unread() {
            return Poll::Ready(Ok(()));
        }
        // Closing while the client still sends would reset the connection, and most clients would report the reset instead of
        // the response. The state's deadline bounds the time for this.
        self.state.lingers();
        let mut waste = [0; 4096];
        while self.thrown_away < MAX_LINGER {
            let mut buffer = ReadBuf::new(&mut waste);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buffer))?;
            match buffer.filled().len() {
                0 => break,
                bytes => self.thrown_away += bytes,
            }
        }
        Poll::Ready(Ok(()))
    }
}
