//! The machine that everything runs on, from node_exporter. On Kubernetes the nodes are on the board of their pods.

use super::shared::{NEVER, USED, exported};
use crate::{
    link::board as to,
    model::{Board, Kind, Panel, Row, Unit, row},
    query::{max, rate, rates, sel, sum},
};

pub(super) fn board() -> Board {
    Board {
        uid: "host",
        title: "Host",
        description: "The machine that the lab runs on. A host that is short of CPU, memory or disk makes everything slow at once, and no service says so.",
        jobs: r#"up{job="node-exporter"}"#,
        variables: &[],
        rows: vec![cpu_row(), memory_row(), space_row(), disk_row(), network_row()],
    }
}

fn panel(title: &'static str, unit: Unit, description: &'static str) -> Panel {
    Panel::new(Kind::Lines, title, unit, description).size(8, 8)
}

fn cpu_row() -> Row {
    // A counter is counted by its rate, as the linter demands.
    let cpus = format!("count({})", rate("node_cpu_seconds_total", r#"mode="idle""#));
    let by_mode = format!("avg by (mode) ({})", rate("node_cpu_seconds_total", r#"mode!="idle""#));
    row(
        "CPU",
        vec![
            Panel::new(Kind::Stack, "CPU by mode", Unit::Ratio, "Share of all CPUs, by what they do. Normal is below 70 %; much iowait is a slow disk, much steal a busy neighbour.")
                .query(exported("{{mode}}", by_mode))
                .range(0.0, 1.0)
                .colour("user", "blue")
                .colour("system", "orange")
                .colour("iowait", "purple")
                .colour("steal", "red")
                .size(8, 8)
                .links([to("overview", "Overview")]),
            panel("Load", Unit::Plain, "Tasks that run, want to run or wait for a disk, over one and five minutes, and the number of CPUs. Normal is below the CPUs.")
                .query(exported("1 minute", max("", &sel("node_load1", ""))))
                .query(exported("5 minutes", max("", &sel("node_load5", ""))))
                .query(exported("CPUs", cpus))
                .colour("CPUs", "text"),
            panel("Stalled", Unit::Ratio, "Share of the time in which a task waited for a CPU, a disk or memory (pressure stall information). Normal is a few per cent; unlike use, it says that somebody suffers.")
                .query(exported("CPU", rates("", "node_pressure_cpu_waiting_seconds_total", "")))
                .query(exported("disk", rates("", "node_pressure_io_waiting_seconds_total", "")))
                .query(exported("memory", rates("", "node_pressure_memory_waiting_seconds_total", "")))
                .range(0.0, 1.0),
        ],
    )
}

fn memory_row() -> Row {
    let (total, available) =
        (sel("node_memory_MemTotal_bytes", ""), sel("node_memory_MemAvailable_bytes", ""));
    let killed = format!("increase({}[$__rate_interval])", sel("node_vmstat_oom_kill", ""));
    row(
        "Memory",
        vec![
            panel("Memory in use", Unit::Bytes, "Memory that programs hold, and all of it. Normal is flat; the page cache does not count, because it is given back.")
                .query(exported("used", format!("sum({total} - {available})")))
                .query(exported("all", sum("", &total)))
                .colour("all", "text"),
            panel("Pages from disk", Unit::Events, "Pages that had to be read from disk (major faults) and pages swapped in and out. Normal is near 0; a rate that stays means that memory is too small.")
                .query(exported("faults", rates("", "node_vmstat_pgmajfault", "")))
                .query(exported("swapped in", rates("", "node_vmstat_pswpin", "")))
                .query(exported("swapped out", rates("", "node_vmstat_pswpout", ""))),
            panel("Killed for memory", Unit::Count, "Processes that the kernel killed because memory ran out, in containers too. Normal is 0.")
                .query(exported("killed", sum("", &killed)))
                .steps(&NEVER[1..]),
        ],
    )
}

/// Without file systems that nobody can fill.
fn writable(expr: &str) -> String {
    format!("{expr}\nunless on (job, instance, mountpoint)\n{} == 1", sel("node_filesystem_readonly", ""))
}

fn space_row() -> Row {
    let (free, size) = (sel("node_filesystem_avail_bytes", ""), sel("node_filesystem_size_bytes", ""));
    let ahead = format!("clamp_min(predict_linear({free}[10m], 3600), 0)");
    row(
        "Space",
        vec![
            panel("Space in use", Unit::Ratio, "Share of each file system that is used. Normal is below 80 %; a full one stops databases, logs and Prometheus in turn.")
                .query(exported("{{instance}} {{mountpoint}}", writable(&format!("(1 - {free} / {size})"))))
                .range(0.0, 1.0)
                .steps(&USED[1..])
                .size(12, 8),
            panel("Free space, now and in an hour", Unit::Bytes, "Free space of each file system, and what is left in an hour if it continues as in the last ten minutes. Normal is two close lines; a forecast of 0 is a full disk within the hour.")
                .query(exported("{{instance}} {{mountpoint}}", writable(&free)))
                .query(exported("{{instance}} {{mountpoint}} in an hour", writable(&ahead)))
                .size(12, 8),
        ],
    )
}

/// Mean duration. A disk that does nothing has 0 and not 0/0.
fn mean(time: &str, count: &str) -> String {
    format!("{}\n/\nclamp_min({}, 0.001)", rates("device", time, ""), rates("device", count, ""))
}

fn disk_row() -> Row {
    row(
        "Disks",
        vec![
            panel("Latency of the disks", Unit::Seconds, "Mean duration of a read and of a write, by disk. Normal is below 5 ms; a database that flushes each commit is as slow as this.")
                .query(exported("{{device}} read", mean("node_disk_read_time_seconds_total", "node_disk_reads_completed_total")))
                .query(exported("{{device}} write", mean("node_disk_write_time_seconds_total", "node_disk_writes_completed_total"))),
            panel("Time busy", Unit::Ratio, "Share of the time in which a disk had something to do. Normal is below 50 %; many disks do several things at once, so look at the latency too.")
                .query(exported("{{device}}", rates("device", "node_disk_io_time_seconds_total", "")))
                .range(0.0, 1.0),
            panel("Bytes read and written", Unit::BytesRate, "Bytes by disk. Normal is a steady trickle of writes: the write-ahead log, samples, logs.")
                .query(exported("{{device}} read", rates("device", "node_disk_read_bytes_total", "")))
                .query(exported("{{device}} written", rates("device", "node_disk_written_bytes_total", ""))),
        ],
    )
}

fn network_row() -> Row {
    let lost = |metric| rates("device", metric, "");
    row(
        "Network",
        vec![
            panel(
                "Bytes received",
                Unit::BytesRate,
                "Bytes by device. Normal is the lab's own traffic on lo, which follows the load.",
            )
            .query(exported("{{device}}", rates("device", "node_network_receive_bytes_total", ""))),
            panel("Bytes sent", Unit::BytesRate, "Bytes by device. Normal equals the bytes received on lo.")
                .query(exported("{{device}}", rates("device", "node_network_transmit_bytes_total", ""))),
            panel(
                "Packets lost",
                Unit::Events,
                "Packets that were damaged or dropped, by device. Normal is 0.",
            )
            .query(exported("{{device}} damaged", lost("node_network_receive_errs_total")))
            .query(exported("{{device}} dropped", lost("node_network_receive_drop_total")))
            .query(exported("{{device}} not sent", lost("node_network_transmit_errs_total")))
            .query(exported("{{device}} dropped before", lost("node_network_transmit_drop_total"))),
        ],
    )
}
