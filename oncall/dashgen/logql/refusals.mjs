// Queries that the grammar accepts and Loki rejects: some when it parses a query, the rest when it prepares to run it. One
// rule per kind of node; it returns undefined, or the problem, or the problem and the inner node where it is.

import { expression, groups, pattern, template, unquote } from './text.mjs';

const COUNTS_LINES = ['CountOverTime', 'BytesOverTime', 'BytesRate'];
const COUNTS_EITHER = ['Rate', 'AbsentOverTime'];
const GROUPED = [
  ...['AvgOverTime', 'MaxOverTime', 'MinOverTime', 'FirstOverTime', 'LastOverTime'],
  ...['StddevOverTime', 'StdvarOverTime', 'QuantileOverTime'],
];

const has = (node, name) => node.getChild(name) !== null;

function all(node, name) {
  const found = [];
  node.cursor().iterate((inner) => {
    if (inner.name === name) found.push(inner.node);
  });
  return found;
}

// `{a=~".*"}` would read everything that is stored: one matcher must reject series without the label.
function selector(node, text) {
  const narrows = all(node, 'Matcher').some((matcher) => {
    const { value } = unquote(text(matcher.getChild('String')));
    if (has(matcher, 'Eq')) return value !== '';
    if (has(matcher, 'Neq')) return value === '';
    // An invalid expression is a problem of its own.
    const regexp = expression(value ?? '+').value;
    return regexp === undefined || regexp.test('') === has(matcher, 'Nre');
  });
  return narrows ? undefined : 'a selector needs a matcher that rejects the empty value, such as =~".+"';
}

function overTime(node, text) {
  const [name, kind] = [text(node.getChild('RangeOp')), node.getChild('RangeOp').firstChild.name];
  const unwraps = all(node, 'UnwrapExpr').length > 0;
  const numbered = has(node, 'Number');
  if (numbered && kind !== 'QuantileOverTime') return `${name} takes no number`;
  if (!numbered && kind === 'QuantileOverTime') return `${name} needs a number first, such as 0.95`;
  if (has(node, 'Grouping') && !GROUPED.includes(kind)) return `${name} cannot be grouped; put sum by (…) around it`;
  if (unwraps && COUNTS_LINES.includes(kind)) return `${name} counts lines, and takes no unwrap`;
  const free = COUNTS_LINES.includes(kind) || COUNTS_EITHER.includes(kind);
  return unwraps || free ? undefined : `${name} needs a number of each line: | unwrap label`;
}

function aggregation(node, text) {
  const [name, kind] = [text(node.getChild('VectorOp')), node.getChild('VectorOp').firstChild.name];
  const number = node.getChild('Number');
  if (['Topk', 'Bottomk'].includes(kind)) {
    const whole = number && /^[1-9]\d*$/.test(text(number));
    return whole ? undefined : `${name} needs a whole number above 0 first`;
  }
  if (number) return `${name} takes no number`;
  return kind.startsWith('Sort') && has(node, 'Grouping') ? `${name} cannot be grouped` : undefined;
}

// The grammar allows adding up lines. Loki requires numbers on both sides.
function operation(node) {
  const operands = node.getChildren('Expr');
  const lines = operands.find((operand) => has(operand, 'LogExpr'));
  if (lines) return ['an operator needs numbers on both sides, and this returns lines: put rate(…[5m]) around it', lines];
  const literal = operands.find((operand) => operand.getChild('MetricExpr')?.firstChild.name === 'LiteralExpr');
  const ofSets = ['And', 'Or', 'Unless'].some((name) => has(node, name));
  return literal && ofSets ? ['and, or, unless compare series, and this is a number', literal] : undefined;
}

function duration(node, text) {
  const length = node.getChild('Duration');
  const sign = node.name === 'OffsetExpr' ? '-?' : '';
  const good = new RegExp(`^${sign}(?:\\d+(?:ms|[ywdhms]))+$`).test(text(length));
  return good ? undefined : ['a duration has whole numbers and the units ms, s, m, h, d, w, y', length];
}

// Passes the value of the last quoted text inside this node to `judge`. A wrong escape is reported by the rule for texts.
function judged(node, text, judge) {
  const quoted = node.getChildren('String').at(-1);
  const { value } = quoted ? unquote(text(quoted)) : {};
  const problem = value === undefined ? undefined : judge(value);
  return problem ? [problem, quoted] : undefined;
}

const regular = (source) => expression(source).problem;

function captures(source) {
  const names = groups(source);
  if (new Set(names).size < names.length) return 'the expression has two groups with the same name';
  const problem = regular(source);
  return problem ?? (names.length === 0 ? 'the expression has no named group: (?P<label>…)' : undefined);
}

// `|~ "a" or "b"`: each alternative is an expression.
function lineFilter(node, text) {
  const filter = node.getChild('Filter');
  if (!has(filter, 'PipeMatch') && !has(filter, 'Nre')) return undefined;
  const alternatives = [node, ...all(node, 'OrFilter')];
  return alternatives.map((each) => judged(each, text, regular)).find(Boolean);
}

function labelFormat(node, text) {
  const names = all(node, 'LabelFormatMatcher').map((each) => text(each.getChild('Identifier')));
  const twice = names.find((name, n) => names.indexOf(name) < n);
  return twice && `the label ${twice} is set twice`;
}

const RULES = {
  Selector: selector,
  RangeAggregationExpr: overTime,
  VectorAggregationExpr: aggregation,
  BinOpExpr: operation,
  Range: duration,
  OffsetExpr: duration,
  LabelParser: (node, text) => judged(node, text, has(node, 'Pattern') ? pattern : captures),
  LineFilter: lineFilter,
  LineFormatExpr: (node, text) => judged(node, text, template),
  LabelFormatExpr: labelFormat,
  LabelFormatMatcher: (node, text) => judged(node, text, template),
  LabelReplaceExpr: (node, text) => judged(node, text, regular),
  Matcher: (node, text) => (has(node, 'Re') || has(node, 'Nre') ? judged(node, text, regular) : undefined),
  String: (node, text) => unquote(text(node)).problem,
};

/// Every reason why Loki would reject the query of this tree.
export function refusals(query, tree) {
  const text = (node) => query.slice(node.from, node.to);
  const problems = [];
  tree.cursor().iterate((visited) => {
    const found = RULES[visited.name]?.(visited.node, text);
    if (found === undefined) return;
    const [message, node] = Array.isArray(found) ? found : [found, visited];
    problems.push({ at: node.from, message });
  });
  return problems;
}
