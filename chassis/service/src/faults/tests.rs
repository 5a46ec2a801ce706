//! Each runtime fault checked with the operating system's view of this process: it takes the resource, and releases it.

use std::{fs, future::Future, process::Command, time::Duration};

use testkit::eventually;
use tokio::task::JoinHandle;

use chassis_faults::{AnyFault as _, Fault, FaultPoint, Faults, Params, Strike};

use super::{cpu, crash, descriptors, executor, logs, memory};
use crate::catalogue::*;

const SOON: Duration = Duration::from_secs(20);

pub(super) struct Running {
    faults: Faults,
    name: &'static str,
    task: JoinHandle<()>,
}

impl Running {
    pub(super) fn start<P: Params, F>(
        fault: &Fault<P>,
        during: impl Fn(FaultPoint<P>, Strike<P>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let faults = Faults::new(ALL, &[], false);
        let task = tokio::spawn(faults.point(fault).each_plan(during));
        Self { faults, name: fault.spec().name, task }
    }

    pub(super) fn put(&self, query: &str) {
        self.faults.set(self.name, query).unwrap();
    }

    pub(super) fn delete(&self) {
        self.faults.clear(self.name).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until `holds` is true; `show` is for the failure.
pub(super) async fn until(show: impl Fn() -> String, holds: impl Fn() -> bool) {
    eventually(SOON, async || if holds() { Ok(()) } else { Err(show()) }).await;
}

/// Processor time in clock ticks (10 ms) of each thread that has the name of the calling one, itself left out.
fn burning() -> Vec<u64> {
    let own = fs::read_to_string("/proc/thread-self/comm").unwrap();
    let me = fs::read_link("/proc/thread-self").unwrap();
    let mut ticks = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.rsplit_once(") ") else { continue };
        if name.ends_with(&format!("({}", own.trim())) && me.file_name() != Some(&task.file_name()) {
            ticks.push(rest.split(' ').nth(11).unwrap().parse().unwrap());
        }
    }
    ticks
}

#[test]
fn cpu_burn_computes_in_as_many_threads_as_asked_named_as_the_runtimes_own_and_ends_them() {
    // Its own name: the kernel keeps 15 characters, and those are the same for all tests of this file.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = std::thread::Builder::new().name("burns".to_owned()).spawn(move || {
        runtime.block_on(async {
            let fault = Running::start(&CPU_BURN, cpu::burn);
            assert_eq!(burning(), [0_u64; 0]);
            fault.put("threads=2");
            let busy = || burning().iter().filter(|ticks| **ticks >= 5).count();
            until(|| format!("{:?}", burning()), || busy() == 2).await;
            fault.delete();
            until(|| format!("{:?}", burning()), || burning().is_empty()).await;
        });
    });
    test.unwrap().join().unwrap();
}

fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn memory_leak_grows_to_its_limit_and_gives_the_memory_back() {
    let fault = Running::start(&MEMORY_LEAK, memory::leak);
    let before = resident_mib();
    fault.put("limit=200MiB&step=64MiB");
    until(|| format!("{} MiB", resident_mib()), || resident_mib() >= before + 190).await;
    fault.delete();
    until(|| format!("{} MiB", resident_mib()), || resident_mib() < before + 60).await;
}

#[tokio::test]
async fn memory_leak_ends_by_itself() {
    let fault = Running::start(&MEMORY_LEAK, memory::leak);
    fault.put("limit=1MiB&ttl=50ms");
    until(|| "still on".to_owned(), || !fault.faults.point(&MEMORY_LEAK).is_on()).await;
}

fn sockets() -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap().flatten();
    links
        .filter(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:")))
        .count()
}

#[tokio::test]
async fn fd_leak_opens_real_descriptors_and_closes_them() {
    let fault = Running::start(&FD_LEAK, descriptors::leak);
    let before = sockets();
    fault.put("limit=60");
    // Other tests of this process open and close a few sockets meanwhile.
    until(|| format!("{} sockets", sockets()), || sockets() >= before + 50).await;
    fault.delete();
    until(|| format!("{} sockets", sockets()), || sockets() < before + 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn executor_block_leaves_no_worker_to_the_others() {
    let fault = Running::start(&EXECUTOR_BLOCK, executor::block);
    let longest_gap = async |ticks: u32| {
        let mut longest = Duration::ZERO;
        for _ in 0..ticks {
            let begun = std::time::Instant::now();
            tokio::spawn(tokio::time::sleep(Duration::from_millis(5))).await.unwrap();
            longest = longest.max(begun.elapsed());
        }
        longest
    };
    fault.put("block=400ms&interval=500ms");
    let gap = longest_gap(100).await;
    assert!(gap >= Duration::from_millis(350), "{gap:?}");
    fault.delete();
    // The current block ends; then ticks are fast again, unless the machine is busy otherwise.
    eventually(SOON, async || {
        let gap = longest_gap(40).await;
        if gap < Duration::from_millis(300) { Ok(()) } else { Err(format!("{gap:?}")) }
    })
    .await;
}

#[test]
fn crash_ends_the_process_by_a_signal() {
    use std::os::unix::process::ExitStatusExt;
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::tests::child_that_crashes", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(6), "{child:?}");
    assert!(!String::from_utf8_lossy(&child.stderr).contains("crash"), "{child:?}");
}

#[tokio::test]
#[ignore = "ends its process; run by crash_ends_the_process_by_a_signal"]
async fn child_that_crashes() {
    let fault = Running::start(&CRASH, crash::crash);
    fault.put("after=100ms");
    // The crash ends it long before; without one, the parent must not wait forever.
    tokio::time::sleep(SOON).await;
}

#[derive(Clone, Default)]
struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn log_flood_writes_its_rate_of_lines_and_none_names_the_fault() {
    let lines = Lines::default();
    let sink = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || sink.clone()).finish();
    let _installed = tracing::subscriber::set_default(subscriber);
    let fault = Running::start(&LOG_FLOOD, logs::flood);
    fault.put("lps=500&ttl=2s");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let count = text.lines().count();
    assert!((900..=1000).contains(&count), "{count}");
    for word in ["fault", "flood", "inject", "chaos", "simulat"] {
        assert!(!text.contains(word), "{word}");
    }
}
