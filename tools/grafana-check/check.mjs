// Prints what Grafana would not draw as the dashboards say, and exits with 1 if there is anything.

import { exit } from 'node:process';
import { dashboards, states } from './files.mjs';
import { version } from './grafana.mjs';
import { judge, panelsOf } from './judge.mjs';

const all = dashboards();
const wrong = judge(all, states());
for (const { dashboard, panel, problem } of wrong) console.log(`${dashboard}: ${panel}: ${problem}`);
const panels = all.flatMap(panelsOf).length;
console.log(`${panels} panels of ${all.length} dashboards, judged by the code of Grafana ${version}: ${wrong.length} wrong`);
exit(wrong.length > 0 || panels === 0 ? 1 : 0);
