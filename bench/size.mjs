/** @file The complexity budget: fails above 250 lines a file or 60 a function; prints what each folder spends. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

const LIMIT = { file: 250, function: 60 };
const SKIP = new Set(['node_modules', 'dist', 'runs', 'coverage', '.git', 'fixtures', 'vendor']);
const root = join(import.meta.dirname, '..');

/** Source files below a folder, tests included. */
function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIP.has(entry.name)) yield* sources(path);
    else if (entry.isFile() && /(?<!\.d)\.(ts|js|mjs)$/.test(entry.name)) yield path;
  }
}

/** Functions of a file with their lines, the way eslint's `max-lines-per-function` counts them. */
function functions(file) {
  const found = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const first = file.getLineAndCharacterOfPosition(node.getStart(file)).line;
      const last = file.getLineAndCharacterOfPosition(node.end).line;
      found.push({
        name: node.name?.getText(file) ?? '(anonymous)',
        line: first + 1,
        lines: last - first + 1,
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function measure(path) {
  const text = readFileSync(path, 'utf8');
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const name = relative(root, path);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { name, folder: name.includes('/') ? name.split('/')[0] : '.', lines, functions: functions(file) };
}

/** Complaints about one file; the functions of tests are stories and may be long. */
function excess({ name, lines, functions: all }) {
  const complaints =
    lines > LIMIT.file ? [`${name}: ${lines} lines, at most ${LIMIT.file}; split it by concept`] : [];
  if (name.startsWith('tests/')) return complaints;
  const long = all.filter((each) => each.lines > LIMIT.function);
  return complaints.concat(
    long.map((each) => `${name}:${each.line} ${each.name}: ${each.lines} lines, at most ${LIMIT.function}`),
  );
}

function table(files) {
  for (const folder of [...new Set(files.map((file) => file.folder))].sort()) {
    const members = files.filter((file) => file.folder === folder);
    const lines = members.map((file) => file.lines);
    const total = lines.reduce((sum, count) => sum + count, 0);
    const cells = [members.length, total, Math.max(...lines)].map((cell) => String(cell).padStart(9));
    console.log(folder.padEnd(12) + cells.join(''));
  }
}

const files = [...sources(root)].map(measure);
const complaints = files.flatMap(excess);
console.log('folder'.padEnd(12) + ['files', 'lines', 'longest'].map((cell) => cell.padStart(9)).join(''));
table(files);
for (const complaint of complaints) console.error(`size: ${complaint}`);
process.exitCode = complaints.length > 0 ? 1 : 0;
