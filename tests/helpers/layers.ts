/** @file The import order as data, and what breaks it. Reads nothing: edges come from `modules.ts`. */
import type { Import } from './modules.js';

/** What a folder may import: whole folders, and folders of which only types may be used. */
interface Layer {
  readonly values: readonly string[];
  readonly types?: readonly string[];
}

const LEAVES = ['foundation', 'formats'];
const ENGINE_ROOM = [...LEAVES, 'datasets', 'streams', 'engine'];
const ALL = [
  ...ENGINE_ROOM,
  'remote',
  'operators',
  'monitor',
  'recipes',
  'daemon',
  'watch',
  'fleet',
  'report',
  'sweeps',
  'organism',
  'commands',
  '.',
];

/** Bottom up. A folder that is missing here may not exist. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  foundation: { values: [] },
  formats: { values: ['foundation'] },
  remote: { values: LEAVES },
  datasets: { values: [...LEAVES, 'remote'] },
  streams: { values: LEAVES },
  engine: { values: LEAVES },
  operators: { values: ENGINE_ROOM },
  monitor: { values: [...LEAVES, 'streams'] },
  recipes: { values: [...LEAVES, 'remote', 'datasets'], types: ['engine', 'streams', 'operators'] },
  daemon: { values: [...LEAVES, 'monitor', 'recipes'], types: ['streams'] },
  watch: { values: [...LEAVES, 'streams', 'monitor', 'daemon'] },
  fleet: { values: [...LEAVES, 'streams', 'monitor', 'recipes', 'daemon'] },
  report: { values: LEAVES, types: ['streams', 'operators', 'recipes'] },
  sweeps: { values: [...LEAVES, 'recipes', 'report'], types: ['daemon'] },
  organism: { values: [...LEAVES, 'datasets'], types: ['recipes', 'operators'] },
  commands: { values: ALL.filter((folder) => folder !== '.') },
  '.': { values: ALL },
  testing: { values: [...ENGINE_ROOM, 'operators'] },
  bench: { values: [...ALL, 'testing'] },
  evidence: { values: ALL },
  tests: { values: [...ALL, 'testing', 'bench', 'evidence'] },
};

/** Packages that only some places may import, by prefix of the package and of the file. */
const CONFINED: readonly { readonly packages: RegExp; readonly to: RegExp; readonly places: string }[] = [
  { packages: /^(most|@most\/.*)$/, to: /^streams\//, places: 'streams' },
  { packages: /^(@tensorflow\/.*|onnxruntime-.*|onnx-proto)$/, to: /^engine\//, places: 'engine' },
  { packages: /^@huggingface\/hub$/, to: /^remote\//, places: 'remote' },
  { packages: /^fast-check$/, to: /^testing\//, places: 'testing' },
  { packages: /^(libsql|prom-client)$/, to: /^daemon\//, places: 'daemon' },
  { packages: /^(bullmq|ioredis|@aws-sdk\/.*)$/, to: /^fleet\//, places: 'fleet' },
  {
    packages: /^(apache-arrow|fzstd|hyparquet.*|parquet.*)$/,
    to: /^(datasets\/|monitor\/record)/,
    places: 'datasets and monitor/record',
  },
];

/** The top folder of a path; `.` for the files beside them. */
export function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] as string) : '.';
}

/** Imports that point upward or across, or at a folder that the table does not know. */
export function upward(imports: readonly Import[]): string[] {
  return imports.filter((each) => each.ours && !allowed(each)).map(describeImport);
}

function allowed({ from, to, typeOnly }: Import): boolean {
  const [importer, imported] = [folderOf(from), folderOf(to)];
  const layer = LAYERS[importer];
  if (!layer) return false;
  if (importer === imported || layer.values.includes(imported)) return true;
  return typeOnly && (layer.types?.includes(imported) ?? false);
}

/** Imports into another folder that bypass its `index.ts`, or that pull a folder's own `index.ts` into it. */
export function pastTheIndex(imports: readonly Import[]): string[] {
  const free = new Set(['tests', 'bench', 'evidence']);
  return imports.filter((each) => each.ours && bypasses(each, free)).map(describeImport);
}

function bypasses({ from, to }: Import, free: ReadonlySet<string>): boolean {
  const [importer, imported] = [folderOf(from), folderOf(to)];
  if (importer === imported) return importer !== '.' && to === `${imported}/index.ts`;
  if (free.has(importer) || imported === '.') return false;
  return !/^[^/]+(\/(models|light))?\/index\.ts$/.test(to);
}

/** Imports of confined packages from elsewhere; tests and benchmarks, which ship nothing, are free. */
export function strayPackages(imports: readonly Import[]): string[] {
  return imports
    .filter((each) => !each.ours && !['tests', 'bench', 'evidence'].includes(folderOf(each.from)))
    .filter((each) => CONFINED.some(({ packages, to }) => packages.test(each.to) && !to.test(each.from)))
    .map(describeImport);
}

/** Packages that are loaded as soon as a file is, through whatever it imports. */
export function loadedWith(file: string, imports: readonly Import[]): Set<string> {
  const [seen, packages] = [new Set([file]), new Set<string>()];
  for (const from of seen)
    for (const each of imports)
      if (each.from === from && !each.typeOnly && !each.later) (each.ours ? seen : packages).add(each.to);
  return packages;
}

/** The cycles of the import graph, each as the path that closes it. */
export function cycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const each of imports.filter((edge) => edge.ours))
    next.set(each.from, [...(next.get(each.from) ?? []), each.to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (path.includes(file) || done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

function describeImport({ from, to, typeOnly }: Import): string {
  return `${from} imports ${to}${typeOnly ? ' (types)' : ''}`;
}
