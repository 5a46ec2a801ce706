//! Query builders. Every selector gets matchers for the variables `job` and `instance`, so that each board can be
//! narrowed to one replica; a rule of Grafana's dashboard-linter requires this too.

/// Where a query goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Source {
    /// PromQL.
    Prometheus,
    /// LogQL.
    Loki,
    /// The dependency graph of Jaeger.
    Jaeger,
}

impl Source {
    /// All, in the order of the variables.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Grafana's type of the data source.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Loki => "loki",
            Self::Jaeger => "jaeger",
        }
    }

    /// The variable of the data source that the reader chose.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Prometheus => "${prometheus_datasource}",
            Self::Loki => "${loki_datasource}",
            Self::Jaeger => "${jaeger_datasource}",
        }
    }
}

/// One query of a panel.
#[derive(Debug, Clone)]
pub struct Query {
    /// Where it goes.
    pub source: Source,
    /// PromQL or LogQL; empty for the dependency graph.
    pub expr: String,
    /// Legend, with `{{label}}`.
    pub legend: String,
    /// Whether dots on the graph link to traces.
    pub exemplars: bool,
    /// Only the current value.
    pub instant: bool,
    /// As a histogram's buckets.
    pub buckets: bool,
    /// How often its metrics are scraped, if less often than Grafana's data source says: without it the window of a
    /// rate would be shorter than the time between two samples.
    pub step: Option<&'static str>,
}

/// A PromQL query over time.
#[must_use]
pub fn query(legend: &str, expr: impl Into<String>) -> Query {
    Query {
        source: Source::Prometheus,
        expr: expr.into(),
        legend: legend.to_owned(),
        exemplars: false,
        instant: false,
        buckets: false,
        step: None,
    }
}

/// Lines of Loki.
#[must_use]
pub fn logs(expr: impl Into<String>) -> Query {
    Query { source: Source::Loki, ..query("", expr) }
}

/// Numbers that Loki counts in lines.
#[must_use]
pub fn counted(legend: &str, expr: impl Into<String>) -> Query {
    Query { source: Source::Loki, ..query(legend, expr) }
}

/// The access log of a service, as LogQL, with its fields as labels. Each line has the field `represents`: how many requests it
/// counts for.
#[must_use]
pub fn requests(service: &str) -> String {
    format!("{{service=\"{service}\"}} |= `\"target\":\"access\"` | json")
}

/// The dependency graph.
#[must_use]
pub fn dependencies() -> Query {
    Query { source: Source::Jaeger, ..query("", "") }
}

impl Query {
    /// With dots that link to traces.
    #[must_use]
    pub const fn exemplars(mut self) -> Self {
        self.exemplars = true;
        self
    }

    /// Only the current value.
    #[must_use]
    pub const fn now(mut self) -> Self {
        self.instant = true;
        self
    }

    /// Of metrics that are scraped every `step`, such as `5s`.
    #[must_use]
    pub const fn every(mut self, step: &'static str) -> Self {
        self.step = Some(step);
        self
    }

    /// As buckets of a heatmap.
    #[must_use]
    pub const fn buckets(mut self) -> Self {
        self.buckets = true;
        self
    }
}

/// A selector: `metric{job=~"$job", instance=~"$instance", <matchers>}`.
#[must_use]
pub fn sel(metric: &str, matchers: &str) -> String {
    let comma = if matchers.is_empty() { "" } else { ", " };
    format!(r#"{metric}{{job=~"$job", instance=~"$instance"{comma}{matchers}}}"#)
}

/// Increase per second.
#[must_use]
pub fn rate(metric: &str, matchers: &str) -> String {
    format!("rate({}[$__rate_interval])", sel(metric, matchers))
}

/// Sum, without labels when `by` is empty.
#[must_use]
pub fn sum(by: &str, expr: &str) -> String {
    aggregate("sum", by, expr)
}

/// Largest, without labels when `by` is empty.
#[must_use]
pub fn max(by: &str, expr: &str) -> String {
    aggregate("max", by, expr)
}

/// Smallest, without labels when `by` is empty.
#[must_use]
pub fn min(by: &str, expr: &str) -> String {
    aggregate("min", by, expr)
}

fn aggregate(operator: &str, by: &str, expr: &str) -> String {
    if by.is_empty() { format!("{operator}({expr})") } else { format!("{operator} by ({by}) ({expr})") }
}

/// `sum(rate(metric))` by labels.
#[must_use]
pub fn rates(by: &str, metric: &str, matchers: &str) -> String {
    sum(by, &rate(metric, matchers))
}

/// Share of `part` in `whole`; both are sums of rates over the same labels. 0/0 draws no point, as intended.
#[must_use]
pub fn share(by: &str, metric: &str, part: &str, whole: &str) -> String {
    format!("{}\n/\n{}", rates(by, metric, part), rates(by, metric, whole))
}

/// Quantile of a classic histogram; `metric` without `_bucket`.
#[must_use]
pub fn quantile(q: f64, by: &str, metric: &str, matchers: &str) -> String {
    let by = if by.is_empty() { "le".to_owned() } else { format!("{by}, le") };
    format!("histogram_quantile({q}, {})", rates(&by, &format!("{metric}_bucket"), matchers))
}

/// The three quantiles that every latency panel shows, with exemplars.
#[must_use]
pub fn quantiles(metric: &str, matchers: &str) -> Vec<Query> {
    [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]
        .into_iter()
        .map(|(name, q)| query(name, quantile(q, "", metric, matchers)).exemplars())
        .collect()
}
