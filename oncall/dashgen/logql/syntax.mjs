// Parses a query. Lezer's parsers are made for editors: they repair errors and continue. In strict mode they stop at the
// first error instead, but do not say what would be valid there: that is found by trying.

import { parser } from '@grafana/lezer-logql';

const strict = parser.configure({ strict: true });

// What can come next, in words, and sample texts. A kind is possible if one of its texts is read to its end.
const KINDS = [
  ['a stream selector {…}', ['{']],
  ['a label', ['x']],
  ['a quoted text', ['"x"']],
  ['a number', ['1']],
  ['a duration such as 5m', ['5m']],
  ['a function such as rate(…)', ['rate(', 'sum(']],
  ['a stage such as json', ['logfmt', 'line_format']],
  ['a filter such as |= "x"', ['|=']],
  ['`|`', ['| json']],
  ['a range such as [5m]', ['[']],
  ['a matcher such as =', ['=']],
  ['a comparison such as >', ['>']],
  ['an operator such as /', ['/']],
  ['`(`', ['(']],
  ['`)`', [')']],
  ['`}`', ['}']],
  ['`]`', [']']],
  ['`,`', [',']],
];

// The tree, or the position where parsing fails.
function read(query) {
  let tree;
  try {
    tree = strict.parse(query);
  } catch (error) {
    const place = /^No parse at (\d+)$/.exec(error.message);
    if (!place) throw error;
    return { at: Number(place[1]) };
  }
  // The parser accepts a query that ends inside `sum({…}`, and leaves its pieces side by side at the top.
  const pieces = [];
  for (let node = tree.topNode.firstChild; node; node = node.nextSibling) pieces.push(node.name);
  const whole = pieces.filter((name) => name !== 'LineComment').join() === 'Expr';
  return whole ? { tree } : { at: query.length };
}

function possible(before, text) {
  const { at } = read(`${before} ${text}`);
  return at === undefined || at >= before.length + 1 + text.length;
}

function expected(before) {
  const words = KINDS.filter(([, texts]) => texts.some((text) => possible(before, text))).map(([word]) => word);
  if (read(before).tree) words.push('the end');
  return words.join(', ');
}

/// The tree of a query, or the position where parsing fails and what would be valid there.
export function parse(query) {
  const { tree, at: stopped } = read(query);
  if (tree) return { tree };
  // The position of the offending word, not of the white space before it.
  const at = stopped + /^\s*/.exec(query.slice(stopped))[0].length;
  const found = /^(?:[\w$]+|.)?/su.exec(query.slice(at))[0];
  return { problem: { at, message: `expected ${expected(query.slice(0, at))}; found ${found || 'the end'}` } };
}
