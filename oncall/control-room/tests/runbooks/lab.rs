//! The system that a test's runs ask and change: it counts what is done to it.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use control_room::{
    Room,
    error::Result,
    runbooks::{World, world::Order},
};
use futures::future::{BoxFuture, FutureExt as _};
use runbook::{Answer, Call, Change, answer::Sample, guardrails::Replicas};
use switchboard::Outcome;
use tokio::task::yield_now;

/// What a process prints when it waits to be killed.
pub(crate) const REACHED: &str = "waits to be killed";

/// What is waiting, before and after an act.
pub(crate) enum Kind {
    /// An act helps.
    Good,
    /// Nothing does.
    Bad,
}

#[derive(Default)]
struct Counts {
    /// How often each act was done, by key.
    acts: BTreeMap<String, u32>,
    /// How often each target was changed.
    targets: BTreeMap<String, u32>,
    /// Acts that are under way, by target, and the most that there were at once.
    under_way: BTreeMap<String, u32>,
    most: u32,
}

pub(crate) struct Lab {
    kind: Kind,
    counts: Mutex<Counts>,
    /// Where acts are kept, if they have to outlive this process: their keys, one per line.
    file: Option<PathBuf>,
    /// How often it is used before this process waits to be killed, and how often it was.
    fuse: usize,
    uses: AtomicUsize,
}

impl Lab {
    pub(crate) fn new(kind: Kind) -> Arc<Self> {
        Arc::new(Self::of(kind))
    }

    fn of(kind: Kind) -> Self {
        let (counts, uses) = (Mutex::default(), AtomicUsize::default());
        Self { kind, counts, file: None, fuse: usize::MAX, uses }
    }

    /// One that acts help, and that outlives the process; `fuse`: at which use this process waits to be killed.
    pub(crate) fn kept(file: &Path, fuse: usize) -> Arc<Self> {
        let mut counts = Counts::default();
        for key in fs::read_to_string(file).unwrap_or_default().lines() {
            *counts.acts.entry(key.to_owned()).or_default() += 1;
        }
        let (counts, file) = (Mutex::new(counts), Some(file.to_owned()));
        Arc::new(Self { counts, file, fuse, ..Self::of(Kind::Good) })
    }

    /// The process reaches for the system once more; at the last time it says so, and waits to be killed.
    fn used(&self) {
        if self.uses.fetch_add(1, Ordering::SeqCst) + 1 < self.fuse {
            return;
        }
        println!("{REACHED}");
        loop {
            thread::park();
        }
    }

    /// How often each act was done, by key.
    pub(crate) fn acts(&self) -> BTreeMap<String, u32> {
        self.counts.lock().expect("no panic").acts.clone()
    }

    /// How often each target was changed.
    pub(crate) fn targets(&self) -> BTreeMap<String, u32> {
        self.counts.lock().expect("no panic").targets.clone()
    }

    /// The most acts at once on one target.
    pub(crate) fn most(&self) -> u32 {
        self.counts.lock().expect("no panic").most
    }

    fn begin(&self, target: &str) {
        let mut counts = self.counts.lock().expect("no panic");
        let now = counts.under_way.entry(target.to_owned()).or_default();
        *now += 1;
        let now = *now;
        counts.most = counts.most.max(now);
    }

    fn done(&self, target: &str, key: &str) {
        if let Some(file) = &self.file {
            let mut file = OpenOptions::new().create(true).append(true).open(file).expect("a file");
            writeln!(file, "{key}").expect("room for a line");
        }
        let mut counts = self.counts.lock().expect("no panic");
        *counts.acts.entry(key.to_owned()).or_default() += 1;
        *counts.targets.entry(target.to_owned()).or_default() += 1;
        *counts.under_way.entry(target.to_owned()).or_insert(1) -= 1;
    }

    fn answer(&self, call: &Call) -> Answer {
        let acted = self.acts().keys().any(|key| key.ends_with("/restart"));
        let helped = acted && matches!(self.kind, Kind::Good);
        let value = |value: f64| Answer::Samples { samples: vec![Sample { labels: BTreeMap::new(), value }] };
        match call {
            Call::Promql { query } if query.starts_with("helped") => value(if helped { 1.0 } else { 0.0 }),
            Call::Promql { .. } => value(1.0),
            Call::Log { .. } => Answer::Lines { count: 3, newest: Some("slow".to_owned()) },
            Call::Http { .. } => Answer::Status { code: 200, body: String::new() },
            Call::Sql { .. } => Answer::Rows { columns: Vec::new(), rows: Vec::new() },
        }
    }
}

impl World for Lab {
    fn ask<'w>(&'w self, _: &'w Room, call: &'w Call) -> BoxFuture<'w, Answer> {
        async move {
            yield_now().await;
            self.used();
            self.answer(call)
        }
        .boxed()
    }

    fn replicas<'w>(
        &'w self,
        _: &'w Room,
        _: &'w str,
        _: Option<&'w str>,
    ) -> BoxFuture<'w, Option<Replicas>> {
        async { Some(Replicas { healthy: 2, target_healthy: true }) }.boxed()
    }

    fn hits<'w>(&'w self, _: &'w Room, change: &'w Change) -> BoxFuture<'w, Result<Vec<String>>> {
        async move { Ok(vec![change.target()]) }.boxed()
    }

    fn mark<'w>(&'w self, _: &'w Room, change: &'w Change) -> BoxFuture<'w, Result<Option<String>>> {
        async move {
            yield_now().await;
            self.used();
            Ok(Some(self.acts().get(&change.key).copied().unwrap_or_default().to_string()))
        }
        .boxed()
    }

    fn act<'w>(&'w self, _: &'w Room, order: &'w Order<'w>) -> BoxFuture<'w, Result<Vec<Outcome>>> {
        async move {
            let target = order.change.target();
            self.used();
            self.begin(&target);
            for _ in 0..3 {
                yield_now().await;
            }
            self.done(&target, &order.change.key);
            // Done, and not yet written down.
            self.used();
            yield_now().await;
            Ok(vec![Outcome { replica: target, ok: true, text: "done".to_owned() }])
        }
        .boxed()
    }
}
