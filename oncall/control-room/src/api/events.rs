//! The stream of events (SSE): what happened, as it happens, from any point of the journal on.
//!
//! `id` is the row's number: a client that was cut off sends the last one as `Last-Event-ID` and misses nothing. A row is sent
//! in the order of the journal and once, whatever the bus does: a gap or a lag is filled from the journal. The stream ends
//! when the program begins to stop, so that the drain need not wait for it.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State as Shared,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use chassis_http::{Problem, Query, problems::OVERLOADED};
use futures::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use incident::State;
use serde::Deserialize;
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    broadcast::{Receiver, error::RecvError},
};
use utoipa::IntoParams;

use super::openapi::Refusals;
use crate::{access::Visitor, bus::Notice, room::Room, store};

/// Most streams at once. Each holds a connection, and neither a slot of the port nor its deadline.
const STREAMS: usize = 256;
/// Rows that are read from the journal at once.
const BATCH: usize = 200;
/// A comment is sent after this time without an event, so that nothing in between takes the connection for dead.
const BEAT: Duration = Duration::from_secs(15);
/// After this time a browser that was cut off asks again.
const RETRY: Duration = Duration::from_secs(2);

/// Places for streams. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS)))
    }
}

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsAsked {
    /// Replays what came after this number; 0: everything. Absent, and without `Last-Event-ID`: only what happens from now on.
    after: Option<i64>,
}

/// What happens, as it happens: `id` is the number in the journal, `event` the kind, `data` the row as JSON.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "events",
    params(EventsAsked, ("Last-Event-ID" = Option<i64>, Header, description = "As `after`; browsers send it by themselves")),
    responses(Refusals, (status = 200, description = "A stream of events: text/event-stream.")))]
pub(crate) async fn events(
    Shared(room): Shared<Room>,
    Shared(streams): Shared<Streams>,
    visitor: Visitor,
    Query(asked): Query<EventsAsked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = streams.0.try_acquire_owned().map_err(|_| {
        Problem::new(&OVERLOADED, format!("{STREAMS} streams are open; this one was not started."))
            .retry_after(5)
    })?;
    let last = last_id(&headers)?.or(asked.after);
    // Listens before it looks, so that nothing falls between.
    let news = room.bus.listen();
    let newest = store::journal_last(&room.store).await?;
    // A number of another file (this one was replaced) is not waited for.
    let last = last.map_or(newest, |last| last.clamp(0, newest));
    let end = room.chassis.readiness.until_stopping();
    let begin = Event::default().id(last.to_string()).retry(RETRY).comment("listening");
    let reader =
        Reader { room, visitor, news, last, behind: last < newest, ready: VecDeque::new(), _place: place };
    let stream = stream::iter([Ok::<_, Infallible>(begin)]).chain(reader.stream()).take_until(end);
    let sse = Sse::new(stream).keep_alive(KeepAlive::new().interval(BEAT));
    // A proxy in between must not collect events.
    Ok(([("x-accel-buffering", "no")], sse).into_response())
}

/// `Last-Event-ID`, if there is one.
fn last_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or_else(|| Problem::invalid("Last-Event-ID", "the `id` of an event: a whole number"))
}

/// Where one client is in the journal.
struct Reader {
    room: Room,
    visitor: Visitor,
    news: Receiver<Arc<Notice>>,
    /// The newest row that this client has, or may not have.
    last: i64,
    /// Whether the journal has rows after `last`.
    behind: bool,
    /// Events to send next.
    ready: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream::unfold(self, |mut reader| async move {
            let event = reader.wait().await?;
            Some((Ok(event), reader))
        })
    }

    /// The next event; none if the journal cannot be read: the client comes again.
    async fn wait(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match self.news.recv().await {
                Ok(notice) if notice.seq == 0 => self.take(&notice).await,
                Ok(notice) if notice.seq <= self.last => {}
                Ok(notice) if notice.seq == self.last + 1 => {
                    self.last = notice.seq;
                    self.take(&notice).await;
                }
                Ok(_) | Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Reads what came after the last row.
    async fn catch_up(&mut self) -> Option<()> {
        let rows = match store::journal_after(&self.room.store, self.last, BATCH).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "a stream of events ends: the journal cannot be read");
                return None;
            }
        };
        self.behind = rows.len() == BATCH;
        for row in rows {
            self.last = row.seq;
            self.take(&row).await;
        }
        Some(())
    }

    /// Makes an event of a row, if this client may have it.
    async fn take(&mut self, notice: &Notice) {
        if !self.may_have(notice).await {
            return;
        }
        let kind: &'static str = notice.kind.into();
        // Texts and numbers: cannot fail.
        let Ok(event) = Event::default().event(kind).json_data(notice) else { return };
        let event = if notice.seq == 0 { event } else { event.id(notice.seq.to_string()) };
        self.ready.push_back(event);
    }

    /// What is sealed is for instructors, and for everyone once the incident is closed.
    async fn may_have(&self, notice: &Notice) -> bool {
        // While somebody is in a drill, what was wrong in an older one may be wrong again.
        let is_truth = notice.sealed || notice.data["what"]["kind"] == "truth";
        if is_truth && self.room.drills.hides_truth(&self.visitor) {
            return false;
        }
        if !notice.sealed || self.visitor.is_instructor() {
            return true;
        }
        let Some(id) = notice.incident else { return false };
        self.room.desk.get(id).await.is_ok_and(|incident| incident.state == State::Closed)
    }
}
