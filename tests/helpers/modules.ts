/** @file Reads every import of the project's own source, by syntax tree, as a list of edges. Knows no rules. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import ts from 'typescript';

/** One import, export-from, `import()` or `require` in one file. */
export interface Import {
  /** Path of the importing file from the root, e.g. `operators/run.ts`. */
  readonly from: string;
  /** Path of the imported file from the root, or the package's name, e.g. `hyparquet`. */
  readonly to: string;
  /** True for files of ours, false for packages and node's own modules. */
  readonly ours: boolean;
  /** True where only types cross. */
  readonly typeOnly: boolean;
  /** True for `import()` and `require`: loaded when the call runs. */
  readonly later?: boolean;
}

const SKIP = new Set(['node_modules', 'dist', 'runs', 'coverage', '.git', 'fixtures']);

/** TypeScript files below the root, as paths from it. */
export function sourceFiles(root: string, folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIP.has(entry.name) ? [] : sourceFiles(root, path);
    return /(?<!\.d)\.ts$/.test(entry.name) && entry.name !== 'vitest.config.ts'
      ? [relative(root, path)]
      : [];
  });
}

/** Every import of every source file below the root. */
export function readImports(root: string): Import[] {
  return sourceFiles(root).flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
}

/** The imports of one file's text. */
export function importsOf(from: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, later = false): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    found.push({ ...resolve(from, specifier.text, typeOnly), ...(later && { later }) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, onlyTypes(node.importClause));
    else if (ts.isExportDeclaration(node))
      add(node.moduleSpecifier, node.isTypeOnly || onlyTypeExports(node));
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && isLoad(node.expression)) add(node.arguments[0], false, true);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(from, text, ts.ScriptTarget.Latest, true));
  return found;
}

function isLoad(callee: ts.Expression): boolean {
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
  );
}

function onlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  if (clause.name || !named || !ts.isNamedImports(named)) return false;
  return named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly);
}

function onlyTypeExports(node: ts.ExportDeclaration): boolean {
  const clause = node.exportClause;
  if (!clause || !ts.isNamedExports(clause)) return false;
  return clause.elements.length > 0 && clause.elements.every((element) => element.isTypeOnly);
}

function resolve(from: string, specifier: string, typeOnly: boolean): Import {
  if (!specifier.startsWith('.')) return { from, to: packageName(specifier), ours: false, typeOnly };
  const path = posix.normalize(posix.join(posix.dirname(from), specifier));
  const typescript = path.replace(/\.js$/, '.ts');
  return { from, to: existsSync(path) ? path : typescript, ours: true, typeOnly };
}

function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] as string);
}
