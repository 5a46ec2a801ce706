// The check must be able to fail: each mistake that somebody could make in a dashboard is made in a copy, and is found.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dashboards, deployed, states } from './files.mjs';
import { version } from './grafana.mjs';
import { judge, panelsOf } from './judge.mjs';
import { mentions } from './text.mjs';

const all = dashboards();
const problemsOf = (dashboard) => judge([dashboard], states()).map(({ panel, problem }) => `${panel}: ${problem}`);

// The problems of a dashboard after one panel was changed.
function after(uid, title, change) {
  const dashboard = structuredClone(all.find((each) => each.uid === uid));
  const panel = panelsOf(dashboard).find((each) => each.title === title);
  assert.ok(panel, `${uid} has no panel ${title}`);
  change(panel, dashboard);
  return problemsOf(dashboard);
}

const properties = (panel, name) => panel.fieldConfig.overrides.find((rule) => rule.matcher.options === name).properties;

// What, where, the change, and what is said about it.
const MISTAKES = [
  ['a base step is removed', 'sandbox', 'Success Rate', (panel) => panel.fieldConfig.defaults.thresholds.steps.shift(), [
    /the first step begins at 90: .* the limit is lost/,
    /the description mentions a dashed line at 90%; Grafana would draw none/,
    /the text mentions a dashed line at 90%; `Success Rate` does not draw it/,
  ]],
  ['the base step of an override is removed', 'overview', '3 order-api',
    (panel) => properties(panel, 'p95').find((each) => each.id === 'thresholds').value.steps.shift(),
    [/the first step begins at 0.25/]],
  ['a unit is renamed', 'order-api', 'Error ratio', (panel) => (panel.fieldConfig.defaults.unit = 'percentunits'),
    [/Grafana has no unit `percentunits`/]],
  ['the unit of a column is renamed', 'slo', 'Objectives',
    (panel) => (properties(panel, 'Value #E').find((each) => each.id === 'unit').value = 'sec'),
    [/Grafana has no unit `sec`/]],
  ['a mapping is dropped', 'order-api', 'Circuit breaker',
    (panel) => delete panel.fieldConfig.defaults.mappings[0].options[1],
    [/circuit_breaker_state 1 means half-open, and is shown as `1`/]],
  ['all mappings are dropped', 'sre-operations', 'Service Health Overview',
    (panel) => (panel.fieldConfig.defaults.mappings = []), [/up 0 means down/, /up 1 means up/]],
  ['a mapping has an unknown type', 'order-api', 'Circuit breaker',
    (panel) => (panel.fieldConfig.defaults.mappings[0].type = 'values'), [/circuit_breaker_state 0/, /"values"/]],
  ['a series is renamed, and its override is not', 'order-api', 'Latency',
    (panel) => (panel.targets[2].legendFormat = '99th'), [/the override of byName `p99` matches no field/]],
  ['an override changes nothing', 'slo', 'Objectives',
    (panel) => properties(panel, 'Value #A').push({ id: 'unit', value: 'percentunit' }),
    [/the override of byName `Value #A`: `unit` has no effect/]],
  ['an override sets nothing', 'order-api', 'Latency', (panel) => properties(panel, 'p99').pop(), [/sets nothing/]],
  ['a setting of an override is misspelt', 'slo', 'Objectives',
    (panel) => (properties(panel, 'Value #C').find((each) => each.id === 'custom.cellOptions').id = 'custom.cellOption'),
    [/a table panel has no setting `custom.cellOption`/]],
  ['a matcher is misspelt', 'order-api', 'Answers by status',
    (panel) => (panel.fieldConfig.overrides[0].matcher.id = 'byRegex'), [/Grafana has no matcher `byRegex`/]],
  ['a transformation is misspelt', 'slo', 'Objectives', (panel) => (panel.transformations[1].id = 'organise'),
    [/Grafana has no transformation `organise`/]],
  ['the queries of a table are not merged', 'slo', 'Objectives', (panel) => panel.transformations.shift(),
    [/one of 5 tables/]],
  ['a column is not in its place', 'slo', 'Objectives',
    (panel) => Object.assign(panel.transformations[1].options.indexByName, { slo: 1, job: 0 }),
    [/the columns are `Service`, `SLO`/]],
  ['a column has no title', 'slo', 'Objectives', (panel) => panel.fieldConfig.overrides.pop(),
    [/a column is shown under its raw name `Value #E`/]],
  ['steps do not ascend', 'overview', 'Burn rate',
    (panel) => (panel.fieldConfig.defaults.thresholds.steps[3].value = 2), [/do not ascend/]],
  ['a colour is misspelt', 'overview', 'Burn rate',
    (panel) => (panel.fieldConfig.defaults.thresholds.steps[3].color = 'rot'), [/Grafana has no colour `rot`/]],
  ['steps colour nothing', 'overview', 'Burn rate',
    (panel) => (panel.fieldConfig.defaults.color = { mode: 'fixed', fixedColor: 'blue' }), [/nothing shows the steps of/]],
  ['lines are switched off', 'sandbox', 'Success Rate',
    (panel) => (panel.fieldConfig.defaults.custom.thresholdsStyle.mode = 'off'), [/nothing shows the steps of success/, /at 90%/]],
  ['a line is off the axis', 'sandbox', 'Success Rate', (panel) => (panel.fieldConfig.defaults.max = 80),
    [/the line at 90% is off the axis/]],
  ['a limit moves, and the description does not', 'order-api', 'Latency',
    (panel) => (panel.fieldConfig.defaults.thresholds.steps[1].value = 0.3),
    [/mentions a dashed line at 250ms/, /does not mention the line at 300ms/]],
  ['a description names no amount', 'sandbox', 'Success Rate',
    (panel) => (panel.description += ' The dashed line is bad.'), [/"dashed line is bad/]],
  ['a field setting is misspelt', 'order-api', 'Latency', (panel) => (panel.fieldConfig.defaults.custom.lineWidht = 2),
    [/Grafana drops the field setting `custom.lineWidht`/, /lineWidht/]],
  ['an option is misspelt', 'order-api', 'Latency', (panel) => (panel.options.legend.showLegnd = true), [/showLegnd/]],
  ['an option has an unknown value', 'order-api', 'Latency', (panel) => (panel.options.legend.displayMode = 'grid'),
    [/"grid"/]],
  ['two hosts have one legend', 'host', 'Space in use', (panel) => (panel.targets[0].legendFormat = '{{mountpoint}}'),
    [/two series are called `mountpoint 1`/]],
  ['a panel is of an unknown kind', 'order-api', 'Latency', (panel) => (panel.type = 'graph'), [/no panel `graph`/]],
  ['a setting of the dashboard is misspelt', 'sandbox', 'Success Rate',
    (panel, dashboard) => (dashboard.refesh = '5s'), [/the whole: .*refesh/]],
];

test('the dashboards as they are committed are right', () => {
  assert.deepEqual(judge(all, states()), []);
});

for (const [mistake, uid, title, change, expected] of MISTAKES) {
  test(`found: ${mistake}`, () => {
    const found = after(uid, title, change);
    for (const pattern of expected) {
      assert.ok(found.some((each) => pattern.test(each)), `${pattern} is not in\n${found.join('\n')}`);
    }
  });
}

test('every amount that a text calls dashed is read', () => {
  const read = (text) => mentions(text).amounts;
  assert.deepEqual(read('Normal is below the dashed 90 %. More.'), ['90%']);
  assert.deepEqual(read('Dashed lines: 250 ms, 500 ms.'), ['250ms', '500ms']);
  assert.deepEqual(read('Between the dashed 1.50 s and 2 mins, all is well: 7 is not.'), ['1.5s', '2mins']);
  assert.deepEqual(read('Dashed lines: 1, 6, 14.4.'), ['1', '6', '14.4']);
  assert.deepEqual(read('Dashed line: just above 0.'), ['just above 0']);
  assert.deepEqual(read('Dashed line: $5. Dashed line: 2 K req/s.'), ['$5', '2Kreq/s']);
  assert.deepEqual(read('Above the dashed 1 the budget shrinks.'), ['1']);
  assert.deepEqual(read('No lines at 90 %.'), []);
  assert.equal(mentions('The dashed line is bad.').vague.length, 1);
});

test('the packages are of the version of Grafana that the chart installs', () => {
  assert.equal(version, deployed());
});
