//! Faults of the process itself.

use chassis_faults::{
    FaultSpec, Reach,
    spec::{KIB, MIB, MINUTE, bytes, count, duration, process},
};
use std::time::Duration;

/// All of them, in the order of the documentation.
pub const ALL: &[&FaultSpec] = &[&CPU_BURN, &MEMORY_LEAK, &EXECUTOR_BLOCK, &FD_LEAK, &CRASH, &LOG_FLOOD];

/// `cpu-burn`: the processor is busy.
pub const CPU_BURN: FaultSpec = process(
    "cpu-burn",
    "Threads that really compute take the processor; they are named as those of the async runtime, on which code that \
     computes too long would be. `rate` is the share of the time that each is busy.",
    &[count("threads", "how many; 0 means one for each core", "0", 0, 256)],
    "`cpu_usage_percent` rises, `runtime_poll_delay_seconds` and all latencies with it; other processes of the machine \
     suffer too.",
);

/// `memory-leak`: memory is not given back.
pub const MEMORY_LEAK: FaultSpec = process(
    "memory-leak",
    "Memory is really allocated and touched, `step` every 100 ms up to `limit`. `rate` is the share of `limit`.",
    &[
        bytes("limit", "where it stops", "64MiB", MIB, 1024 * MIB),
        bytes("step", "allocated every 100 ms", "1MiB", 4 * KIB, 64 * MIB),
    ],
    "`process_resident_memory_bytes` and `memory_usage_percent` rise in a straight line; with a container limit below \
     `limit`, an OOM kill.",
);

/// `executor-block`: the async runtime stalls.
pub const EXECUTOR_BLOCK: FaultSpec = process(
    "executor-block",
    "Every worker of the async runtime is really blocked for `block`, each `interval`. `rate` is the share of `block`.",
    &[
        duration("block", "how long", "500ms", Duration::from_millis(1), Duration::from_secs(10)),
        duration("interval", "time from one block to the next", "1s", Duration::from_millis(10), MINUTE),
    ],
    "`runtime_poll_delay_seconds` rises to `block`, tail latency of every endpoint with it, while the processor idles; \
     health checks and scrapes answer late.",
);

/// `fd-leak`: file descriptors are not given back.
pub const FD_LEAK: FaultSpec = process(
    "fd-leak",
    "File descriptors are really opened, 10 every 100 ms, up to `limit`. `rate` is the share of `limit`.",
    &[count("limit", "where it stops", "256", 1, 65_536)],
    "`process_open_fds` rises towards `process_max_fds`; at the limit new connections are refused.",
);

/// `crash`: the process dies.
pub const CRASH: FaultSpec = FaultSpec {
    name: "crash",
    summary: "The process aborts (SIGABRT), without a drain. `rate` is the chance that it does.",
    reach: Reach::Process,
    params: &[duration("after", "time until then", "0s", Duration::ZERO, MINUTE)],
    signals: "`up` falls to 0, counters restart from 0, `process_start_time_seconds` jumps; connections are reset; the \
              supervisor shows a restart.",
    ends: "Ends with the process: plans are not kept across a start.",
    baseline: None,
};

/// `log-flood`: too many log lines.
pub const LOG_FLOOD: FaultSpec = process(
    "log-flood",
    "The lines about database connections, which exist at level `debug`, are really written at `info` in large numbers. \
     `rate` is the share of `lps`.",
    &[count("lps", "lines per second", "1000", 1, 100_000)],
    "`log_lines_total{level=\"info\"}` rises, the log grows, processor time goes into writing it; the line that matters \
     is hard to find.",
);
