/** @file Files that a user names: regular ones only, and whole texts only up to a size. Knows no file format. */
import { open, stat, type FileHandle } from 'node:fs/promises';

/** Twice the largest tokenizer.json known. */
export const LONGEST_TEXT = 2 ** 26;

/**
 * Opens a file to read. Pipes and devices are refused before they are opened: a pipe would wait for its writer, a
 * device might never end.
 * @throws what the operating system says; an Error with code EISDIR or ENOTFILE.
 */
export async function openFile(path: string): Promise<FileHandle> {
  const found = await stat(path);
  if (found.isDirectory()) throw Object.assign(new Error('a directory'), { code: 'EISDIR' });
  if (!found.isFile()) throw Object.assign(new Error('a pipe or device'), { code: 'ENOTFILE' });
  return open(path, 'r');
}

/**
 * A whole file as UTF-8.
 * @param longest in bytes.
 * @throws as {@link openFile}; an Error with code EFBIG where the file is longer.
 */
export async function readText(path: string, longest = LONGEST_TEXT): Promise<string> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size > longest)
      throw Object.assign(new Error(`${size} bytes, more than ${longest}`), { code: 'EFBIG' });
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
