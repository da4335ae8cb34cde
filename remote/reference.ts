/** @file What `hf:` and `hf://` references mean. Reads nothing. */
import { complain } from '../foundation/index.js';

/** A repository of the hub at a revision, and perhaps a file or a pattern in it. */
export interface Reference {
  /** As the user wrote it. */
  readonly text: string;
  readonly kind: 'model' | 'dataset';
  /** `ORG/NAME`, or `NAME` alone as old repositories have it. */
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** Empty for the whole repository. */
  readonly path: string;
}

/** Whether a string names something elsewhere: no path of this machine. */
export function isAddress(text: string): boolean {
  return /^(hf:|https?:\/\/)/i.test(text);
}

/** Whether a string is a reference to a model of the hub. */
export function isModelReference(text: string): boolean {
  return text.startsWith('hf:') && !text.startsWith('hf://');
}

/** Whether a string is a reference to data of the hub. */
export function isDataReference(text: string): boolean {
  return text.startsWith('hf://');
}

const NAME = /^[A-Za-z0-9][\w.-]*$/;

/**
 * `hf:ORG/NAME[@REVISION]`, or one file of it: `hf:ORG/NAME/FILE.gguf[@REVISION]`.
 * @throws HUB_REFERENCE
 */
export function modelReference(text: string): Reference {
  const [before = '', revision = 'main', ...more] = text.slice('hf:'.length).split('@');
  const parts = before.split('/');
  if (more.length > 0) bad(text);
  return checked({
    text,
    kind: 'model',
    name: parts.slice(0, 2).join('/'),
    revision,
    path: parts.slice(2).join('/'),
  });
}

/**
 * `hf://datasets/ORG/NAME[@REVISION][/PATH]`; a revision with slashes is `refs/…/…`, or has them as `%2F`.
 * @throws HUB_REFERENCE
 */
export function dataReference(text: string): Reference {
  const rest = /^hf:\/\/datasets\/(.+)$/.exec(text)?.[1] ?? bad(text);
  const found =
    /^([^/@]+(?:\/[^/@]+)?)@(refs\/[^/]+\/[^/]+|[^/]+)(?:\/(.*))?$/.exec(rest) ??
    /^([^/@]+(?:\/[^/@]+)?)()(?:\/(.*))?$/.exec(rest) ??
    bad(text);
  const [, name = '', revision = '', path = ''] = found;
  return checked({ text, kind: 'dataset', name, revision: decoded(revision || 'main', text), path });
}

/** The same reference at a commit. */
export function atCommit({ kind, name, path }: Reference, commit: string): string {
  const inside = path && `/${path}`;
  return kind === 'model' ? `hf:${name}${inside}@${commit}` : `hf://datasets/${name}@${commit}${inside}`;
}

/** Whether a revision is a commit, which never changes. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Whether a path of a repository stays inside the folder that it is put into, on any system. */
export function staysInside(path: string): boolean {
  const parts = path.split('/');
  // Windows takes a backslash for a slash, `C:` for a drive, and leaves out dots and spaces at a name's end.
  return (
    parts.every((part) => part !== '' && !/^\.+$|[\\:\0]|^\.\. |[. ]$/.test(part)) && path.length <= 1024
  );
}

function checked(reference: Reference): Reference {
  const { name, revision, path, text } = reference;
  const names = name.split('/');
  const named = names.length <= 2 && names.every((part) => NAME.test(part) && !/--|\.\./.test(part));
  if (!named || !staysInside(revision) || (path !== '' && !staysInside(path))) bad(text);
  return reference;
}

function decoded(revision: string, text: string): string {
  try {
    return decodeURIComponent(revision);
  } catch {
    return bad(text);
  }
}

function bad(text: string): never {
  return complain({
    code: 'HUB_REFERENCE',
    owner: text,
    expected:
      'hf:ORG/NAME[/FILE.gguf][@REVISION] for a model, or hf://datasets/ORG/NAME[@REVISION][/PATH] for data',
    got: 'something else',
    hint: 'write it in one of these ways',
  });
}
