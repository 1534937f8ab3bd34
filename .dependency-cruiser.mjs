/**
 * The floors of the house, from the ground up: a folder of src/ imports only from the folders below it. `make lint` fails otherwise.
 * This list is the one place that has the order.
 */
const FLOORS = [
  'version.ts',
  'text/',
  'telemetry/',
  'intervals/',
  'kubernetes/',
  'helm/',
  'policy/',
  'rules/',
  'facts/',
  'events/',
  'admission/',
  'certificates/',
  'drift/',
  'server/',
  'serve/',
  'serve.ts',
  'cli/',
  'main.ts',
];

const pathOf = (names) => `^src/(${names.map((name) => name.replace('.', '\\.')).join('|')})`;

const nothingFromAbove = FLOORS.slice(0, -1).map((floor, index) => ({
  name: `${floor} imports nothing from above`,
  severity: 'error',
  from: { path: pathOf([floor]) },
  to: { path: pathOf(FLOORS.slice(index + 1)) },
}));

export default {
  forbidden: [
    ...nothingFromAbove,
    {
      name: 'every folder has its floor',
      comment: 'A new folder of src/ is added to FLOORS.',
      severity: 'error',
      from: { path: '^src/', pathNot: pathOf(FLOORS) },
      to: {},
    },
    {
      name: 'no circle of files',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'rules are pure',
      comment: 'A rule gets facts and the time as values. It asks no clock, no network, no file and no cluster.',
      severity: 'error',
      from: { path: '^src/rules/' },
      to: {
        path: '^(node:)?(fs|net|tls|http|https|timers|child_process|worker_threads|process)|/(undici|express|pino|piscina|@kubernetes)/|^src/kubernetes/(?!object\\.ts)',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
