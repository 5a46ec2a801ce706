//! Everything that a file may say. What is not listed is refused: a setting that is ignored would draw another picture
//! than Grafana.

use super::shape::{
    May::{self, Be, Elsewhere, Flag, Limit, Nothing, Number, Text},
    Rule,
};
use crate::{model::Colour, unit};

const COLOUR: May = Be(Colour::NAMES);
const NO: May = Be(&["false"]);
const YES: May = Be(&["true"]);
const SOURCE: May = Be(&["prometheus", "loki", "jaeger"]);
const SOURCE_UID: May = Be(&["${prometheus_datasource}", "${loki_datasource}", "${jaeger_datasource}"]);

/// The board itself.
pub(super) const BOARD: &[Rule] = &[
    ("uid", Text),
    ("title", Text),
    ("description", Text),
    ("tags.[]", Text),
    ("schemaVersion", Be(&["39"])),
    ("version", Number),
    ("editable", Flag),
    // The crosshair is shared in any case.
    ("graphTooltip", Be(&["0", "1", "2"])),
    ("timezone", Be(&["utc"])),
    ("refresh", Text),
    ("time.from", Text),
    ("time.to", Text),
    ("timepicker.refresh_intervals.[]", Text),
    ("fiscalYearStartMonth", Be(&["0"])),
    ("liveNow", NO),
    ("weekStart", Be(&[""])),
    ("links.[].asDropdown", YES),
    ("links.[].icon", Be(&["external link"])),
    ("links.[].includeVars", NO),
    ("links.[].keepTime", YES),
    ("links.[].tags.[]", Text),
    ("links.[].targetBlank", NO),
    ("links.[].title", Text),
    ("links.[].tooltip", Be(&[""])),
    ("links.[].type", Be(&["dashboards"])),
    ("links.[].url", Be(&[""])),
    ("annotations.list.[]", Elsewhere),
    ("templating.list.[]", Elsewhere),
    ("panels.[]", Elsewhere),
];

/// Marks from Prometheus.
pub(super) const ANNOTATION: &[Rule] = &[
    ("name", Text),
    ("enable", Flag),
    ("hide", NO),
    ("iconColor", COLOUR),
    ("expr", Text),
    ("step", Text),
    ("titleFormat", Text),
    ("textFormat", Text),
    ("tagKeys", Text),
    ("useValueForTime", Be(&["on", "off"])),
    ("datasource.type", Be(&["prometheus"])),
    ("datasource.uid", Be(&["${prometheus_datasource}"])),
];

/// The marks that Grafana itself keeps: there are none without Grafana.
pub(super) const BUILT_IN: &[Rule] = &[
    ("builtIn", Be(&["1"])),
    ("type", Be(&["dashboard"])),
    ("name", Text),
    ("enable", Flag),
    ("hide", YES),
    ("iconColor", Text),
    ("datasource.type", Be(&["grafana"])),
    ("datasource.uid", Be(&["-- Grafana --"])),
];

/// What all variables have.
pub(super) const VARIABLE: &[Rule] = &[
    ("type", Be(&["query", "datasource"])),
    ("name", Text),
    ("label", Text),
    ("hide", Be(&["0"])),
    ("options", Nothing),
    ("regex", Be(&[""])),
    ("skipUrlSync", NO),
];

/// A variable of the values of a label.
pub(super) const QUERIED: &[Rule] = &[
    ("definition", Text),
    ("query.qryType", Be(&["1"])),
    ("query.query", Text),
    ("query.refId", Text),
    ("datasource.type", Be(&["prometheus"])),
    ("datasource.uid", Be(&["${prometheus_datasource}"])),
    ("current.selected", Flag),
    ("current.text.[]", Text),
    ("current.value.[]", Text),
    ("multi", Flag),
    ("includeAll", Flag),
    ("allValue", Text),
    ("refresh", Be(&["1", "2"])),
    // By name, ascending.
    ("sort", Be(&["1"])),
];

/// A variable of the data sources of a kind.
pub(super) const DATA_SOURCE: &[Rule] =
    &[("query", SOURCE), ("current", Nothing), ("multi", NO), ("includeAll", NO), ("refresh", Be(&["1"]))];

/// A heading.
pub(super) const ROW: &[Rule] = &[
    ("id", Number),
    ("type", Text),
    ("title", Text),
    ("collapsed", Flag),
    ("gridPos.*", Number),
    ("panels.[]", Elsewhere),
];

/// What all panels have.
pub(super) const PANEL: &[Rule] =
    &[("id", Number), ("type", Text), ("title", Text), ("description", Text), ("gridPos.*", Number)];

/// What all panels have that ask something.
pub(super) const ASKING: &[Rule] = &[
    ("datasource.type", SOURCE),
    ("datasource.uid", SOURCE_UID),
    ("targets.[].refId", Text),
    ("targets.[].datasource.type", SOURCE),
    ("targets.[].datasource.uid", SOURCE_UID),
    ("targets.[].editorMode", Be(&["code"])),
    ("targets.[].exemplar", Flag),
    ("targets.[].expr", Text),
    ("targets.[].format", Be(&["time_series", "table", "heatmap"])),
    ("targets.[].instant", Flag),
    ("targets.[].range", Flag),
    ("targets.[].interval", Text),
    ("targets.[].legendFormat", Text),
    ("targets.[].maxLines", Number),
    ("targets.[].queryType", Be(&["range", "instant", "dependencyGraph"])),
    ("fieldConfig.defaults.unit", Be(unit::NAMES)),
    ("fieldConfig.defaults.color.mode", Be(&["palette-classic", "fixed", "thresholds"])),
    ("fieldConfig.defaults.color.fixedColor", COLOUR),
    ("fieldConfig.defaults.thresholds.mode", Be(&["absolute"])),
    ("fieldConfig.defaults.thresholds.steps.[].color", COLOUR),
    ("fieldConfig.defaults.thresholds.steps.[].value", Limit),
    ("fieldConfig.defaults.links.[].title", Text),
    ("fieldConfig.defaults.links.[].url", Text),
    ("fieldConfig.defaults.links.[].targetBlank", NO),
    ("fieldConfig.defaults.mappings.[].type", Be(&["value"])),
    ("fieldConfig.defaults.mappings.[].options.*.text", Text),
    ("fieldConfig.defaults.mappings.[].options.*.color", COLOUR),
    ("fieldConfig.defaults.mappings.[].options.*.index", Number),
    ("fieldConfig.defaults.min", Number),
    ("fieldConfig.defaults.max", Number),
    ("fieldConfig.overrides.[].matcher.id", Be(&["byName", "byRegexp"])),
    ("fieldConfig.overrides.[].matcher.options", Text),
    ("fieldConfig.overrides.[].properties.[].id", Text),
    ("fieldConfig.overrides.[].properties.[].value", Elsewhere),
    // For kinds without options of their own.
    ("fieldConfig.defaults.custom", Nothing),
    ("options", Nothing),
];

/// Values of overrides, by what they set.
pub(super) const OVERRIDES: &[(&str, &[Rule])] = &[
    ("color", &[("mode", Be(&["fixed", "thresholds"])), ("fixedColor", COLOUR)]),
    ("unit", &[("", Be(unit::NAMES))]),
    ("displayName", &[("", Text)]),
    ("links", &[("[].title", Text), ("[].url", Text), ("[].targetBlank", NO)]),
    ("thresholds", &[("mode", Be(&["absolute"])), ("steps.[].color", COLOUR), ("steps.[].value", Limit)]),
    ("custom.cellOptions", &[("type", Be(&["auto", "color-text"]))]),
];

/// The options of each kind of panel.
pub(super) const KINDS: &[(&str, &[Rule])] = &[
    ("timeseries", LINES),
    ("stat", STAT),
    ("gauge", GAUGE),
    ("table", TABLE),
    ("heatmap", HEATMAP),
    ("state-timeline", STATES),
    ("logs", LOGS),
    ("nodeGraph", &[]),
    ("text", &[("options.mode", Be(&["markdown"])), ("options.content", Text)]),
];

const LINES: &[Rule] = &[
    ("options.legend.showLegend", YES),
    ("options.legend.displayMode", Be(&["list", "table"])),
    ("options.legend.placement", Be(&["bottom", "right"])),
    ("options.legend.calcs.[]", Be(&["lastNotNull", "max"])),
    ("options.tooltip.mode", Be(&["multi"])),
    ("options.tooltip.sort", Be(&["desc"])),
    ("fieldConfig.defaults.custom.axisLabel", Be(&[""])),
    ("fieldConfig.defaults.custom.axisPlacement", Be(&["auto"])),
    ("fieldConfig.defaults.custom.drawStyle", Be(&["line"])),
    ("fieldConfig.defaults.custom.fillOpacity", Number),
    ("fieldConfig.defaults.custom.gradientMode", Be(&["opacity", "none"])),
    ("fieldConfig.defaults.custom.hideFrom.*", NO),
    ("fieldConfig.defaults.custom.lineInterpolation", Be(&["linear"])),
    ("fieldConfig.defaults.custom.lineWidth", Be(&["1"])),
    ("fieldConfig.defaults.custom.scaleDistribution.type", Be(&["linear"])),
    ("fieldConfig.defaults.custom.showPoints", Be(&["never"])),
    ("fieldConfig.defaults.custom.spanNulls", NO),
    ("fieldConfig.defaults.custom.stacking.group", Be(&["A"])),
    ("fieldConfig.defaults.custom.stacking.mode", Be(&["none", "normal"])),
    ("fieldConfig.defaults.custom.thresholdsStyle.mode", Be(&["off", "dashed"])),
];

const STAT: &[Rule] = &[
    ("options.colorMode", Be(&["value", "none"])),
    ("options.graphMode", Be(&["area"])),
    ("options.justifyMode", Be(&["auto"])),
    ("options.orientation", Be(&["auto"])),
    ("options.reduceOptions.calcs.[]", Be(&["lastNotNull"])),
    ("options.reduceOptions.fields", Be(&[""])),
    ("options.reduceOptions.values", NO),
    ("options.textMode", Be(&["auto", "value_and_name"])),
    ("options.wideLayout", YES),
];

const GAUGE: &[Rule] = &[
    ("options.orientation", Be(&["auto"])),
    ("options.reduceOptions.calcs.[]", Be(&["lastNotNull"])),
    ("options.reduceOptions.fields", Be(&[""])),
    ("options.reduceOptions.values", NO),
    ("options.showThresholdLabels", NO),
    ("options.showThresholdMarkers", YES),
];

const TABLE: &[Rule] = &[
    ("options.cellHeight", Be(&["sm"])),
    ("options.showHeader", YES),
    ("fieldConfig.defaults.custom.align", Be(&["auto"])),
    ("fieldConfig.defaults.custom.cellOptions.type", Be(&["auto"])),
    ("fieldConfig.defaults.custom.inspect", NO),
    ("transformations.[].id", Be(&["merge", "organize"])),
    ("transformations.[].options.excludeByName.*", YES),
    ("transformations.[].options.indexByName.*", Number),
    ("transformations.[].options.renameByName.*", Text),
];

const HEATMAP: &[Rule] = &[
    ("options.calculate", NO),
    ("options.cellGap", Be(&["1"])),
    ("options.color.exponent", Number),
    ("options.color.fill", Text),
    ("options.color.mode", Be(&["scheme"])),
    ("options.color.scheme", Be(&["Oranges"])),
    ("options.color.steps", Number),
    ("options.exemplars.color", Text),
    ("options.filterValues.le", Number),
    ("options.legend.show", YES),
    ("options.rowsFrame.layout", Be(&["auto"])),
    ("options.tooltip.mode", Be(&["single"])),
    ("options.tooltip.showColorScale", NO),
    ("options.tooltip.yHistogram", Flag),
    ("options.yAxis.axisPlacement", Be(&["left"])),
    ("options.yAxis.unit", Be(unit::NAMES)),
    ("fieldConfig.defaults.custom.hideFrom.*", NO),
];

const STATES: &[Rule] = &[
    ("options.alignValue", Be(&["left"])),
    ("options.legend.showLegend", YES),
    ("options.legend.displayMode", Be(&["list"])),
    ("options.legend.placement", Be(&["bottom"])),
    ("options.mergeValues", YES),
    ("options.rowHeight", Be(&["0.9"])),
    ("options.showValue", Be(&["auto"])),
    ("options.tooltip.mode", Be(&["multi"])),
    ("options.tooltip.sort", Be(&["desc"])),
    ("fieldConfig.defaults.custom.fillOpacity", Number),
    ("fieldConfig.defaults.custom.lineWidth", Be(&["0"])),
];

const LOGS: &[Rule] = &[
    ("options.dedupStrategy", Be(&["none"])),
    ("options.enableLogDetails", YES),
    ("options.prettifyLogMessage", NO),
    ("options.showCommonLabels", NO),
    ("options.showLabels", NO),
    ("options.showTime", YES),
    ("options.sortOrder", Be(&["Descending"])),
    ("options.wrapLogMessage", YES),
];
