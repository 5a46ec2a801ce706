//! The work on one partition, until the partition is taken away.
//!
//! Up to [`WINDOW`] messages are under way at once, so that their database work can share a commit (`chassis_postgres::Group`).
//! Messages of one key are handled one after the other, in the order of the log; so are all messages while one of them has to
//! be tried again: what cannot be done now is not heaped up.

use std::{collections::HashSet, pin::pin, sync::Arc, time::Duration};

use futures::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use rdkafka::consumer::{ConsumerContext, stream_consumer::StreamPartitionQueue};
use tokio_util::sync::CancellationToken;

use super::{
    super::InMessage,
    commits::Commits,
    decide::Decider,
    window::{WINDOW, Window},
};

/// Time for messages in progress to finish when their partition is taken away.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(2);

/// A message whose task has ended.
struct Over {
    key: Option<String>,
    offset: i64,
    /// Whether it is settled; otherwise the partition was revoked first.
    settled: bool,
}

/// One assigned partition and its messages in progress.
struct Partition {
    number: i32,
    decider: Arc<Decider>,
    commits: Arc<Commits>,
    stop: CancellationToken,
    window: Arc<Window>,
    under_way: FuturesUnordered<BoxFuture<'static, Over>>,
    keys: HashSet<Option<String>>,
}

/// Works on the partition `number` until `stop`.
pub(super) async fn run<C: ConsumerContext>(
    number: i32,
    queue: StreamPartitionQueue<C>,
    decider: Arc<Decider>,
    commits: Arc<Commits>,
    stop: CancellationToken,
) {
    let mut partition = Partition {
        number,
        decider,
        commits,
        stop,
        window: Arc::default(),
        under_way: FuturesUnordered::new(),
        keys: HashSet::new(),
    };
    // These wait across the turns of the loop: starting a wait costs more than continuing one.
    let mut receiving = pin!(receive(&queue));
    let mut stopped = pin!(partition.stop.clone().cancelled_owned());
    // Read, and not started: those behind it wait too.
    let mut next: Option<InMessage> = None;
    while !partition.stop.is_cancelled() {
        if let Some(message) = next.take_if(|message| partition.has_room_for(message)) {
            partition.start(message);
        }
        tokio::select! {
            Some(over) = partition.under_way.next() => partition.note(&over),
            received = receiving.as_mut(), if next.is_none() && partition.under_way.len() < WINDOW => {
                next = received;
                receiving.set(receive(&queue));
            }
            () = stopped.as_mut() => {}
        }
    }
    partition.finish().await;
}

impl Partition {
    fn has_room_for(&self, message: &InMessage) -> bool {
        self.under_way.len() < WINDOW && !self.window.is_stuck() && !self.keys.contains(&message.key)
    }

    fn start(&mut self, message: InMessage) {
        let (decider, window, stop) =
            (Arc::clone(&self.decider), Arc::clone(&self.window), self.stop.clone());
        self.commits.started(self.number, message.offset, message.timestamp);
        self.keys.insert(message.key.clone());
        self.under_way.push(Box::pin(async move {
            let settled = decider.settle(&message, &window, &stop).await;
            Over { key: message.key, offset: message.offset, settled }
        }));
    }

    fn note(&mut self, over: &Over) {
        self.keys.remove(&over.key);
        if over.settled {
            self.commits.done(self.number, over.offset);
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

async fn receive<C: ConsumerContext>(queue: &StreamPartitionQueue<C>) -> Option<InMessage> {
    let error = match queue.recv().await {
        Ok(message) => return Some(InMessage::from(&message)),
        Err(error) => error,
    };
    tracing::debug!(%error, "no message");
    tokio::time::sleep(Duration::from_millis(50)).await;
    None
}
