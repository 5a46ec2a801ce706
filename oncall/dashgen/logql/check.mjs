// Checks LogQL: reads a JSON array of `{ "expr": …, "draws": "lines", "numbers" or null }` from standard input, prints each
// wrong query with the position of the problem and what was expected there, and exits with 1 if there is one.
//
// The grammar is Grafana's, Apache-2.0; Loki's own parser is AGPL, and nothing here links it. Grammar 0.4 requires Node 24
// and differs from 0.3 only in `approx_topk`.

import { readFileSync } from 'node:fs';
import { exit } from 'node:process';
import { refusals } from './refusals.mjs';
import { parse } from './syntax.mjs';

function problems({ expr, draws }) {
  const { tree, problem } = parse(expr);
  if (problem) return [problem];
  const returns = tree.topNode.getChild('Expr').getChild('LogExpr') ? 'lines' : 'numbers';
  const other = draws && draws !== returns ? [{ at: 0, message: `the panel draws ${draws}, and this returns ${returns}` }] : [];
  return [...other, ...refusals(expr, tree)];
}

// The line of the query with a marker below the position. A query may have several lines.
function report(query, { at, message }) {
  const before = query.slice(0, at).split('\n');
  const column = before.at(-1).length;
  const where = before.length > 1 ? `line ${before.length}, column ${column + 1}` : `column ${column + 1}`;
  return `${query.split('\n')[before.length - 1]}\n${' '.repeat(column)}^ ${where}: ${message}`;
}

const queries = JSON.parse(readFileSync(0, 'utf8'));
let wrong = 0;
for (const query of queries) {
  const found = problems(query);
  wrong += found.length > 0 ? 1 : 0;
  for (const problem of found) console.log(report(query.expr, problem));
}
console.log(`${queries.length} queries read, ${wrong} wrong`);
exit(wrong > 0 ? 1 : 0);
