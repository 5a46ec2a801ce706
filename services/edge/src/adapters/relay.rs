//! The body of an answer on its way from a replica to the client, piece by piece: it is as long as it likes,
//! and never in memory as a whole. A replica that stops in the middle of it loses the connection after a
//! while, and the client sees that the answer is not whole.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::HttpBody;
use bytes::Bytes;
use chassis_telemetry::metrics::IntGauge;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

/// Longest pause between two pieces. Longer than streams of events need, which say something every few
/// seconds.
const STALLED: Duration = Duration::from_secs(60);

/// Counts a request as long as it is not answered completely.
pub(crate) struct InFlight(IntGauge);

impl InFlight {
    pub(crate) fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The body of an answer.
pub(crate) struct Relay {
    body: Incoming,
    _in_flight: InFlight,
    /// Begun when the replica first let the client wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Relay {
    pub(crate) fn new(body: Incoming, in_flight: InFlight) -> Self {
        Self { body, _in_flight: in_flight, timer: None }
    }
}

impl HttpBody for Relay {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
