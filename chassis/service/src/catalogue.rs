//! Faults of the process itself.

use std::time::Duration;

use chassis_faults::{
    Fault, catalogue, params,
    params::{KIB, MIB, MINUTE, MS, bytes, count, duration},
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

    /// Parameters of `crash`.
    pub struct Crash {
        /// time until then
        after: Duration = duration("0s", Duration::ZERO, MINUTE),
    }

    /// Parameters of `log-flood`.
    pub struct LogFlood {
        /// lines a second
        lps: u64 = count("1000", 1, 100_000),
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
        "Memory is really allocated and touched, `step` every 100 ms up to `limit`. `rate` is the share of `limit`.",
        "`process_resident_memory_bytes` and `process_memory_usage_percent` rise in a straight line; with a container limit \
         below `limit`, an OOM kill.",
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

    /// `crash`: the process dies.
    pub const CRASH: Fault<Crash> = process(
        "crash",
        "The process aborts (SIGABRT), without a drain. `rate` is the chance that it does.",
        "`up` falls to 0, counters restart from 0, `process_start_time_seconds` jumps; connections are reset; the \
         supervisor shows a restart.",
    )
    .ends("Ends with the process: plans are not kept across a start.");

    /// `log-flood`: too many log lines.
    pub const LOG_FLOOD: Fault<LogFlood> = process(
        "log-flood",
        "The lines about database connections, which exist at level `debug`, are really written at `info` in large numbers. \
         `rate` is the share of `lps`.",
        "`log_lines_total{level=\"info\"}` rises, the log grows, processor time goes into writing it; the line that matters \
         is hard to find.",
    );
}
