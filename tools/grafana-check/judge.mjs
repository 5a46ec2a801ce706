// Judges a dashboard: takes each panel through Grafana's own steps (defaults, transformations, overrides, display), and says
// what would not be drawn as it is written.

import { UNITS, grafana, plugin, theme } from './grafana.mjs';
import { framesOf } from './data.mjs';
import { known, misfits, settings } from './schema.mjs';
import { called, mentions } from './text.mjs';

const KINDS = ['gauge', 'heatmap', 'logs', 'nodeGraph', 'stat', 'state-timeline', 'table', 'text', 'timeseries'];
const PLUGINS = Object.fromEntries(Object.entries(settings(KINDS)).map(([kind, own]) => [kind, plugin(own)]));
const NUMBER = grafana.FieldType.number;
const quoted = (words) => words.map((word) => `\`${word}\``).join(', ') || 'none';

// The panels of a dashboard, those of folded rows included.
export const panelsOf = (dashboard) =>
  dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).filter((panel) => panel.type !== 'row');

// Runs an asynchronous stream of Grafana's that answers at once.
function transformed(panel, frames) {
  let answer = [];
  const context = { interpolate: (text) => text };
  grafana.transformDataFrame(panel.transformations ?? [], frames, context).subscribe((data) => (answer = data));
  return answer;
}

function overridden(fieldConfig, registry, data) {
  const replaceVariables = (text) => text;
  return grafana.applyFieldOverrides({
    data, fieldConfig, fieldConfigRegistry: registry, replaceVariables, theme, timeZone: 'utc',
  });
}

const fieldsOf = (frames) => frames.flatMap((frame) => frame.fields.map((field) => ({ field, frame })));
const nameOf = ({ field, frame }, frames) => grafana.getFieldDisplayName(field, frame, frames);
const configs = (frames) => JSON.stringify(frames.map((frame) => frame.fields.map((field) => field.config)));

// A panel with the settings that it does not have filled in. Grafana changes what it is given: it gets copies.
function completed(panel) {
  const fixed = grafana.getPanelOptionsWithDefaults({
    plugin: PLUGINS[panel.type],
    currentOptions: structuredClone(panel.options),
    currentFieldConfig: structuredClone(panel.fieldConfig),
    isAfterPluginChange: false,
  });
  return { panel, fixed, registry: PLUGINS[panel.type].fieldConfigRegistry };
}

// A panel with data, as Grafana has it before it draws.
function prepared(panel) {
  const whole = completed(panel);
  const data = transformed(panel, framesOf(panel));
  const drawn = overridden(whole.fixed.fieldConfig, whole.registry, data);
  return { ...whole, data, drawn, fields: fieldsOf(drawn) };
}

// --- settings ---------------------------------------------------------------------------------------------------------

// The paths of the settings in an object.
function paths(value, registry, before = '') {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = `${before}${key}`;
    const deeper = typeof inner === 'object' && inner && !Array.isArray(inner) && !registry.getIfExists(path);
    return deeper ? paths(inner, registry, `${path}.`) : [path];
  });
}

function dropped({ panel, registry }) {
  const lost = paths(panel.fieldConfig.defaults, registry).filter((path) => !registry.getIfExists(path));
  return lost.map((path) => `Grafana drops the field setting \`${path}\`: a ${panel.type} panel has none`);
}

function units({ panel }) {
  const own = panel.fieldConfig.overrides.flatMap((rule) => rule.properties).filter((each) => each.id === 'unit');
  const all = [panel.fieldConfig.defaults.unit, panel.options.yAxis?.unit, ...own.map((each) => each.value)];
  const strange = all.filter((unit) => unit !== undefined && !UNITS.has(unit));
  return strange.map((unit) => `Grafana has no unit \`${unit}\`, and would write it after each number`);
}

// --- overrides --------------------------------------------------------------------------------------------------------

function without(fieldConfig, rule, property) {
  const copy = structuredClone(fieldConfig);
  copy.overrides[rule].properties.splice(property, 1);
  return copy;
}

function overrides({ panel, fixed, registry, data, drawn, fields }) {
  const wrong = [];
  panel.fieldConfig.overrides.forEach(({ matcher, properties }, at) => {
    const rule = `the override of ${matcher.id} \`${matcher.options}\``;
    if (properties.length === 0) wrong.push(`${rule} sets nothing`);
    const fits = grafana.fieldMatchers.get(matcher.id).get(matcher.options);
    // By the names that the fields have before an override renames them.
    const plainly = fieldsOf(data);
    if (!plainly.some(({ field, frame }) => fits(field, frame, data))) {
      const names = quoted(plainly.map((each) => nameOf(each, data)));
      return wrong.push(`${rule} matches no field; the fields are ${names} (values of labels: LABELS in data.mjs)`);
    }
    const unknown = properties.filter(({ id }) => !registry.getIfExists(id)).map(({ id }) => id);
    wrong.push(...unknown.map((id) => `${rule}: a ${panel.type} panel has no setting \`${id}\``));
    // Unknown settings are gone from the fixed list, so its places are those of the known ones.
    fixed.fieldConfig.overrides[at].properties.forEach(({ id }, place) => {
      const less = overridden(without(fixed.fieldConfig, at, place), registry, data);
      if (configs(less) === configs(drawn)) wrong.push(`${rule}: \`${id}\` has no effect`);
    });
  });
  return wrong;
}

// --- thresholds -------------------------------------------------------------------------------------------------------

function thresholdsOf(panel) {
  const own = panel.fieldConfig.overrides.flatMap((rule) => rule.properties);
  const lists = [panel.fieldConfig.defaults.thresholds, ...own.filter((p) => p.id === 'thresholds').map((p) => p.value)];
  return lists.filter(Boolean).map((each) => each.steps);
}

const visible = (colour) => /^(#|rgb)/.test(theme.visualization.getColorByName(colour));

function steps({ panel }) {
  return thresholdsOf(panel).flatMap(([base, ...rest]) => {
    const wrong = [];
    const values = rest.map((step) => step.value);
    if (base && base.value !== null) {
      wrong.push(`the first step begins at ${base.value}: Grafana lets it begin at -Infinity, and the limit is lost`);
    }
    const ascend = values.every((value, at) => typeof value === 'number' && (at === 0 || value > values[at - 1]));
    if (!ascend) wrong.push(`the steps ${values.join(', ')} do not ascend: Grafana stops at the first that does not fit`);
    const colours = [base, ...rest].map((step) => step?.color).filter((colour) => colour && !visible(colour));
    return [...wrong, ...colours.map((colour) => `Grafana has no colour \`${colour}\``)];
  });
}

// The lines that a graph draws: none at -Infinity, where Grafana puts the first step. (@grafana/ui does it in
// UPlotThresholds.ts, from the second step on.)
function lines({ panel, fixed }) {
  const { custom, thresholds } = fixed.fieldConfig.defaults;
  const style = custom?.thresholdsStyle?.mode ?? 'off';
  if (panel.type !== 'timeseries' || !/line|dashed/.test(style)) return [];
  const config = fixed.fieldConfig.defaults;
  const display = grafana.getDisplayProcessor({ field: { type: NUMBER, config }, theme });
  const drawn = thresholds.steps.filter((step) => Number.isFinite(step.value));
  return drawn.map(({ value }) => ({ value, text: called(value, grafana.formattedValueToString(display(value))) }));
}

function said(whole) {
  const drawn = lines(whole);
  const { min = -Infinity, max = Infinity } = whole.panel.fieldConfig.defaults;
  const texts = drawn.map((line) => line.text);
  const { amounts, vague } = mentions(whole.panel.description);
  return [
    ...vague.map((words) => `"${words}…" names no amount: write "the dashed 90 %" or "Dashed lines: 1 s, 2 s."`),
    ...amounts.filter((amount) => !texts.includes(amount)).map(
      (amount) => `the description mentions a dashed line at ${amount}; Grafana would draw ${quoted(texts)}`,
    ),
    ...texts.filter((text) => !amounts.includes(text)).map((text) => `the description does not mention the line at ${text}`),
    ...drawn.filter(({ value }) => value < min || value > max).map(({ text }) => `the line at ${text} is off the axis`),
  ];
}

// Steps that colour nothing and draw nothing are a mistake.
function effect(whole) {
  const { panel, fields } = whole;
  const several = (field) => (field.config.thresholds?.steps.length ?? 0) > 1;
  return fields.filter(({ field }) => field.type === NUMBER && several(field)).flatMap((each) => {
    const { config, display } = each.field;
    if (config.color?.mode !== 'thresholds') {
      return lines(whole).length > 0 || panel.type === 'gauge' ? [] : [`nothing shows the steps of ${nameOf(each, whole.drawn)}`];
    }
    if (config.mappings?.length > 0) return [];
    const wanted = (step) => theme.visualization.getColorByName(step.color).toLowerCase();
    const shown = (value) => display(value).color.toLowerCase();
    const limits = config.thresholds.steps.filter((step) => Number.isFinite(step.value));
    const pale = limits.filter((step) => grafana.getActiveThreshold(step.value, config.thresholds.steps) !== step
      || shown(step.value) !== wanted(step));
    return pale.map((step) => `${nameOf(each, whole.drawn)}: ${step.value} is not drawn in ${step.color}`);
  });
}

// --- words for numbers ------------------------------------------------------------------------------------------------

function words({ panel, fixed }, states) {
  const config = fixed.fieldConfig.defaults;
  const display = grafana.getDisplayProcessor({ field: { type: NUMBER, config }, theme });
  const mapped = (config.mappings ?? []).flatMap(({ type, options }) => (type === 'value' ? Object.entries(options) : []));
  const wrong = mapped.flatMap(([value, { text, color }]) => [
    ...(display(Number(value)).text === text ? [] : [`${value} is not shown as \`${text}\``]),
    ...(color && !visible(color) ? [`Grafana has no colour \`${color}\``] : []),
  ]);
  if (!['stat', 'state-timeline', 'table'].includes(panel.type)) return wrong;
  for (const { expr } of panel.targets.filter((target) => target.expr)) {
    const metric = expr.match(/^(?:max by \([^)]*\) \()?([a-z_]+)\{/)?.[1];
    for (const [value, word] of states[metric] ?? []) {
      const { text } = display(value);
      if (text !== word) wrong.push(`${metric} ${value} means ${word}, and is shown as \`${text}\``);
    }
  }
  return wrong;
}

// --- tables and names -------------------------------------------------------------------------------------------------


function columns({ panel, drawn, fields }) {
  if (panel.type !== 'table') return [];
  if (drawn.length !== 1) return [`the table would show one of ${drawn.length} tables: merge them`];
  const shown = fields.filter(({ field }) => !field.config.custom?.hideFrom?.viz).map((each) => nameOf(each, drawn));
  const raw = shown.filter((name) => /^(Time|Value( #.)?)$/.test(name));
  const wanted = panel.fieldConfig.overrides.flatMap((rule) => rule.properties);
  const titles = wanted.filter((each) => each.id === 'displayName').map((each) => each.value);
  const ordered = shown.filter((name) => titles.includes(name));
  return [
    ...raw.map((name) => `a column is shown under its raw name \`${name}\``),
    ...(ordered.join() === titles.join() ? [] : [`the columns are ${quoted(ordered)}, not ${quoted(titles)}`]),
  ];
}

// Two series with one name cannot be told apart. Tables have columns instead, and a heatmap has buckets.
function names({ panel, drawn, fields }) {
  if (!['gauge', 'stat', 'state-timeline', 'timeseries'].includes(panel.type)) return [];
  const all = fields.filter(({ field }) => field.type === NUMBER).map((each) => nameOf(each, drawn));
  const twice = [...new Set(all.filter((name, at) => all.indexOf(name) !== at))];
  return twice.map((name) => `two series are called \`${name}\``);
}

// --- what Grafana would refuse ----------------------------------------------------------------------------------------

function refused(panel) {
  const missing = (what, registry, ids) =>
    ids.filter((id) => !registry.getIfExists(id)).map((id) => `Grafana has no ${what} \`${id}\``);
  return [
    ...missing('transformation', grafana.standardTransformersRegistry, (panel.transformations ?? []).map((each) => each.id)),
    ...missing('matcher', grafana.fieldMatchers, panel.fieldConfig.overrides.map((rule) => rule.matcher.id)),
  ];
}

// --- the whole --------------------------------------------------------------------------------------------------------

function panelProblems(panel, states) {
  if (!known(panel.type) || !PLUGINS[panel.type]) return [`no panel \`${panel.type}\`: see KINDS in judge.mjs`];
  if (panel.type === 'text') return [];
  const first = refused(panel);
  if (first.length > 0) return first;
  const whole = prepared(panel);
  const checks = [dropped, units, overrides, steps, said, effect, columns, names];
  return [...checks.flatMap((check) => check(whole)), ...words(whole, states)];
}

// A text mentions lines of the panel that it names in bold on the same line, or of any panel of its dashboard.
function textProblems(dashboard) {
  const graphs = panelsOf(dashboard).filter((panel) => panel.type === 'timeseries');
  const drawn = graphs.flatMap((panel) => lines(completed(panel)).map(({ text }) => ({ panel: panel.title, text })));
  const texts = panelsOf(dashboard).filter((panel) => panel.type === 'text');
  return texts.flatMap((panel) => panel.options.content.split('\n').flatMap((line) => {
    const { amounts, vague } = mentions(line);
    const meant = graphs.filter((graph) => line.includes(`**${graph.title}**`)).map((graph) => graph.title);
    const there = (amount) => drawn.some(({ panel, text }) => text === amount && (meant.length === 0 || meant.includes(panel)));
    const missing = amounts.filter((amount) => !there(amount));
    const problems = [
      ...vague.map((words) => `"${words}…" names no amount`),
      ...missing.map((amount) => `the text mentions a dashed line at ${amount}; ${quoted(meant)} does not draw it`),
    ];
    return problems.map((problem) => ({ panel: panel.title, problem }));
  }));
}

// What the published types do not allow, in one run of the compiler for all dashboards.
function typeProblems(dashboards) {
  const values = dashboards.flatMap((dashboard) => {
    const of = (panel) => ({ dashboard: dashboard.uid, panel: panel.title });
    const panels = panelsOf(dashboard).filter((panel) => PLUGINS[panel.type]);
    const own = panels.filter((panel) => Object.keys(panel.fieldConfig?.defaults.custom ?? {}).length > 0);
    return [
      { of: of({ title: 'the whole' }), type: 'dashboard', value: dashboard },
      ...panels.map((panel) => ({ of: of(panel), type: 'options', panel: panel.type, value: panel.options })),
      ...own.map((panel) => ({ of: of(panel), type: 'custom', panel: panel.type, value: panel.fieldConfig.defaults.custom })),
    ];
  });
  return misfits(values).map(({ of, message }) => ({ ...of, problem: message }));
}

// What is wrong with dashboards: [{ dashboard, panel, problem }]. `states` has the numbers that a metric may have, with
// their words.
export function judge(dashboards, states) {
  const problems = dashboards.flatMap((dashboard) => {
    const each = panelsOf(dashboard).flatMap((panel) =>
      panelProblems(panel, states).map((problem) => ({ panel: panel.title, problem })),
    );
    return [...each, ...textProblems(dashboard)].map((found) => ({ dashboard: dashboard.uid, ...found }));
  });
  return [...problems, ...typeProblems(dashboards)];
}
