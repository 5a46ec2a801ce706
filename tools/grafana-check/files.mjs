// The checkout's dashboards, and what its metrics say about themselves.

import { readFileSync, readdirSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');

// Every dashboard.
export function dashboards() {
  const folder = 'dashboards/grafana/';
  const names = readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.json')).sort();
  return names.map((name) => JSON.parse(read(`${folder}${name}`)));
}

// The numbers that a metric may have, with their words, from its HELP: "State of the breaker: 0 closed, 1 half-open, 2 open".
// `up` is Prometheus's own.
export function states() {
  const all = { up: [[0, 'down'], [1, 'up']] };
  for (const service of ['edge', 'order-api', 'order-worker', 'user-service']) {
    for (const line of read(`services/${service}/tests/api/snapshots/metrics.txt`).split('\n')) {
      const list = line.match(/\b\d [a-z-]+(?:, \d [a-z-]+)+/)?.[0];
      if (list) all[line.split(' ')[0]] = list.split(', ').map((each) => [Number(each[0]), each.slice(2)]);
    }
  }
  return all;
}

// The version of Grafana that the lab installs on Kubernetes.
export const deployed = () => read('deploy/helm/sre-lab/values.yaml').match(/grafana\/grafana:([\d.]+)@/)?.[1];
