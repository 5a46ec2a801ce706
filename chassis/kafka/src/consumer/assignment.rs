//! Which partitions this member has, and who works on them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, mpsc},
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use prometheus::IntCounter;
use rdkafka::{
    TopicPartitionList,
    consumer::{ConsumerContext, StreamConsumer},
};
use tokio::{runtime::Handle, sync::watch};
use tokio_util::sync::CancellationToken;

use super::{
    commits::Commits,
    decide::Decider,
    partition::{self, STOP_GRACE},
};

/// How much longer than [`STOP_GRACE`] a task has that must end.
const RESERVE: Duration = Duration::from_millis(500);

/// The partitions of one member.
pub(super) struct Assignment {
    topic: &'static str,
    decider: Arc<Decider>,
    commits: Arc<Commits>,
    rebalances: IntCounter,
    workers: Mutex<HashMap<i32, Worker>>,
    /// The partitions whose lag this member answers for: those it has, or had last while it has none.
    responsible: Mutex<BTreeSet<i32>>,
    /// Counts the times that partitions were given to this member.
    given: watch::Sender<u64>,
    runtime: Handle,
}

/// The task of one partition.
struct Worker {
    stop: CancellationToken,
    /// Closed when the task is over.
    over: mpsc::Receiver<()>,
}

impl Assignment {
    /// None yet. The work runs on `runtime`: the callbacks come on the member's own thread.
    pub(super) fn new(
        topic: &'static str,
        decider: Arc<Decider>,
        commits: Arc<Commits>,
        rebalances: IntCounter,
        runtime: Handle,
    ) -> Self {
        Self {
            topic,
            decider,
            commits,
            rebalances,
            workers: Mutex::default(),
            responsible: Mutex::default(),
            given: watch::Sender::default(),
            runtime,
        }
    }

    /// Changes each time that partitions were given to this member.
    pub(super) fn given(&self) -> watch::Receiver<u64> {
        self.given.subscribe()
    }

    fn workers(&self) -> MutexGuard<'_, HashMap<i32, Worker>> {
        self.workers.lock()
    }

    /// Partitions whose lag this member answers for.
    pub(super) fn responsible(&self) -> BTreeSet<i32> {
        self.responsible.lock().clone()
    }

    fn set_responsible(&self) {
        let assigned: BTreeSet<i32> = self.workers().keys().copied().collect();
        if !assigned.is_empty() {
            *self.responsible.lock() = assigned;
        }
    }

    /// Starts a task for each new partition, with a queue of its own. Called from the member's thread.
    pub(super) fn assigned<C: ConsumerContext + 'static>(
        &self,
        client: &Arc<StreamConsumer<C>>,
        partitions: &[i32],
    ) {
        self.rebalances.inc();
        for &partition in partitions {
            self.commits.offsets.assigned(partition);
            let Some(queue) = client.split_partition_queue(self.topic, partition) else { continue };
            let stop = CancellationToken::new();
            let (running, over) = mpsc::channel();
            let (decider, commits) = (Arc::clone(&self.decider), Arc::clone(&self.commits));
            let work = partition::run(partition, queue, decider, commits, stop.clone());
            self.runtime.spawn(async move {
                work.await;
                drop(running);
            });
            self.workers().insert(partition, Worker { stop, over });
        }
        self.set_responsible();
        if !partitions.is_empty() {
            self.given.send_modify(|count| *count += 1);
        }
    }

    /// Stops the tasks of these partitions, waits until they have finished or dropped their messages, and returns what is
    /// to be committed. Called from the member's thread, which may block.
    pub(super) fn revoked(&self, partitions: &[i32]) -> TopicPartitionList {
        self.rebalances.inc();
        let stopping: Vec<Worker> = {
            let mut workers = self.workers();
            partitions.iter().filter_map(|partition| workers.remove(partition)).collect()
        };
        for worker in &stopping {
            worker.stop.cancel();
        }
        for worker in stopping {
            let _ = worker.over.recv_timeout(STOP_GRACE + RESERVE);
        }
        let due = self.commits.last_of(partitions);
        self.set_responsible();
        due
    }

    /// Stops all tasks; returns what is to be committed.
    pub(super) fn revoked_all(&self) -> TopicPartitionList {
        let partitions: Vec<i32> = self.workers().keys().copied().collect();
        self.revoked(&partitions)
    }
}
