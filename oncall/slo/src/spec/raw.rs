//! The shape of OpenSLO v1, field by field as in its schema; every value keeps its line. Unknown fields are refused.

use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::Spanned;

type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) api_version: Text,
    pub(super) kind: Text,
    pub(super) metadata: Spanned<Metadata>,
    pub(super) spec: Spanned<SloSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: Text,
    pub(super) display_name: Option<Text>,
    #[serde(rename = "labels")]
    pub(super) _labels: Option<IgnoredAny>,
    #[serde(default)]
    pub(super) annotations: std::collections::BTreeMap<String, Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SloSpec {
    pub(super) description: Option<Text>,
    pub(super) service: Text,
    pub(super) indicator: Option<Spanned<Indicator>>,
    pub(super) indicator_ref: Option<Text>,
    pub(super) time_window: Spanned<Vec<Spanned<TimeWindow>>>,
    pub(super) budgeting_method: Text,
    pub(super) objectives: Spanned<Vec<Spanned<Objective>>>,
    pub(super) alert_policies: Option<Spanned<Vec<IgnoredAny>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Indicator {
    #[serde(rename = "metadata")]
    pub(super) _metadata: Option<IgnoredAny>,
    pub(super) spec: Spanned<SliSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SliSpec {
    #[serde(rename = "description")]
    pub(super) _description: Option<IgnoredAny>,
    pub(super) ratio_metric: Option<Spanned<RatioMetric>>,
    pub(super) threshold_metric: Option<Spanned<ThresholdMetric>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RatioMetric {
    pub(super) counter: Spanned<bool>,
    pub(super) good: Option<MetricHolder>,
    pub(super) bad: Option<MetricHolder>,
    pub(super) total: Option<MetricHolder>,
    pub(super) raw: Option<Spanned<IgnoredAny>>,
    #[serde(rename = "rawType")]
    pub(super) _raw_type: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MetricHolder {
    pub(super) metric_source: MetricSource,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ThresholdMetric {
    pub(super) metric_source: MetricSource,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MetricSource {
    #[serde(rename = "metricSourceRef")]
    pub(super) _metric_source_ref: Option<IgnoredAny>,
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) spec: PrometheusQuery,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PrometheusQuery {
    pub(super) query: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TimeWindow {
    pub(super) duration: Text,
    pub(super) is_rolling: Spanned<bool>,
    pub(super) calendar: Option<Spanned<CalendarSpec>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CalendarSpec {
    pub(super) start_time: Text,
    pub(super) time_zone: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Objective {
    #[serde(rename = "displayName")]
    pub(super) _display_name: Option<IgnoredAny>,
    pub(super) op: Option<Text>,
    pub(super) value: Option<Spanned<f64>>,
    pub(super) target: Option<Spanned<f64>>,
    pub(super) target_percent: Option<Spanned<f64>>,
    pub(super) time_slice_target: Option<Spanned<f64>>,
    pub(super) time_slice_window: Option<Spanned<IgnoredAny>>,
    pub(super) composite_weight: Option<Spanned<f64>>,
    pub(super) indicator: Option<Spanned<IgnoredAny>>,
    pub(super) indicator_ref: Option<Text>,
}
