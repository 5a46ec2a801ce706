// The types of dashboards and panels that Grafana publishes in @grafana/schema, asked by TypeScript's compiler: which settings
// a panel has, and whether a dashboard uses only those, with values that they may have.

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { require } from './grafana.mjs';

const ts = require('typescript');
const types = join(dirname(require.resolve('@grafana/schema/package.json')), 'dist/types');
const DASHBOARD = join(types, 'raw/dashboard/x/dashboard_types.gen');

// Where the types of a panel are; undefined if Grafana has no such panel.
function file(panel) {
  const folder = join(types, 'raw/composable', panel.toLowerCase().replaceAll('-', ''), 'panelcfg/x');
  try {
    const name = readdirSync(folder).find((each) => each.endsWith('_types.gen.d.ts'));
    return join(folder, name.replace(/\.d\.ts$/, ''));
  } catch {
    return undefined;
  }
}

export const known = (panel) => panel === 'row' || file(panel) !== undefined;

// Compiles a text; returns its checker and source. Nothing is written.
function compile(text) {
  const name = join(types, 'check.ts');
  const options = { noEmit: true, skipLibCheck: true, strict: true, types: [], lib: ['lib.es2022.d.ts'] };
  options.moduleResolution = ts.ModuleResolutionKind.Bundler;
  options.module = ts.ModuleKind.ESNext;
  options.target = ts.ScriptTarget.ES2022;
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (path) => path === name || fileExists.call(host, path);
  host.readFile = (path) => (path === name ? text : readFile.call(host, path));
  host.getSourceFile = (path, ...rest) =>
    path === name ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : getSourceFile.call(host, path, ...rest);
  const program = ts.createProgram([name], options, host);
  return { program, source: program.getSourceFile(name) };
}

const imported = (panels) =>
  panels.map((panel, at) => `import * as p${at} from ${JSON.stringify(file(panel))};`).join('\n');

// The names of the settings that a field of each of these panels has besides the standard ones.
export function settings(panels) {
  const { program, source } = compile(imported(panels));
  const checker = program.getTypeChecker();
  const found = {};
  source.statements.forEach((statement, at) => {
    const module = checker.getSymbolAtLocation(statement.moduleSpecifier);
    const type = checker.getExportsOfModule(module).find((symbol) => symbol.name === 'FieldConfig');
    const declared = type ? checker.getDeclaredTypeOfSymbol(type) : undefined;
    found[panels[at]] = declared ? checker.getPropertiesOfType(declared).map((property) => property.name) : [];
  });
  return found;
}

// In JSON an enum is one of its strings, and Grafana fills in what is not set.
const JSON_OF = `type Json<T> = T extends string ? \`\${T}\` : T extends number ? T
  : T extends (infer E)[] ? Json<E>[] : T extends object ? { [K in keyof T]?: Json<T[K]> } : T;`;

// What a data source keeps in annotations and variables; its types are its own.
const OF_DATA_SOURCES =
  '{ annotations?: { list?: Record<string, unknown>[] }, templating?: { list?: { definition?: string }[] } }';

// What in these values their types do not allow: [{ of, message }]. Each value is { of, type, value }, where type is
// "dashboard", or "options" or "custom" of the panel named `panel`.
export function misfits(values) {
  const panels = [...new Set(values.map((each) => each.panel).filter(Boolean))];
  const type = ({ type, panel }) => {
    const module = `p${panels.indexOf(panel)}`;
    if (type === 'dashboard') return `Json<dashboard.Dashboard> & ${OF_DATA_SOURCES}`;
    return type === 'options' ? `Json<${module}.Options>` : `Json<${module}.FieldConfig>`;
  };
  // One line for each value, so that the line of an error tells which it is.
  const whole = `import * as dashboard from ${JSON.stringify(DASHBOARD)};`;
  const head = `${imported(panels)}\n${whole}\n${JSON_OF.replaceAll('\n', ' ')}\n`;
  const lines = values.map((each, at) => `const v${at}: ${type(each)} = ${JSON.stringify(each.value)};`);
  const { program, source } = compile(head + lines.join('\n') + '\nexport {};');
  const before = head.split('\n').length - 1;
  return program.getSemanticDiagnostics(source).map((problem) => {
    const line = source.getLineAndCharacterOfPosition(problem.start).line - before;
    const message = ts.flattenDiagnosticMessageText(problem.messageText, ' ');
    return { of: values[line]?.of, message };
  });
}
