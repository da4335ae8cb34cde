/** @file Turns what the schema finds wrong into one error that says where, what was expected and what was meant. */
import { z } from 'zod';
import { complain, nearMatches } from '../foundation/index.js';
import { recipeSchema, type Recipe } from './schema.js';

/**
 * Checks a recipe.
 * @param owner who is to blame in messages: `recipe tiny`.
 * @throws RECIPE_UNKNOWN_KEY, RECIPE_INVALID
 */
export function checkRecipe(candidate: unknown, owner: string): Recipe {
  const result = recipeSchema.safeParse(candidate);
  if (result.success) return result.data;
  return explain(
    result.error.issues.flatMap((issue) => chosen(issue, candidate)),
    candidate,
    owner,
  );
}

/** Of a union, the issues of the member that the candidate looks like: the list, where it is one. */
function chosen(issue: z.core.$ZodIssue, candidate: unknown): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const value = valueAt(candidate, issue.path);
  const member = issue.errors.find((issues) =>
    issues.every(({ path, code }) => path.length > 0 || code !== 'invalid_type'),
  );
  if (!member || typeof value !== 'object') return [issue];
  return member
    .map((each) => ({ ...each, path: [...issue.path, ...each.path] }))
    .flatMap((each) => chosen(each, candidate));
}

function valueAt(candidate: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key],
    candidate,
  );
}

function explain(issues: readonly z.core.$ZodIssue[], candidate: unknown, owner: string): never {
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown) return refuseKey(unknown, candidate, owner);
  const issue = issues[0];
  const path = issue?.path ?? [];
  const where = path.join('.') || 'the recipe';
  const got = valueAt(candidate, path);
  return complain({
    code: 'RECIPE_INVALID',
    owner,
    expected: `a valid ${where} (${issue?.message ?? 'see the schema'})`,
    got: got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 200),
    hint: `correct ${where}`,
  });
}

function refuseKey(issue: z.core.$ZodIssueUnrecognizedKeys, candidate: unknown, owner: string): never {
  const key = issue.keys[0] ?? '';
  const known = keysAt(recipeSchema, issue.path, candidate);
  const near = nearMatches(key, known);
  const whole = [...issue.path, key].join('.').slice(0, 200);
  return complain({
    code: 'RECIPE_UNKNOWN_KEY',
    owner,
    expected: `keys among ${known.join(', ')}${issue.path.length > 0 ? ` in ${issue.path.join('.')}` : ''}`,
    got: whole,
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'remove it',
  });
}

/** The keys that the schema knows at a path; in a union, those of the member that the candidate's `kind` chooses. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[], candidate: unknown): string[] {
  const inner = unwrap(schema, candidate);
  const [head, ...rest] = path;
  if (inner instanceof z.ZodArray)
    return head === undefined ? [] : keysAt(inner.element, rest, valueAt(candidate, [head]));
  if (!(inner instanceof z.ZodObject)) return [];
  if (head === undefined) return Object.keys(inner.shape);
  const next = inner.shape[head as string] as z.core.$ZodType | undefined;
  return next ? keysAt(next, rest, (candidate as Record<PropertyKey, unknown> | undefined)?.[head]) : [];
}

function unwrap(schema: z.core.$ZodType, candidate: unknown): z.core.$ZodType {
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodExactOptional)
    return unwrap(schema.def.innerType, candidate);
  if (schema instanceof z.ZodUnion && !(schema instanceof z.ZodDiscriminatedUnion)) {
    const list = Array.isArray(candidate);
    return schema.options.find((option) => option instanceof z.ZodArray === list) ?? schema;
  }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const kind = (candidate as { kind?: unknown } | undefined)?.kind;
    const chosen = schema.options.find(
      (option) => option instanceof z.ZodObject && (option.shape['kind'] as z.ZodLiteral).value === kind,
    );
    return chosen ?? schema;
  }
  return schema;
}
