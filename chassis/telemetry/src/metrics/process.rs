//! Metrics that every process exports about itself, under the names that Prometheus's client libraries use. From `/proc/self` (proc(5)), read
//! again on each scrape.

use std::fs;

use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
};

use super::Metrics;

/// Declares them.
pub(super) fn declare(metrics: &Metrics) {
    let cpu = metrics
        .float_counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
    let open = metrics.gauge("process_open_fds", "Number of open file descriptors.");
    let most = metrics.gauge("process_max_fds", "Maximum number of open file descriptors.");
    let virt = metrics.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.");
    let resident = metrics.gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
    let threads = metrics.gauge("process_threads", "Number of OS threads in the process.");
    let started =
        metrics.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.");
    // Neither changes while it runs.
    started.set(whole(start_time().unwrap_or_default()));
    most.set(getrlimit(Resource::Nofile).current.map_or(0, whole));
    metrics.on_scrape(move || {
        let Some(now) = Usage::read() else { return };
        cpu.inc_by((now.cpu_seconds - cpu.get()).max(0.0));
        open.set(fs::read_dir("/proc/self/fd").map_or(0, |files| whole(files.count() as u64)));
        virt.set(whole(now.virtual_bytes));
        resident.set(whole(now.resident_bytes));
        threads.set(whole(now.threads));
    });
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// From `/proc/self/stat`.
#[derive(Debug)]
struct Usage {
    cpu_seconds: f64,
    threads: u64,
    /// Clock ticks from the start of the machine to that of the process.
    start_ticks: u64,
    virtual_bytes: u64,
    resident_bytes: u64,
}

impl Usage {
    fn read() -> Option<Self> {
        Self::parse(&String::from_utf8_lossy(&fs::read("/proc/self/stat").ok()?))
    }

    fn parse(stat: &str) -> Option<Self> {
        // The name of the program is in parentheses, and may contain both of them and spaces. The fields behind it begin with the
        // third of the manual.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) as f64 / clock_ticks_per_second() as f64,
            threads: field(20)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_bytes: field(24)? * page_size() as u64,
        })
    }
}

/// When this process started, in seconds since 1970.
fn start_time() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + Usage::read()?.start_ticks / clock_ticks_per_second())
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn fields_are_counted_from_behind_the_name_of_the_program() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 900 0 3 0 150 50 0 0 20 0 9 0 5000 4096000 25 18446744073709551615";
        let usage = Usage::parse(stat).unwrap();
        assert!((usage.cpu_seconds - 200.0 / clock_ticks_per_second() as f64).abs() < 1e-9, "{usage:?}");
        assert_eq!((usage.threads, usage.start_ticks, usage.virtual_bytes), (9, 5000, 4_096_000));
        assert_eq!(usage.resident_bytes, 25 * page_size() as u64);
        assert!(Usage::parse("7 (cut off) S 1").is_none());
    }

    #[test]
    fn a_process_started_before_now_and_uses_memory() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let started = start_time().unwrap();
        // The kernel rounds the start of the machine.
        assert!(started <= now + 1 && now - started.min(now) < 24 * 3600, "{started}, and it is {now}");
        let usage = Usage::read().unwrap();
        assert!(usage.threads > 0 && usage.virtual_bytes > usage.resident_bytes && usage.resident_bytes > 0);
    }
}
