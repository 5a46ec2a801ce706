//! Group commit: work of one kind that arrives while the database is busy with such work waits together, and
//! then shares one statement, one round trip and one commit.
//!
//! Like PostgreSQL's group commit (`commit_delay`), but one level up, where it also saves statements.
//! Nothing waits for a group to fill: below [`LANES`] statements in progress, each runs at once and alone, so at normal load there
//! is no group and no added latency. Under load, groups grow with the latency of the database.
//!
//! A `db-*` fault hits only the selected jobs: such a job leaves its group and runs alone, and the others are
//! not affected.

use std::{mem, sync::Arc};

use async_trait::async_trait;
use chassis_telemetry::traces::Place;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::{Database, DbError, QueryType, faults::Blow};

/// Statements of one kind in progress at once.
const LANES: usize = 2;
/// Most jobs per statement: beyond this, little is saved and the arrays get large.
const LARGEST: usize = 200;

/// Work that can be done for several callers in one statement.
#[async_trait]
pub trait GroupWork: Send + Sync + 'static {
    /// Query type, for the span of a caller whose job runs in a group.
    const KIND: QueryType;
    /// Name of that span.
    const OPERATION: &'static str;
    /// The job of one caller.
    type Job: Send + Sync + 'static;
    /// The result for one caller.
    type Done: Send + 'static;

    /// Does all jobs, in one transaction; one result for each job, in their order. The statement notes in its span how many
    /// callers it is for ([`super::Connection::shared_by`]).
    ///
    /// # Errors
    /// [`DbError`]; then none of the jobs is done, unless the connection broke during the commit.
    async fn run(&self, database: &Database, jobs: &[Self::Job]) -> Result<Vec<Self::Done>, DbError>;
}

/// Groups the jobs of one kind of work. Cheap to clone.
pub struct Group<W: GroupWork> {
    inner: Arc<Inner<W>>,
}

impl<W: GroupWork> Clone for Group<W> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

struct Inner<W: GroupWork> {
    work: W,
    database: Database,
    queue: Mutex<Queue<W>>,
}

struct Queue<W: GroupWork> {
    under_way: usize,
    waiting: Vec<Waiting<W>>,
}

/// A caller that waits for its group.
struct Waiting<W: GroupWork> {
    job: W::Job,
    reply: oneshot::Sender<Result<W::Done, DbError>>,
    /// The caller's wait, in its own trace.
    place: Place,
}

impl<W: GroupWork> Group<W> {
    /// A new, independent group on `database`.
    #[must_use]
    pub fn new(database: Database, work: W) -> Self {
        let queue = Mutex::new(Queue { under_way: 0, waiting: Vec::new() });
        Self { inner: Arc::new(Inner { work, database, queue }) }
    }

    /// Runs one job, alone or in a group. Cancelling while waiting withdraws nothing: the job may still run.
    ///
    /// # Errors
    /// [`DbError`]. An error of one job goes to its caller only.
    pub async fn run(&self, job: W::Job) -> Result<W::Done, DbError> {
        let blow = self.inner.database.inner.faults.decide(Some(W::KIND));
        if blow.strikes() {
            return blow.fall_on(self.inner.alone(job)).await;
        }
        match self.enter(job) {
            Entered::Lane(_lane, job) => Blow::default().fall_on(self.inner.alone(job)).await,
            // The group answers unless its task ended with the runtime.
            Entered::Queue(answer) => answer.await.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed.into())),
        }
    }

    fn enter(&self, job: W::Job) -> Entered<W> {
        let mut queue = self.inner.queue();
        if queue.under_way < LANES {
            queue.under_way += 1;
            return Entered::Lane(Lane { inner: Arc::clone(&self.inner) }, job);
        }
        let (reply, answer) = oneshot::channel();
        let place = Place::here(|| self.inner.database.make_span(W::KIND, W::OPERATION));
        queue.waiting.push(Waiting { job, reply, place });
        Entered::Queue(answer)
    }
}

/// How a caller entered.
enum Entered<W: GroupWork> {
    /// Its job runs at once.
    Lane(Lane<W>, W::Job),
    /// Its job runs with the next group.
    Queue(oneshot::Receiver<Result<W::Done, DbError>>),
}

/// The right to have a statement in progress. When it ends, those waiting are next.
struct Lane<W: GroupWork> {
    inner: Arc<Inner<W>>,
}

impl<W: GroupWork> Drop for Lane<W> {
    fn drop(&mut self) {
        let next = {
            let mut queue = self.inner.queue();
            if queue.waiting.is_empty() {
                queue.under_way -= 1;
                return;
            }
            let group = queue.waiting.len().min(LARGEST);
            let left = queue.waiting.split_off(group);
            mem::replace(&mut queue.waiting, left)
        };
        // The lane lives on in the task of the next group. What the database did is in one trace: the first that is sampled.
        let lane = Self { inner: Arc::clone(&self.inner) };
        let traced = next.iter().find(|one| !one.place.span().is_disabled()).or(next.first());
        let place = traced.map_or_else(Place::nowhere, |one| one.place.clone());
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(place.run(Blow::default().fall_on(lane.go(next))))),
            // The process ends; the callers learn it from their channels.
            Err(_) => mem::forget(lane),
        }
    }
}

impl<W: GroupWork> Lane<W> {
    async fn go(self, mut group: Vec<Waiting<W>>) {
        // A caller that gave up before its turn no longer needs anything.
        group.retain(|one| !one.reply.is_closed());
        let (jobs, callers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|one| (one.job, (one.reply, one.place))).unzip();
        if jobs.is_empty() {
            return;
        }
        if jobs.len() > 1 {
            let size = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
            for (_, place) in &callers {
                place.span().record("db.operation.batch.size", size);
            }
        }
        match self.inner.work.run(&self.inner.database, &jobs).await {
            Ok(done) => {
                for ((reply, _), done) in callers.into_iter().zip(done) {
                    let _ = reply.send(Ok(done));
                }
            }
            // A failure of the server or the connection: the same for all of them.
            Err(error @ (DbError::PoolTimeout | DbError::Unavailable(_))) => {
                for (reply, _) in callers {
                    let _ = reply.send(Err(error.clone()));
                }
            }
            // One of the jobs failed; running each alone shows which.
            Err(_) => {
                for (job, (reply, place)) in jobs.into_iter().zip(callers) {
                    let _ = reply.send(place.run(self.inner.alone(job)).await);
                }
            }
        }
    }
}

impl<W: GroupWork> Inner<W> {
    async fn alone(&self, job: W::Job) -> Result<W::Done, DbError> {
        let done = self.work.run(&self.database, &[job]).await?;
        done.into_iter().next().ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    fn queue(&self) -> MutexGuard<'_, Queue<W>> {
        self.queue.lock()
    }
}
