//! One request and its answer on a connection: through the gate, with its body bounded in size and time, and its turn recorded.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version, header};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::Sleep;
use tower::Service as _;

use crate::{
    BodyError, Connection,
    connection::{
        State,
        turn::{Turn, Waiting},
    },
    limits::Refusal,
    port::Port,
};

/// A connection and its port. Each request counts this, not the port, whose count all cores would write.
pub(crate) struct Link {
    pub(crate) port: Arc<Port>,
    pub(crate) state: Arc<State>,
}

/// Answers one request.
pub(crate) fn answer(
    link: &Arc<Link>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Answer>, Infallible>> + Send + use<> {
    let Link { port, state } = &**link;
    let turn = Turn::begin(state);
    let refusal = port.gate.refuse(&request, &state.known);
    let mut request = request.map(|incoming| {
        if incoming.is_end_stream() { Body::empty() } else { Body::new(Upload::new(incoming, port, state)) }
    });
    let version = request.version();
    let served = match refusal {
        Some((counts_as, response)) => {
            counts_as.into_iter().for_each(|refusal| port.refused(refusal));
            // Its body is not read.
            drop(request);
            Err(response)
        }
        None => {
            request.extensions_mut().insert(Connection(Arc::clone(state)));
            Ok(port.routes.clone().call(request))
        }
    };
    let link = Arc::clone(link);
    async move {
        let Link { port, state } = &*link;
        let mut response = match served {
            Ok(serving) => serving.await.unwrap_or_else(|never| match never {}),
            Err(response) => response,
        };
        if version < Version::HTTP_2 && (state.is_unread() || port.is_retiring()) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let turn = turn.answers();
        Ok(response.map(|body| Answer { body, _turn: turn }))
    }
}

/// The body of a response; dropped when the server has read all of it.
pub(crate) struct Answer {
    body: Body,
    _turn: Turn,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an inbound request.
struct Upload {
    incoming: Incoming,
    port: Arc<Port>,
    state: Arc<State>,
    /// Bytes received.
    size: usize,
    /// From when the reader first had to wait.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: Option<Waiting>,
    over: bool,
}

impl Upload {
    fn new(incoming: Incoming, port: &Arc<Port>, state: &Arc<State>) -> Self {
        let (port, state) = (Arc::clone(port), Arc::clone(state));
        Self { incoming, port, state, size: 0, timer: None, waiting: None, over: false }
    }

    /// Nothing more arrives, or nothing more is wanted.
    fn end(&mut self, wanted: bool) {
        if self.over {
            return;
        }
        self.over = true;
        self.waiting = None;
        self.timer = None;
        self.port.crowd.released(self.size);
        if !wanted {
            self.state.leaves_unread();
        }
    }

    fn refuse(&mut self, error: BodyError) -> BodyError {
        self.end(false);
        error
    }

    /// Waits for the client, up to its deadline.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        let timeout = self.port.settings.limits.body_timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        if timer.as_mut().poll(cx).is_ready() {
            self.port.refused(Refusal::SlowBody);
            return Poll::Ready(self.refuse(BodyError::TooSlow { timeout }));
        }
        if self.waiting.is_none() {
            self.waiting = Some(Waiting::begin(&self.state));
        }
        Poll::Pending
    }

    /// Checks the known size, received or announced, against the limit.
    fn check(&mut self, size: u64) -> Result<(), BodyError> {
        let limit = self.port.settings.body_limit;
        if size > limit as u64 { Err(self.refuse(BodyError::TooLarge { limit })) } else { Ok(()) }
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        // Before the first poll, which would tell a client that waits (`Expect: 100-continue`) to send.
        let announced = (self.size as u64).saturating_add(self.incoming.size_hint().lower());
        self.check(announced)?;
        let frame = match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(self.refuse(BodyError::Broken)))),
            Poll::Ready(None) => {
                self.end(true);
                return Poll::Ready(None);
            }
            Poll::Pending => return Poll::Ready(Some(Err(ready!(self.poll_late(cx))))),
        };
        if let Some(data) = frame.data_ref() {
            let bytes = data.len();
            self.size += bytes;
            if self.port.crowd.holds(bytes) {
                self.port.refused(Refusal::Crowded);
            }
            let size = self.size as u64;
            self.check(size)?;
        }
        if self.incoming.is_end_stream() {
            self.end(true);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.end(false);
    }
}
