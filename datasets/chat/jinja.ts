/** @file Renders Jinja templates as transformers does, within limits: a template may come from anybody. Knows nothing about chats. */
import * as library from '@huggingface/jinja';
import { strftime } from './strftime.js';

/** What one rendering may cost. A large conversation costs a hundredth of it. */
const LIMITS = {
  /** UTF-16 units of a template's source, ten times the longest that is known: parsing takes hundreds of bytes for each. */
  source: 2 ** 18,
  /** Evaluated expressions and statements: about a second's worth. */
  steps: 2_000_000,
  /** What an entry that a loop goes over counts for, even where the loop does nothing with it. */
  stepsPerEntry: 10,
  /** UTF-16 units of one text. */
  text: 2 ** 24,
  /** UTF-16 units of all texts that were made on the way. */
  texts: 2 ** 28,
  /** Entries of one list or record. */
  entries: 2 ** 20,
  /** Entries of all that were made on the way. */
  allEntries: 2 ** 24,
  /** As in the sandbox that transformers uses. */
  range: 100_000,
} as const;

type Variables = Readonly<Record<string, unknown>>;

/** The part of the library that is used; its own types do not resolve under Node's module resolution. */
interface Environment {
  set(name: string, value: unknown): Evaluated;
}
interface Evaluated {
  readonly value: unknown;
}
interface Node {
  readonly type: string;
}
interface Interpreter {
  run(program: Node): Evaluated;
  evaluate(node: Node | undefined, environment: Environment): Evaluated;
}
const { Environment, Interpreter, parse, tokenize } = library as unknown as {
  readonly Environment: new () => Environment;
  readonly Interpreter: new (environment: Environment) => Interpreter;
  readonly tokenize: (
    source: string,
    options: { readonly lstrip_blocks: true; readonly trim_blocks: true },
  ) => unknown;
  readonly parse: (tokens: unknown) => Node;
};

/**
 * Compiles a template.
 * @returns renders it with these variables beside the usual ones (`raise_exception`, `strftime_now`, `range`, …).
 * @throws Error where it does not parse; rendering throws what the template raises, and where it exceeds the limits.
 */
export function compileTemplate(source: string): (variables: Variables, now?: Date) => string {
  if (source.length > LIMITS.source) exceeded('characters of a template', LIMITS.source);
  const program = parse(tokenize(plainTags(source), { lstrip_blocks: true, trim_blocks: true }));
  return (variables, now = new Date()) => {
    const environment = new Environment();
    const globals = { ...CONSTANTS, raise_exception: raise, range, ...variables };
    for (const [name, value] of Object.entries(globals)) environment.set(name, value);
    environment.set('strftime_now', (format: unknown) => strftime(now, String(format)));
    return String(new LimitedInterpreter(environment).run(program).value);
  };
}

const CONSTANTS = { true: true, false: false, none: null, True: true, False: false, None: null } as const;

class LimitedInterpreter extends Interpreter {
  private steps = 0;
  private texts = 0;
  private entries = 0;
  /** What loops go over. */
  private readonly looped = new WeakSet<Node>();

  override evaluate(node: Node | undefined, environment: Environment): Evaluated {
    if (++this.steps > LIMITS.steps) exceeded('steps', LIMITS.steps);
    if (node?.type === 'For') this.looped.add(iterableOf(node as Loop));
    const result = stripped(this, node, environment) ?? super.evaluate(node, environment);
    const value: unknown = result.value;
    if (typeof value === 'string') {
      this.texts += value.length;
      if (value.length > LIMITS.text) exceeded('characters of text', LIMITS.text);
      if (this.texts > LIMITS.texts) exceeded('characters of text on the way', LIMITS.texts);
    } else {
      const entries = entriesOf(value);
      this.entries += entries;
      if (entries > LIMITS.entries) exceeded('entries of a list', LIMITS.entries);
      if (this.entries > LIMITS.allEntries) exceeded('entries on the way', LIMITS.allEntries);
      if (node && this.looped.has(node)) this.steps += LIMITS.stepsPerEntry * entries;
    }
    return result;
  }
}

/** Texts of `{% generation %}` are marked for others; here they are text like any other. Its tags still trim what is around them. */
function plainTags(source: string): string {
  return source
    .replace(/\{%([-+]?)\s*generation\s*([-+]?)%\}/g, '{%$1 if true $2%}')
    .replace(/\{%([-+]?)\s*endgeneration\s*([-+]?)%\}/g, '{%$1 endif $2%}');
}

/** A loop as the parser leaves it; with an `if`, it goes over a selection. */
interface Loop extends Node {
  readonly iterable: Node & { readonly lhs?: Node };
}

function iterableOf({ iterable }: Loop): Node {
  return iterable.type === 'SelectExpression' && iterable.lhs ? iterable.lhs : iterable;
}

/** A call as the parser leaves it. */
interface Call extends Node {
  readonly args: readonly Node[];
  readonly callee: { readonly object?: Node; readonly property?: { readonly value?: unknown } };
}

/** `text.strip(characters)`: the library's own strips white space whatever it is told. Undefined for anything else. */
function stripped(
  interpreter: Interpreter,
  node: Node | undefined,
  environment: Environment,
): Evaluated | undefined {
  if (node?.type !== 'CallExpression') return undefined;
  const { args, callee } = node as Call;
  const method = callee.property?.value;
  if (args.length !== 1 || (method !== 'strip' && method !== 'lstrip' && method !== 'rstrip'))
    return undefined;
  const text: unknown = interpreter.evaluate(callee.object, environment).value;
  const characters: unknown = interpreter.evaluate(args[0], environment).value;
  if (typeof text !== 'string' || typeof characters !== 'string') return undefined;
  const units = Array.from(text);
  let [start, end] = [0, units.length];
  if (method !== 'rstrip') while (start < end && characters.includes(units[start] as string)) start++;
  if (method !== 'lstrip') while (end > start && characters.includes(units[end - 1] as string)) end--;
  return new Environment().set('', units.slice(start, end).join(''));
}

function raise(message: unknown): never {
  throw new Error(String(message));
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (step === 0) throw new Error('range() step must not be zero');
  if (length > LIMITS.range) exceeded('numbers in a range', LIMITS.range);
  return Array.from({ length }, (_, at) => from + at * step);
}

function entriesOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 0;
}

function exceeded(what: string, limit: number): never {
  throw new Error(`more than ${limit} ${what}`);
}
