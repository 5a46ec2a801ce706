// The frames that Grafana's data sources would return for a panel's queries: two series or lines of each query, with values on
// both sides of every limit of the panel.

import { grafana } from './grafana.mjs';

const { FieldType, createDataFrame } = grafana;

// Label values that dashboards give a colour of their own. Any other label gets two made-up ones.
const LABELS = [
  { metric: /^http_/, label: 'status', values: ['200', '404', '503'] },
  { metric: /^orders_(processed|settled)_/, label: 'status', values: ['completed', 'rejected', 'duplicate', 'dead_letter'] },
  { metric: /^edge_reloads_/, label: 'result', values: ['applied', 'refused'] },
  { metric: /^node_cpu_/, label: 'mode', values: ['user', 'system', 'iowait', 'steal'] },
  { metric: /^pg_locks_/, label: 'mode', values: ['accessexclusivelock', 'rowexclusivelock'] },
  { log: true, label: 'http_response_status_code', values: ['200', '404', '503'] },
];
const LE = ['0.005', '0.25', '+Inf'];

const AGGREGATED = /\b(sum|max|min|avg|count|topk|histogram_quantile)\b/;
const metrics = (expr) => expr.match(/\b[a-z_][a-z0-9_:]*(?=\{)/g) ?? [];
// A query of a log selects lines, and names no metric.
const ofLog = (expr) => metrics(expr).length === 0;

function valuesOf(label, expr) {
  const about = (each) => (each.log ? ofLog(expr) : metrics(expr).some((metric) => each.metric.test(metric)));
  const fits = (each) => each.label === label && about(each);
  return LABELS.find(fits)?.values ?? [`${label} 1`, `${label} 2`];
}

// The labels of a query's result. A query that aggregates keeps those that it names.
function labelsOf({ expr, legendFormat }) {
  const grouping = expr.match(/\bby \(([^)]*)\)/)?.[1].split(',').map((label) => label.trim()) ?? [];
  const named = [...(legendFormat ?? '').matchAll(/\{\{\s*([^}\s]+)\s*\}\}/g)].map((match) => match[1]);
  const labels = new Set(AGGREGATED.test(expr) ? [...grouping, ...named] : named);
  labels.delete('le');
  return [...labels];
}

// Whether each replica of a service has its own series. Recorded series are about all of them, and a pod, a container or a
// volume exists once, wherever it is scraped.
const once = (metric) => metric.includes(':') || /^(kube|container)/.test(metric);
const ofReplicas = ({ expr }) => !AGGREGATED.test(expr) && !metrics(expr).every(once);

function seriesOf(target) {
  const { expr } = target;
  if (ofReplicas(target)) {
    // Two replicas of one service: all that differs is where they are.
    const same = Object.fromEntries(labelsOf(target).map((label) => [label, valuesOf(label, expr)[0]]));
    return valuesOf('instance', expr).map((instance) => ({ ...same, instance }));
  }
  const labels = labelsOf(target).map((label) => [label, valuesOf(label, expr)]);
  const count = Math.max(1, ...labels.map(([, values]) => values.length));
  const one = (at) => Object.fromEntries(labels.map(([label, values]) => [label, values[at % values.length]]));
  return Array.from({ length: count }, (_, at) => one(at));
}

// Values at, below and above every limit and word of the panel.
export function valuesFor(panel) {
  const config = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  const own = config.overrides.flatMap((each) => each.properties).filter((property) => property.id === 'thresholds');
  const steps = [config.defaults.thresholds, ...own.map((property) => property.value)].flatMap((each) => each?.steps ?? []);
  const words = (config.defaults.mappings ?? []).flatMap((each) => Object.keys(each.options)).map(Number);
  const limits = steps.map((step) => step.value).filter((value) => value !== null);
  const values = [0, 1, ...words, ...limits, ...limits.map((limit) => limit * 0.9), ...limits.map((limit) => limit * 1.1)];
  return [...new Set(values.filter(Number.isFinite))].sort((a, b) => a - b);
}

const times = (count) => Array.from({ length: count }, (_, at) => 1_700_000_000_000 + at * 1000);
const time = (count) => ({ name: 'Time', type: FieldType.time, values: times(count), config: {} });

function named({ legendFormat }, labels) {
  if (!legendFormat || legendFormat === '__auto') return {};
  return { displayNameFromDS: legendFormat.replace(/\{\{\s*([^}\s]+)\s*\}\}/g, (_, label) => labels[label] ?? '') };
}

function lines(target, values) {
  return seriesOf(target).map((labels) => {
    const value = { name: 'Value', type: FieldType.number, values, labels, config: named(target, labels) };
    return createDataFrame({ refId: target.refId, fields: [time(values.length), value] });
  });
}

function heatmap(target) {
  const buckets = LE.map((le) => ({ name: le, type: FieldType.number, values: [1, 2], labels: { le }, config: {} }));
  return [createDataFrame({ refId: target.refId, fields: [time(2), ...buckets] })];
}

// A table has a column of each label; the values of several queries are told apart by their letters.
function table(target, values, letters) {
  const rows = seriesOf(target);
  const column = (label) => ({ name: label, type: FieldType.string, values: rows.map((row) => row[label]), config: {} });
  const name = letters ? `Value #${target.refId}` : 'Value';
  const numbers = rows.map((_, at) => values[at % values.length]);
  const value = { name, type: FieldType.number, values: numbers, config: {} };
  const same = { ...time(rows.length), values: rows.map(() => times(1)[0]) };
  return [createDataFrame({ refId: target.refId, fields: [same, ...labelsOf(target).map(column), value] })];
}

const logs = ({ refId }) => [
  createDataFrame({
    refId,
    fields: [time(1), { name: 'Line', type: FieldType.string, values: ['{"level":"ERROR"}'], config: {} }],
  }),
];

// The frames of all queries of a panel.
export function framesOf(panel) {
  const values = valuesFor(panel);
  const targets = panel.targets ?? [];
  return targets.flatMap((target) => {
    if (target.datasource.type === 'loki' && panel.type === 'logs') return logs(target);
    if (target.datasource.type === 'jaeger') return [];
    if (target.format === 'heatmap') return heatmap(target);
    // Loki's answer to an instant query is a table, and names the query in its values' column even if it is the only one.
    if (target.datasource.type === 'loki' && target.queryType === 'instant') return table(target, values, true);
    if (target.format === 'table') return table(target, values, targets.length > 1);
    return lines(target, values);
  });
}
