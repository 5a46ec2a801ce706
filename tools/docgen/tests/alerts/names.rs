//! Every metric of the lab with its labels, and a check of PromQL against them. The golden scrapes have the metrics
//! of the services and the control room; for the other parts, their code has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use testkit::Scrape;

use crate::{read, root, rules};

type Labels = BTreeSet<String>;

/// Labels that every scrape adds.
const SCRAPED: [&str; 3] = ["job", "service", "instance"];

/// Metrics of third-party programs, as far as rules and runbooks use them, and those that Prometheus adds itself.
const FOREIGN: &[(&str, &[&str])] = &[
    ("up", &[]),
    ("scrape_duration_seconds", &[]),
    ("scrape_samples_scraped", &[]),
    ("scrape_samples_post_metric_relabeling", &[]),
    ("scrape_series_added", &[]),
    ("ALERTS", &["alertname", "alertstate", "severity", "slo"]),
    // Prometheus 2.42 to 3.x
    ("prometheus_rule_evaluation_failures_total", &["rule_group"]),
    ("prometheus_notifications_errors_total", &["alertmanager"]),
    ("prometheus_tsdb_head_series", &[]),
    // Alertmanager 0.25 and later
    ("alertmanager_notification_requests_failed_total", &["integration"]),
    // postgres_exporter 0.11 and later; the first versions have fewer labels on transactions.
    ("pg_up", &[]),
    ("pg_stat_activity_count", &["datname", "state"]),
    ("pg_stat_activity_max_tx_duration", &["datname", "state"]),
    ("pg_settings_max_connections", &[]),
    ("pg_stat_database_deadlocks", &["datname", "datid"]),
    ("pg_stat_database_xact_rollback", &["datname", "datid"]),
    ("pg_locks_count", &["datname", "mode"]),
    ("pg_wal_size_bytes", &[]),
    ("pg_settings_autovacuum", &[]),
    ("pg_settings_autovacuum_freeze_max_age", &[]),
    // dashboards/exporters/postgres.yml
    ("pg_stat_user_tables_n_live_tup", &["datname", "schemaname", "relname"]),
    ("pg_stat_user_tables_n_dead_tup", &["datname", "schemaname", "relname"]),
    ("pg_stat_user_tables_last_autovacuum", &["datname", "schemaname", "relname"]),
    ("pg_autovacuum_due_tup", &["datname", "schemaname", "relname"]),
    ("pg_vacuum_horizon_age", &["holder"]),
    ("pg_database_xid_age", &["datname"]),
    // redis_exporter 1.45 and later
    ("redis_up", &[]),
    ("redis_memory_used_bytes", &[]),
    ("redis_memory_max_bytes", &[]),
    ("redis_evicted_keys_total", &[]),
    ("redis_commands_processed_total", &[]),
    ("redis_net_output_bytes_total", &[]),
    ("redis_connected_clients", &[]),
    ("redis_db_keys", &["db"]),
    // node_exporter 1.5 and later
    ("node_filesystem_avail_bytes", &["device", "fstype", "mountpoint"]),
    ("node_filesystem_size_bytes", &["device", "fstype", "mountpoint"]),
    ("node_disk_written_bytes_total", &["device"]),
    // `lab backup stream`, through node_exporter
    ("backup_interval_seconds", &[]),
    ("backup_watched_since_timestamp_seconds", &[]),
    ("backup_wal_archived_timestamp_seconds", &[]),
    ("backup_last_timestamp_seconds", &[]),
    ("backup_last_bytes", &[]),
    ("backup_last_verified_timestamp_seconds", &[]),
    ("backup_restore_seconds", &[]),
    // `lab up --replica`, through node_exporter
    ("replica_streaming", &[]),
    ("replica_synchronous", &[]),
    ("replica_behind_bytes", &[]),
    ("replica_lag_seconds", &[]),
    ("replica_seen_timestamp_seconds", &[]),
    ("replica_promoted", &[]),
    // kube-state-metrics 2.x, and the kubelet
    ("kube_pod_container_status_waiting_reason", &["namespace", "pod", "container", "reason"]),
    ("kube_pod_container_status_last_terminated_reason", &["namespace", "pod", "container", "reason"]),
    ("kube_pod_container_status_restarts_total", &["namespace", "pod", "container"]),
    ("kube_pod_container_resource_limits", &["namespace", "pod", "container", "node", "resource", "unit"]),
    ("kube_pod_info", &["namespace", "pod", "node"]),
    ("kube_pod_status_ready", &["namespace", "pod", "condition"]),
    ("kube_cronjob_created", &["namespace", "cronjob"]),
    ("kube_cronjob_next_schedule_time", &["namespace", "cronjob"]),
    ("kube_cronjob_spec_suspend", &["namespace", "cronjob"]),
    ("kube_cronjob_status_active", &["namespace", "cronjob"]),
    ("kube_cronjob_status_last_schedule_time", &["namespace", "cronjob"]),
    ("kube_cronjob_status_last_successful_time", &["namespace", "cronjob"]),
    ("kube_node_status_condition", &["node", "condition", "status"]),
    ("container_memory_working_set_bytes", &["namespace", "pod", "container", "image"]),
    ("kubelet_volume_stats_available_bytes", &["namespace", "persistentvolumeclaim"]),
    ("kubelet_volume_stats_capacity_bytes", &["namespace", "persistentvolumeclaim"]),
    // Redpanda 23 and later, at /public_metrics
    (
        "redpanda_kafka_under_replicated_replicas",
        &["redpanda_namespace", "redpanda_topic", "redpanda_partition"],
    ),
    ("redpanda_storage_disk_free_space_alert", &[]),
    ("redpanda_storage_disk_free_bytes", &[]),
    ("redpanda_storage_disk_total_bytes", &[]),
    // lab-kafka registers these with a cluster that runs.
    ("kafka_broker_up", &["broker"]),
    ("kafka_topic_partitions", &["topic"]),
];

/// Metric -> labels.
pub(crate) struct Names(BTreeMap<String, Labels>);

impl Names {
    /// All metrics of a lab.
    pub(crate) fn known() -> Self {
        let mut names = Self(BTreeMap::new());
        let of = |service: &str| format!("services/{service}/tests/api/snapshots/metrics.txt");
        let control_room = "oncall/control-room/tests/watch/snapshots/metrics.txt".to_owned();
        let services = ["edge", "notifier", "order-api", "order-worker", "user-service"].map(of);
        for golden in services.into_iter().chain([control_room]) {
            read(&root().join(golden)).lines().for_each(|line| names.golden(line));
        }
        for (name, family) in Scrape::parse(&exported()).families() {
            let labels: Vec<&str> = family.labels.iter().map(String::as_str).collect();
            names.family(name, &family.kind, &labels);
        }
        for (name, labels) in FOREIGN {
            names.family(name, "gauge", labels);
        }
        names.recorded();
        names
    }

    /// A line of a golden scrape: `name kind {label,label} help`.
    fn golden(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(name), Some(kind), Some(labels)) = (words.next(), words.next(), words.next()) else {
            panic!("not a line of a golden scrape: {line}")
        };
        let labels: Vec<&str> =
            labels.trim_matches(['{', '}']).split(',').filter(|label| !label.is_empty()).collect();
        self.family(name, kind, &labels);
    }

    fn family(&mut self, name: &str, kind: &str, labels: &[&str]) {
        let labels: Labels = SCRAPED.iter().chain(labels).map(|&label| label.to_owned()).collect();
        if kind != "histogram" {
            self.0.entry(name.to_owned()).or_default().extend(labels);
            return;
        }
        for (suffix, own) in [("_bucket", Some("le")), ("_sum", None), ("_count", None)] {
            let entry = self.0.entry(format!("{name}{suffix}")).or_default();
            entry.extend(labels.iter().cloned().chain(own.map(str::to_owned)));
        }
    }

    /// Recorded series, which may build on each other: repeats until no more can be added.
    fn recorded(&mut self) {
        let mut rules: Vec<_> = rules::all()
            .into_iter()
            .filter_map(|(_, rule)| Some((rule.record?, rule.expr, rule.labels)))
            .collect();
        loop {
            let before = rules.len();
            rules.retain(|(name, expr, own)| {
                // A rule may read what it recorded before.
                if expr.contains(name.as_str()) {
                    self.0.entry(name.clone()).or_default().extend(own.keys().cloned());
                }
                match self.check(expr) {
                    Ok(labels) => {
                        let labels = labels.unwrap_or_default().into_iter().chain(own.keys().cloned());
                        self.0.entry(name.clone()).or_default().extend(labels);
                        false
                    }
                    Err(_) => true,
                }
            });
            if rules.len() == before {
                // The test of the rules reports those that remain.
                return;
            }
        }
    }

    /// Whether this metric exists, for names in running text.
    pub(crate) fn has(&self, name: &str) -> bool {
        let histogram =
            ["_bucket", "_count"].iter().any(|suffix| self.0.contains_key(&format!("{name}{suffix}")));
        histogram || self.0.contains_key(name)
    }

    /// Parses `query` and looks up each metric and label that it names. Returns the labels of the result, as far as
    /// they are known.
    pub(crate) fn check(&self, query: &str) -> Result<Option<Labels>, String> {
        self.labels_of(&parser::parse(query)?).map_err(|error| format!("{error} in `{query}`"))
    }

    fn labels_of(&self, expr: &Expr) -> Result<Option<Labels>, String> {
        Ok(match expr {
            Expr::VectorSelector(selector) => self.selected(selector)?,
            Expr::MatrixSelector(selector) => self.selected(&selector.vs)?,
            Expr::Paren(inner) => self.labels_of(&inner.expr)?,
            Expr::Unary(inner) => self.labels_of(&inner.expr)?,
            Expr::Subquery(inner) => self.labels_of(&inner.expr)?,
            Expr::Aggregate(aggregate) => {
                let inner = self.labels_of(&aggregate.expr)?;
                match &aggregate.modifier {
                    Some(LabelModifier::Include(by)) => Some(grouped(inner.as_ref(), &by.labels)?),
                    Some(LabelModifier::Exclude(without)) => {
                        inner.map(|inner| inner.into_iter().filter(|l| !without.labels.contains(l)).collect())
                    }
                    // topk and its like keep the labels; the others drop them.
                    None => aggregate.param.as_ref().map_or_else(|| Some(Labels::new()), |_| inner),
                }
            }
            Expr::Binary(binary) => both(self.labels_of(&binary.lhs)?, self.labels_of(&binary.rhs)?),
            Expr::Call(call) => self.called(call)?,
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Some(Labels::new()),
            Expr::Extension(_) => None,
        })
    }

    fn selected(&self, selector: &VectorSelector) -> Result<Option<Labels>, String> {
        let Some(name) = &selector.name else { return Ok(None) };
        let labels = self.0.get(name).ok_or_else(|| format!("no metric is called {name}"))?;
        match selector.matchers.matchers.iter().find(|matcher| !labels.contains(&matcher.name)) {
            Some(matcher) => Err(format!("{name} has no label {}; it has {labels:?}", matcher.name)),
            None => Ok(Some(labels.clone())),
        }
    }

    fn called(&self, call: &parser::Call) -> Result<Option<Labels>, String> {
        let mut labels = Some(Labels::new());
        for argument in &call.args.args {
            labels = both(labels, self.labels_of(argument)?);
        }
        let text = |n: usize| match call.args.args.get(n).map(AsRef::as_ref) {
            Some(Expr::StringLiteral(text)) => Some(text.val.clone()),
            _ => None,
        };
        if call.func.name == "label_replace" {
            labels = labels.map(|labels| labels.into_iter().chain(text(1)).collect());
        }
        Ok(labels)
    }
}

/// What the parts that are no services export, from their own code.
fn exported() -> String {
    let metrics = chassis_telemetry::metrics::Metrics::new();
    let _load = load::record::LoadMetrics::new(&metrics);
    let _probe = load::probe::metrics::ProbeMetrics::new(&metrics);
    let store = Arc::new(lab_traces::store::Store::new(1 << 20, Duration::from_millis(500)));
    let _traces = lab_traces::metrics::TraceMetrics::register(&metrics, store);
    let _room = control_room::metrics::RoomMetrics::register(&metrics);
    String::from_utf8(metrics.render(None).1).expect("text")
}

fn grouped(inner: Option<&Labels>, by: &[String]) -> Result<Labels, String> {
    match inner.and_then(|inner| by.iter().find(|label| !inner.contains(*label)).map(|label| (inner, label)))
    {
        Some((inner, label)) => Err(format!("nothing to group by {label}; there is {inner:?}")),
        None => Ok(by.iter().cloned().collect()),
    }
}

fn both(one: Option<Labels>, other: Option<Labels>) -> Option<Labels> {
    Some(one?.into_iter().chain(other?).collect())
}

#[test]
fn a_wrong_name_is_found_everywhere() {
    let names = Names::known();
    for (query, said) in [
        ("rate(http_request_total[15s])", "no metric is called http_request_total"),
        ("up{jobs=\"order-api\"}", "up has no label jobs"),
        ("sum by (peer) (rate(http_requests_total[15s]))", "nothing to group by peer"),
        ("histogram_quantile(0.9, sum by (le) (rate(outbox_entries[1m])))", "nothing to group by le"),
        ("up == 0 and on(job) kafka_lag > 1", "no metric is called kafka_lag"),
        ("rate(up[15s)", "unexpected"),
    ] {
        let error = names.check(query).expect_err(query);
        assert!(error.contains(said), "{query}: {error}");
    }
    names
        .check("sum by (job, le) (rate(order_settle_duration_seconds_bucket{job=\"order-api\"}[1m]))")
        .unwrap();
}
