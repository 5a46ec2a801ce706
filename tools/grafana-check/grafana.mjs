// Grafana's published code, loaded without a browser, and its registries filled. Only packages under the Apache licence are
// used: Grafana's server and its panels are AGPL, and nothing here links them.

import { createRequire } from 'node:module';

const packages = new URL('../../target/tools/grafana-check/', import.meta.url);
export const require = createRequire(new URL('package.json', packages));

// What the packages ask of a browser when they are loaded.
globalThis.window ??= { addEventListener() {}, localStorage: {}, location: {} };
globalThis.navigator ??= { languages: ['en-US'] };
// The translation library prints an advertisement.
console.info = () => {};

export const grafana = require('@grafana/data');
export const version = require('@grafana/data/package.json').version;
export const theme = grafana.createTheme({ colors: { mode: 'dark' } });

// The settings that every field has. Their names and processors are published; the table that joins them is part of
// Grafana's server.
const PROCESSORS = {
  actions: grafana.identityOverrideProcessor,
  color: grafana.identityOverrideProcessor,
  decimals: grafana.numberOverrideProcessor,
  displayName: grafana.displayNameOverrideProcessor,
  fieldMinMax: grafana.booleanOverrideProcessor,
  filterable: grafana.booleanOverrideProcessor,
  links: grafana.dataLinksOverrideProcessor,
  mappings: grafana.valueMappingsOverrideProcessor,
  max: grafana.numberOverrideProcessor,
  min: grafana.numberOverrideProcessor,
  noValue: grafana.stringOverrideProcessor,
  thresholds: grafana.thresholdsOverrideProcessor,
  unit: grafana.unitOverrideProcessor,
};

function setting(id) {
  const process = PROCESSORS[id];
  if (!process) throw new Error(`Grafana ${version} has a new field setting, ${id}: add its processor`);
  const shouldApply = (field) => !['max', 'min'].includes(id) || field.type === grafana.FieldType.number;
  return { id, path: id, name: id, process, shouldApply };
}

grafana.standardFieldConfigEditorRegistry.setInit(() => Object.values(grafana.FieldConfigProperty).map(setting));
// One of them is published under two names.
const transformers = new Map(Object.values(grafana.standardTransformers).map((each) => [each.id, each]));
grafana.standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map((each) => ({ id: each.id, name: each.name, transformation: each })),
);

// The panel plugin with these settings of its own, as Grafana keeps it.
export function plugin(settings) {
  const custom = (builder) => {
    for (const path of settings) {
      const process = grafana.identityOverrideProcessor;
      builder.addCustomEditor({ id: path, path, name: path, process, shouldApply: () => true });
    }
  };
  return new grafana.PanelPlugin(() => null).useFieldConfig({ useCustomConfig: custom });
}

// Ids of all units that Grafana offers.
export const UNITS = new Set(grafana.getValueFormats().flatMap((group) => group.submenu.map((unit) => unit.value)));
