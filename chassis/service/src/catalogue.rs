//! Faults of the process itself.

use std::time::Duration;

use chassis_faults::{
    Fault, catalogue, choice, params,
    params::{KIB, MIB, MINUTE, MS, bytes, choice, count, duration},
    spec::process,
};

params! {
    /// Parameters of `cpu-burn`.
    pub struct CpuBurn {
        /// how many; 0 means one for each core
        threads: u64 = count("0", 0, 256),
    }

    /// Parameters of `memory-leak`.
    pub struct MemoryLeak {
        /// where it stops
        limit: u64 = bytes("64MiB", MIB, 1024 * MIB),
        /// allocated every 100 ms
        step: u64 = bytes("1MiB", 4 * KIB, 64 * MIB),
        /// what becomes of the process there
        at_limit: AtLimit = choice("stay"),
    }

    /// Parameters of `executor-block`.
    pub struct ExecutorBlock {
        /// how long
        block: Duration = duration("500ms", MS, Duration::from_secs(10)),
        /// time from one block to the next
        interval: Duration = duration("1s", Duration::from_millis(10), MINUTE),
    }

    /// Parameters of `fd-leak`.
    pub struct FdLeak {
        /// where it stops
        limit: u64 = count("256", 1, 65_536),
    }

    /// Parameters of `disk-fill`.
    pub struct DiskFill {
        /// where it stops
        size: u64 = bytes("512MiB", MIB, 1024 * MIB),
        /// written every 100 ms
        step: u64 = bytes("1MiB", 64 * KIB, 64 * MIB),
        /// what it leaves to others on the file system
        keep: u64 = bytes("128MiB", 64 * MIB, 1024 * 1024 * MIB),
    }

    /// Parameters of `crash`.
    pub struct Crash {
        /// time until then
        after: Duration = duration("0s", Duration::ZERO, MINUTE),
    }

    /// Parameters of `crash-loop`.
    pub struct CrashLoop {
        /// time from each start to the crash
        after: Duration = duration("5s", Duration::from_secs(1), MINUTE),
        /// how many crashes
        times: u64 = count("5", 1, 20),
    }

    /// Parameters of `log-flood`.
    pub struct LogFlood {
        /// lines per second
        lps: u64 = count("1000", 1, 100_000),
    }
}

choice! {
    /// What happens to a process whose leak has reached its limit.
    pub enum AtLimit {
        /// It keeps what it has, and takes no more.
        Stay = "stay",
        /// It may not have more than that, and is killed; so is the next one.
        Killed = "killed",
    }
}

catalogue! {
    /// `cpu-burn`: the processor is busy.
    pub const CPU_BURN: Fault<CpuBurn> = process(
        "cpu-burn",
        "Threads that really compute take the processor; they are named as those of the async runtime, on which code that \
         computes too long would be. `rate` is the share of the time that each is busy.",
        "`process_cpu_usage_percent` and the host's `cpu_usage_percent` rise, `runtime_poll_delay_seconds` and all latencies \
         with them; other processes of the machine suffer too.",
    );

    /// `memory-leak`: memory is not given back.
    pub const MEMORY_LEAK: Fault<MemoryLeak> = process(
        "memory-leak",
        "Memory is really allocated and touched, `step` every 100 ms up to `limit`. `rate` is the share of `limit`. With \
         `at_limit=killed` that is all that the process may use, its other memory included: a lab on one machine kills it with \
         SIGKILL above that (`memory.max` in its data folder); in a container, the container's own limit counts.",
        "`process_resident_memory_bytes` and `process_memory_usage_percent` rise in a straight line; with a container limit \
         below `limit`, an OOM kill. With `at_limit=killed`, `ProcessRestarted` and the same line again; `lab status` says \
         `out of memory`.",
    )
    .ends(
        "With `at_limit=killed` it continues after each kill, for as long as its ttl, with the help of a file in the data folder; an \
         orderly stop ends it. Nothing stays behind.",
    );

    /// `executor-block`: the async runtime stands still.
    pub const EXECUTOR_BLOCK: Fault<ExecutorBlock> = process(
        "executor-block",
        "Every worker of the async runtime is really blocked for `block`, each `interval`. `rate` is the share of `block`.",
        "`runtime_poll_delay_seconds` rises to `block`, tail latency of every endpoint with it, while the processor idles; \
         health checks and scrapes answer late.",
    );

    /// `fd-leak`: file descriptors are not given back.
    pub const FD_LEAK: Fault<FdLeak> = process(
        "fd-leak",
        "File descriptors are really opened, 10 every 100 ms, up to `limit`. `rate` is the share of `limit`.",
        "`process_open_fds` rises towards `process_max_fds`; at the limit new connections are refused.",
    );

    /// `disk-fill`: files are not removed.
    pub const DISK_FILL: Fault<DiskFill> = process(
        "disk-fill",
        "A spool file in the data folder of the process (`DATA_DIR`) really grows, `step` every 100 ms up to `size`, as of a job \
         that nobody collects from. It stops where the file system would have less than `keep` left. `rate` is the share of \
         `size`.",
        "`data_folder_bytes` rises, `data_folder_free_bytes` and `disk_free_bytes` fall, in a straight line; `DataFolderFilling` \
         fires half-way, and on a small disk `DiskFilling` and `DiskAlmostFull`.",
    )
    .ends(
        "Removing the file ends it too, until the plan is set again. The file is removed at the end; that of a process that was \
         killed, at its next start.",
    );

    /// `crash`: the process dies.
    pub const CRASH: Fault<Crash> = process(
        "crash",
        "The process aborts (SIGABRT), without a drain. `rate` is the chance that it does.",
        "`up` falls to 0, counters restart from 0, `process_start_time_seconds` jumps; connections are reset; the \
         supervisor shows a restart.",
    )
    .ends("Ends with the process: plans are not kept across a start.");

    /// `crash-loop`: the process dies after each start.
    pub const CRASH_LOOP: Fault<CrashLoop> = process(
        "crash-loop",
        "The process aborts (SIGABRT) `after` it was set, and `after` each of its next starts, `times` in all, as one that \
         stumbles over its own checkpoint. `rate` is the chance of each crash; the first that does not happen ends the loop.",
        "As for `crash`, again and again: `changes(process_start_time_seconds)` grows, and `up` is 0 for longer each time, because \
         the supervisor or the kubelet waits longer; `ProcessCrashLooping` fires, on Kubernetes `PodCrashLooping`.",
    )
    .ends(
        "Unlike any other plan it continues after a start, for as long as its ttl, with the help of a file in the data folder: \
         removing that file ends the loop with the next crash. So does an orderly stop. Set by `FAULTS_AT_START`, it begins again \
         with each start after the last crash. Nothing stays behind.",
    );

    /// `log-flood`: too many log lines.
    pub const LOG_FLOOD: Fault<LogFlood> = process(
        "log-flood",
        "The lines about database connections, which exist at level `debug`, are really written at `info` in large numbers. \
         `rate` is the share of `lps`.",
        "`log_lines_total{level=\"info\"}` rises, the log grows, processor time goes into writing it; the line that matters \
         is hard to find.",
    );
}
