//! The lab's pods, volumes and backups, by the metrics of kube-state-metrics and of the kubelet's cAdvisor.

use super::shared::{NEVER, USED, exported};
use crate::{
    model::{Board, Kind, Panel, Row, Unit, Variable, folded, row, text, value},
    query::{max, query, rate, rates, sel, sum},
};

const SPACE: &str = r#"namespace=~"$namespace""#;
/// Containers, without the pod's own cgroup.
const CONTAINERS: &str = r#"namespace=~"$namespace", container!="""#;

pub(super) fn board() -> Board {
    Board {
        uid: "kubernetes",
        title: "Kubernetes resources",
        description: "How much of their limits and requests the pods use. Throttling and memory near its limit explain a slow service that looks idle.",
        jobs: r#"{__name__=~"kube_pod_info|container_memory_working_set_bytes"}"#,
        variables: &[Variable {
            name: "namespace",
            label: "Namespace",
            metric: r#"kube_pod_info{job=~"$job"}"#,
            of: "namespace",
        }],
        rows: vec![state_row(), nodes_row(), cpu_row(), memory_row(), pods_row(), disks_row(), backups_row()],
    }
}

fn panel(title: &'static str, unit: Unit, description: &'static str) -> Panel {
    Panel::new(Kind::Lines, title, unit, description).size(12, 8)
}

fn state_row() -> Row {
    let stat = |title, description, expr: String| {
        Panel::new(Kind::Stat, title, Unit::Count, description).query(query("pods", expr)).size(4, 5)
    };
    let ready = format!("{SPACE}, condition=\"true\"");
    row(
        "State",
        vec![
            stat(
                "Pods ready",
                "Pods that receive traffic. Normal equals the wanted pods.",
                sum("", &sel("kube_pod_status_ready", &ready)),
            ),
            stat(
                "Pods not ready",
                "Pods that receive no traffic. Normal is 0, except during a roll-out.",
                sum("", &sel("kube_pod_status_ready", &format!("{SPACE}, condition=\"false\""))),
            )
            .steps(NEVER),
            stat(
                "Restarts",
                "Restarts of containers in the last minutes. Normal is 0.",
                format!(
                    "sum(increase({}[$__range]))",
                    sel("kube_pod_container_status_restarts_total", SPACE)
                ),
            )
            .steps(NEVER),
            stat(
                "Killed for memory",
                "Containers that were last ended by an out-of-memory kill. Normal is 0.",
                sum(
                    "",
                    &sel(
                        "kube_pod_container_status_last_terminated_reason",
                        &format!("{SPACE}, reason=\"OOMKilled\""),
                    ),
                ),
            )
            .steps(NEVER),
            stat(
                "Waiting containers",
                "Containers that cannot start: image pull, crash loop, configuration. Normal is 0.",
                sum("", &sel("kube_pod_container_status_waiting_reason", SPACE)),
            )
            .steps(NEVER),
            stat(
                "Nodes ready",
                "Nodes that accept pods. Normal is all of them.",
                sum("", &sel("kube_node_status_condition", r#"condition="Ready", status="true""#)),
            ),
        ],
    )
}

/// What the nodes' kubelets report of the nodes themselves, against what they have for pods.
fn nodes_row() -> Row {
    let room = |resource: &str| {
        sum("node", &sel("kube_node_status_allocatable", &format!("resource=\"{resource}\"")))
    };
    let cpu = format!("{}\n/\n{}", rates("node", "node_cpu_usage_seconds_total", ""), room("cpu"));
    let memory = format!("{}\n/\n{}", sum("node", &sel("node_memory_working_set_bytes", "")), room("memory"));
    let short = sel(
        "kube_node_status_condition",
        r#"condition=~"DiskPressure|MemoryPressure|PIDPressure", status="true""#,
    );
    row(
        "Nodes",
        vec![
            panel("CPU of the nodes", Unit::Ratio, "Use by everything on the node, as a share of what it has for pods. Normal is below 70 %.")
                .query(exported("{{node}}", cpu))
                .steps(&USED[1..])
                .size(8, 7),
            panel("Memory of the nodes", Unit::Ratio, "Working set of everything on the node, as a share of what it has for pods. Normal is below 80 %; above, the kubelet evicts pods.")
                .query(exported("{{node}}", memory))
                .steps(&USED[1..])
                .size(8, 7),
            panel("Nodes short of something", Unit::Count, "Nodes that report too little disk, memory or process ids, by what they lack. Normal is 0: such a node evicts pods and takes no new ones.")
                .query(exported("{{condition}}", sum("condition", &short)))
                .steps(&NEVER[1..])
                .size(8, 7),
        ],
    )
}

fn against(used: &str, resource: &str, kind: &str) -> String {
    let limits = sel(kind, &format!("{SPACE}, resource=\"{resource}\""));
    format!("{}\n/\n{}", sum("namespace, pod", used), sum("namespace, pod", &limits))
}

fn cpu_row() -> Row {
    let used = rate("container_cpu_usage_seconds_total", CONTAINERS);
    let throttled = format!(
        "{}\n/\n{}",
        rates("namespace, pod", "container_cpu_cfs_throttled_periods_total", CONTAINERS),
        rates("namespace, pod", "container_cpu_cfs_periods_total", CONTAINERS)
    );
    row(
        "CPU",
        vec![
            panel("CPU throttling", Unit::Ratio, "Share of the scheduling periods in which a pod was held back by its CPU limit. Normal is 0: a few per cent are enough to raise latency, however idle the node is.")
                .query(exported("{{pod}}", throttled))
                .range(0.0, 1.0)
                .steps(&[(Some(0.05), "orange"), (Some(0.25), "red")]),
            panel("CPU against request", Unit::Ratio, "Use as a share of the request. Normal is below 1; above it the pod depends on what others leave unused.")
                .query(exported("{{pod}}", against(&used, "cpu", "kube_pod_container_resource_requests"))),
            panel("CPU", Unit::Plain, "Cores in use, by pod. Normal is below the request.").query(exported("{{pod}}", sum("namespace, pod", &used))),
            panel("Replicas of the autoscaler", Unit::Count, "Replicas that the autoscaler runs, and its maximum. Normal is below the maximum; staying there means that scaling does not help.")
                .query(query("{{horizontalpodautoscaler}}", sum("horizontalpodautoscaler", &sel("kube_horizontalpodautoscaler_status_current_replicas", SPACE))))
                .query(query("{{horizontalpodautoscaler}}: maximum", sum("horizontalpodautoscaler", &sel("kube_horizontalpodautoscaler_spec_max_replicas", SPACE)))),
        ],
    )
}

fn memory_row() -> Row {
    let used = sel("container_memory_working_set_bytes", CONTAINERS);
    row(
        "Memory",
        vec![
            panel("Memory against limit", Unit::Ratio, "Working set as a share of the limit. Normal is below 80 %; at 100 % the kernel kills the container.")
                .query(query("{{pod}}", against(&used, "memory", "kube_pod_container_resource_limits")))
                .range(0.0, 1.0)
                .steps(&USED[1..]),
            panel("Memory", Unit::Bytes, "Working set, by pod. Normal is flat.").query(query("{{pod}}", sum("namespace, pod", &used))),
        ],
    )
}

fn pods_row() -> Row {
    let columns = vec![
        text("namespace", "Namespace"),
        text("deployment", "Deployment"),
        value("Value #A", "Wanted", Unit::Count, &[]),
        value("Value #B", "Available", Unit::Count, &[]),
        value("Value #C", "Up to date", Unit::Count, &[]),
    ];
    let of = |metric| query("", max("namespace, deployment", &sel(metric, SPACE)));
    let restarts = sum(
        "namespace, pod",
        &format!("increase({}[$__rate_interval])", sel("kube_pod_container_status_restarts_total", SPACE)),
    );
    row(
        "Pods",
        vec![
            Panel::new(Kind::Table(columns), "Deployments", Unit::Count, "Replicas that are wanted, available and of the newest version. Normal is three equal numbers.")
                .query(of("kube_deployment_spec_replicas"))
                .query(of("kube_deployment_status_replicas_available"))
                .query(of("kube_deployment_status_replicas_updated")),
            panel("Restarts", Unit::Count, "Restarts of containers, by pod. Normal is 0.").query(exported("{{pod}}", restarts)),
        ],
    )
}

fn disks_row() -> Row {
    let full = format!(
        "{}\n/\n{}",
        sel("kubelet_volume_stats_used_bytes", SPACE),
        sel("kubelet_volume_stats_capacity_bytes", SPACE)
    );
    row(
        "Volumes and network",
        vec![
            panel(
                "Volumes in use",
                Unit::Ratio,
                "Share of each persistent volume that is used. Normal is below 80 %.",
            )
            .query(query("{{persistentvolumeclaim}}", full))
            .range(0.0, 1.0)
            .steps(&USED[1..])
            .size(8, 8),
            panel("Received", Unit::BytesRate, "Bytes received, by pod. Normal follows the requests.")
                .query(exported(
                    "{{pod}}",
                    rates("namespace, pod", "container_network_receive_bytes_total", SPACE),
                ))
                .size(8, 8),
            panel("Sent", Unit::BytesRate, "Bytes sent, by pod. Normal follows the requests.")
                .query(exported(
                    "{{pod}}",
                    rates("namespace, pod", "container_network_transmit_bytes_total", SPACE),
                ))
                .size(8, 8),
        ],
    )
}

fn backups_row() -> Row {
    let of = |metric: &str| sel(metric, &format!("{SPACE}, cronjob=\"postgres-backup\""));
    let started =
        format!("({} or {})", of("kube_cronjob_status_last_schedule_time"), of("kube_cronjob_created"));
    let age = |metric: &str| format!("time() - {}", max("", &of(metric)));
    folded(
        "Backups, with postgresBackup.enabled",
        vec![
            panel("Age of the last backup that succeeded", Unit::Seconds, "Time since a job last restored, checked and uploaded a backup, and three times the time between two. Normal is a saw tooth far below the limit; above it a disaster costs more than was planned.")
                .query(exported("age", age("kube_cronjob_status_last_successful_time")))
                .query(exported("limit", format!("3 * {}", max("", &format!("{} - {started}", of("kube_cronjob_next_schedule_time"))))))
                .colour("limit", "red"),
            panel("Age of the last job", Unit::Seconds, "Time since a job was last started, whether it succeeded or not. Normal is a saw tooth up to the time between two; if it grows, nothing starts them, and if it does not while the last success grows old, they fail.")
                .query(exported("age", age("kube_cronjob_status_last_schedule_time"))),
        ],
    )
}
