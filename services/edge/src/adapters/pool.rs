//! A few threads beside the async runtime, for work that may take long: it can fill them, but never the
//! workers that answer requests and health checks.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use parking_lot::{Condvar, Mutex};

use crate::domain::waf::Machine;

/// Work for a thread, with the thread's own memory for it.
pub(crate) type Job = Box<dyn FnOnce(&mut Machine) + Send>;

/// The threads. Dropped, they end after what they are doing.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    busy: AtomicUsize,
    most: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Pool {
    /// Starts `threads`, for which at most `most` jobs wait.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub(crate) fn start(threads: usize, most: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            ready: Condvar::new(),
            busy: AtomicUsize::new(0),
            most,
        });
        let pool = Self { shared };
        for number in 0..threads {
            let shared = Arc::clone(&pool.shared);
            thread::Builder::new().name(format!("edge-waf-{number}")).spawn(move || work(&shared))?;
        }
        Ok(pool)
    }

    /// Hands over a job; `false` if too many wait already.
    pub(crate) fn submit(&self, job: Job) -> bool {
        let mut queue = self.shared.queue.lock();
        if queue.jobs.len() >= self.shared.most {
            return false;
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.shared.ready.notify_one();
        true
    }

    /// Jobs that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.queue.lock().jobs.len()
    }

    /// Threads that work.
    pub(crate) fn busy(&self) -> usize {
        self.shared.busy.load(Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue.lock().closed = true;
        self.shared.ready.notify_all();
    }
}

fn work(shared: &Shared) {
    let mut machine = Machine::default();
    while let Some(job) = shared.next() {
        shared.busy.fetch_add(1, Relaxed);
        job(&mut machine);
        shared.busy.fetch_sub(1, Relaxed);
    }
}

impl Shared {
    /// Waits for a job; `None` after the pool has ended.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            self.ready.wait(&mut queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn jobs_run_beside_each_other_and_the_rest_waits_up_to_the_bound() {
        let pool = Pool::start(2, 3).unwrap();
        let (said, says) = mpsc::channel();
        let holds: Vec<mpsc::Sender<()>> = (0..2)
            .map(|number| {
                let (hold, held) = mpsc::channel();
                let said = said.clone();
                assert!(pool.submit(Box::new(move |_| {
                    said.send(number).unwrap();
                    let _ = held.recv();
                })));
                hold
            })
            .collect();
        let mut begun = [says.recv().unwrap(), says.recv().unwrap()];
        begun.sort_unstable();
        assert_eq!((begun, pool.busy()), ([0, 1], 2));
        for number in 2..5 {
            let said = said.clone();
            assert!(pool.submit(Box::new(move |_| said.send(number).unwrap())));
        }
        assert!(!pool.submit(Box::new(|_| {})), "three wait already");
        assert_eq!(pool.waiting(), 3);
        drop(holds);
        let mut rest: Vec<i32> = (0..3).map(|_| says.recv().unwrap()).collect();
        rest.sort_unstable();
        assert_eq!(rest, [2, 3, 4]);
    }
}
