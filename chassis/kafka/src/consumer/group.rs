//! This process as a member of a consumer group: its partitions and the tasks that work on them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer},
};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
};
use tokio_util::sync::CancellationToken;

use super::{
    COMMIT_INTERVAL, Client, ConsumerConfig, Handler, Producer, context,
    decide::Decider,
    offsets::Offsets,
    partition::{self, STOP_GRACE},
};
use chassis_faults::FaultPoint;
use chassis_telemetry::Chassis;

/// One consumer with its client and its workers.
pub(crate) struct Group {
    pub(crate) config: ConsumerConfig,
    pub(super) producer: Producer,
    pub(super) decider: Decider,
    pub(super) offsets: Offsets,
    pub(super) commit_skip: Option<FaultPoint>,
    /// The current client. Weak: a client owns the group through its context.
    consumer: Mutex<Weak<Client>>,
    /// Number of the current client; callbacks of an earlier one that is still closing are ignored.
    session: AtomicU64,
    /// Whether that client is connected to the group's coordinator.
    coordinator: AtomicBool,
    /// Signals that the client must be replaced.
    pub(super) replace: Notify,
    workers: Mutex<HashMap<i32, Worker>>,
    /// The partitions whose lag this member reports: those it has or, while it has none, had last.
    responsible: Mutex<BTreeSet<i32>>,
    /// Counts assignments of partitions to this member.
    assignments: watch::Sender<u64>,
    pub(super) runtime: Handle,
}

/// The task of one partition.
struct Worker {
    stop: CancellationToken,
    /// Closed when the task is over.
    over: mpsc::Receiver<()>,
}

impl Group {
    pub(super) fn new(
        config: ConsumerConfig,
        producer: Producer,
        handler: impl Handler,
        chassis: &Chassis,
    ) -> Self {
        let decider = Decider::new(config.clone(), producer.clone(), handler, &chassis.faults);
        Self {
            config,
            producer,
            decider,
            offsets: Offsets::default(),
            commit_skip: chassis.faults.find("commit-skip"),
            consumer: Mutex::default(),
            session: AtomicU64::new(0),
            coordinator: AtomicBool::new(false),
            replace: Notify::new(),
            workers: Mutex::default(),
            responsible: Mutex::default(),
            assignments: watch::Sender::default(),
            runtime: Handle::current(),
        }
    }

    /// Announces a new client; the number is for its context.
    pub(super) fn next_session(&self) -> u64 {
        self.coordinator_is(false);
        self.session.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether `session` is the current one.
    pub(super) fn is_current(&self, session: u64) -> bool {
        self.session.load(Ordering::SeqCst) == session
    }

    /// Notes whether the client is connected to the group's coordinator.
    pub(super) fn coordinator_is(&self, up: bool) {
        self.coordinator.store(up, Ordering::SeqCst);
    }

    /// Whether the client is connected to the group's coordinator.
    pub(super) fn has_coordinator(&self) -> bool {
        self.coordinator.load(Ordering::SeqCst)
    }

    /// Sets the client of the group.
    pub(super) fn attach(&self, consumer: &Arc<Client>) {
        *self.consumer.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(consumer);
    }

    /// The client, while it runs.
    pub(crate) fn consumer(&self) -> Option<Arc<Client>> {
        self.consumer.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// Changes on each assignment of partitions to this member.
    pub(crate) fn assignments(&self) -> watch::Receiver<u64> {
        self.assignments.subscribe()
    }

    fn workers(&self) -> MutexGuard<'_, HashMap<i32, Worker>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Partitions whose lag this member reports.
    pub(super) fn responsible(&self) -> BTreeSet<i32> {
        self.responsible.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_responsible(&self) {
        let assigned: BTreeSet<i32> = self.workers().keys().copied().collect();
        if !assigned.is_empty() {
            *self.responsible.lock().unwrap_or_else(PoisonError::into_inner) = assigned;
        }
    }

    fn count_rebalance(&self) {
        self.producer.metrics().rebalances.with_label_values(&[self.config.group]).inc();
    }

    /// Starts a task for each new partition. Called from the group's thread.
    pub(super) fn assigned(self: &Arc<Self>, partitions: &[i32]) {
        self.count_rebalance();
        let Some(consumer) = self.consumer() else { return };
        for &partition in partitions {
            self.offsets.assigned(partition);
            let Some(queue) = consumer.split_partition_queue(self.config.topic, partition) else { continue };
            let stop = CancellationToken::new();
            let (running, over) = mpsc::channel();
            let work = partition::run(Arc::clone(self), queue, partition, stop.clone());
            self.runtime.spawn(async move {
                work.await;
                drop(running);
            });
            self.workers().insert(partition, Worker { stop, over });
        }
        self.set_responsible();
        if !partitions.is_empty() {
            self.assignments.send_modify(|count| *count += 1);
        }
    }

    /// Stops the tasks of these partitions, waits until they have finished or dropped their message, and returns what is
    /// to be committed. Called from the group's thread, which may block.
    pub(super) fn revoked(&self, partitions: &[i32]) -> TopicPartitionList {
        self.count_rebalance();
        let stopping: Vec<Worker> = {
            let mut workers = self.workers();
            partitions.iter().filter_map(|partition| workers.remove(partition)).collect()
        };
        for worker in &stopping {
            worker.stop.cancel();
        }
        for worker in stopping {
            let _ = worker.over.recv_timeout(STOP_GRACE + Duration::from_millis(500));
        }
        let due = self.list(&self.offsets.due(Some(partitions), self.holds_commits()));
        for &partition in partitions {
            self.offsets.revoked(partition);
        }
        self.set_responsible();
        due
    }

    /// Stops all tasks; returns what is to be committed.
    pub(super) fn revoked_all(&self) -> TopicPartitionList {
        let partitions: Vec<i32> = self.workers().keys().copied().collect();
        self.revoked(&partitions)
    }

    fn holds_commits(&self) -> bool {
        self.commit_skip.as_ref().is_some_and(|point| point.active().is_some())
    }

    fn list(&self, offsets: &[(i32, i64)]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for &(partition, offset) in offsets {
            // Fails only for offsets that cannot be represented; no message has one.
            let _ = list.add_partition_offset(self.config.topic, partition, Offset::Offset(offset));
        }
        list
    }

    /// Starts the commit of everything that is done.
    fn commit(&self, consumer: &Client, mode: CommitMode) {
        let due = self.list(&self.offsets.due(None, self.holds_commits()));
        if due.count() > 0 {
            context::report(&consumer.commit(&due, mode));
        }
    }
}

/// Commits what is done every [`COMMIT_INTERVAL`].
pub(super) async fn commit_regularly(group: Arc<Group>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(COMMIT_INTERVAL);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(consumer) = group.consumer() {
            group.commit(&consumer, CommitMode::Async);
        }
    }
}
