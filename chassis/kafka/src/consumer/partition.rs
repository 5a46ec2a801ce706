//! The work on one partition, until the partition is taken away.
//!
//! Up to [`WINDOW`] messages are in progress at once, so that their database work can share a commit (`db::Group`). Messages
//! of one key are handled one after the other, in the order of the log; so are all messages while one of them must be
//! retried: work that cannot be done now does not pile up.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use rdkafka::consumer::stream_consumer::StreamPartitionQueue;
use tokio_util::sync::CancellationToken;

use super::{super::InMessage, context::GroupContext, group::Group};

/// Time for messages in progress to finish when their partition is taken away.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(2);
/// Messages of one partition in progress at once, each with a different key.
const WINDOW: usize = 16;

/// State shared by the messages in progress of one partition.
#[derive(Default)]
pub(super) struct Window {
    /// How many of them wait for another attempt.
    stuck: AtomicUsize,
    /// Held by the message that a slow consumer is busy with.
    pub(super) busy: tokio::sync::Mutex<()>,
}

impl Window {
    /// No other message is started until the value returned is dropped.
    pub(super) fn stick(&self) -> impl Drop + '_ {
        self.stuck.fetch_add(1, Ordering::SeqCst);
        Stuck(self)
    }
}

struct Stuck<'a>(&'a Window);

impl Drop for Stuck<'_> {
    fn drop(&mut self) {
        self.0.stuck.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A message whose task has ended.
struct Over {
    key: Option<String>,
    offset: i64,
    /// Whether it is settled; otherwise the partition was revoked first.
    settled: bool,
}

/// One assigned partition and its messages in progress.
struct Partition {
    group: Arc<Group>,
    number: i32,
    stop: CancellationToken,
    window: Arc<Window>,
    under_way: FuturesUnordered<BoxFuture<'static, Over>>,
    keys: HashSet<Option<String>>,
}

/// Works on `partition` until `stop`.
pub(super) async fn run(
    group: Arc<Group>,
    queue: StreamPartitionQueue<GroupContext>,
    partition: i32,
    stop: CancellationToken,
) {
    let mut partition = Partition {
        group,
        number: partition,
        stop,
        window: Arc::default(),
        under_way: FuturesUnordered::new(),
        keys: HashSet::new(),
    };
    // Read but not started: those behind it wait too.
    let mut next: Option<InMessage> = None;
    while !partition.stop.is_cancelled() {
        if let Some(message) = next.take_if(|message| partition.has_room_for(message)) {
            partition.start(message);
        }
        tokio::select! {
            Some(over) = partition.under_way.next() => partition.note(&over),
            received = receive(&queue), if next.is_none() && partition.under_way.len() < WINDOW => next = received,
            () = partition.stop.cancelled() => {}
        }
    }
    partition.finish().await;
}

impl Partition {
    fn has_room_for(&self, message: &InMessage) -> bool {
        self.under_way.len() < WINDOW
            && self.window.stuck.load(Ordering::SeqCst) == 0
            && !self.keys.contains(&message.key)
    }

    fn start(&mut self, message: InMessage) {
        let (group, window, stop) = (Arc::clone(&self.group), Arc::clone(&self.window), self.stop.clone());
        group.offsets.started(self.number, message.offset, message.timestamp);
        self.keys.insert(message.key.clone());
        self.under_way.push(Box::pin(async move {
            let settled = group.decider.settle(&message, &window, &stop).await;
            Over { key: message.key, offset: message.offset, settled }
        }));
    }

    fn note(&mut self, over: &Over) {
        self.keys.remove(&over.key);
        if over.settled {
            let held = self.group.commit_skip.as_ref().is_some_and(|point| point.strike().is_some());
            self.group.offsets.done(self.number, over.offset, held);
        }
    }

    /// Lets messages in progress finish, for at most [`STOP_GRACE`].
    async fn finish(mut self) {
        let all = async {
            while let Some(over) = self.under_way.next().await {
                self.note(&over);
            }
        };
        // What has not ended by then is dropped and redelivered elsewhere.
        let _ = tokio::time::timeout(STOP_GRACE, all).await;
    }
}

async fn receive(queue: &StreamPartitionQueue<GroupContext>) -> Option<InMessage> {
    let error = match queue.recv().await {
        Ok(message) => return Some(InMessage::from(&message)),
        Err(error) => error,
    };
    tracing::debug!(%error, "no message");
    tokio::time::sleep(Duration::from_millis(50)).await;
    None
}
