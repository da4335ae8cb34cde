/** @file Where the messages of an Arrow IPC file or stream lie, from their headers alone. Reads no values. */
import { Message, type Schema } from 'apache-arrow';
import { Footer } from 'apache-arrow/ipc/metadata/file';
import type { FileHandle } from 'node:fs/promises';
import { checkFooter, checkMessageHeader } from './arrow.header.js';

const MAGIC = 'ARROW1';
/** Behind the footer: its length and the magic. */
const TRAILER = 4 + MAGIC.length;
/** What may follow the end of a stream, in bytes of zero. */
const PADDING = 4096;
const READ_BYTES = 2 ** 30;

/** The bytes of one message: length, header and body. */
export interface Block {
  readonly start: number;
  readonly bytes: number;
}

/** A record batch, and the dictionaries that are in force there, in their order. */
export interface BatchBlock extends Block {
  readonly rows: number;
  readonly dictionaries: readonly Block[];
}

export interface ArrowMessages {
  readonly schema: Schema;
  /** In file order, without those of no rows. */
  readonly batches: readonly BatchBlock[];
}

/**
 * Finds the messages of an Arrow file (`ARROW1`, messages, a footer that says where they are) or stream (messages only).
 * A stream may end without its end mark; so one that was cut between two messages cannot be told from a complete one.
 * @param size of the file, in bytes.
 * @throws Error that says what was found instead of a complete file.
 */
export async function findMessages(file: FileHandle, size: number): Promise<ArrowMessages> {
  const start = latin1(await readBytes(file, 0, Math.min(MAGIC.length, size)));
  if (start.startsWith('FEA1')) throw new Error('a Feather file of version 1');
  return start === MAGIC ? fileMessages(file, size) : streamMessages(file, size);
}

async function fileMessages(file: FileHandle, size: number): Promise<ArrowMessages> {
  // The library's own reader would read all dictionaries, before anybody could check them.
  const footer = Footer.decode(await footerBytes(file, size));
  const found = new Found(footer.schema);
  // Dictionaries first: a file may hold them behind the batches that use them.
  for (const { offset } of [...footer.dictionaryBatches(), ...footer.recordBatches()]) {
    const { header, bytes } = await readMessage(file, offset, size - TRAILER);
    if (header) found.add(header, { start: offset, bytes });
  }
  if (found.count !== footer.numDictionaries + footer.numRecordBatches) throw new Error('a broken footer');
  return found.messages();
}

async function streamMessages(file: FileHandle, size: number): Promise<ArrowMessages> {
  const found = new Found();
  for (let at = 0; at < size;) {
    const { header, bytes } = await readMessage(file, at, size);
    if (header) found.add(header, { start: at, bytes });
    at += bytes;
    if (header) continue;
    const rest = await readBytes(file, at, Math.min(PADDING, size - at));
    if (at + rest.length < size || rest.some((byte) => byte !== 0))
      throw new Error('more data behind the end of its stream');
    break;
  }
  return found.messages();
}

/** The bytes from `start` on; never fewer than asked. */
export async function readBytes(
  file: FileHandle,
  start: number,
  length: number,
  into = new Uint8Array(length),
): Promise<Uint8Array> {
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(into, at, Math.min(READ_BYTES, length - at), start + at);
    if (bytesRead === 0) throw new Error(`an end at byte ${start + at}, in the middle of a message`);
    at += bytesRead;
  }
  return into;
}

/** The messages met so far. */
class Found {
  /** Dictionaries and batches. */
  count = 0;
  private readonly batches: BatchBlock[] = [];
  private dictionaries: readonly (Block & { readonly id: number })[] = [];

  constructor(private schema?: Schema) {}

  add(message: Message, block: Block): void {
    if (message.isSchema()) {
      if (this.schema) throw new Error('a second schema');
      this.schema = message.header();
      return;
    }
    if (!this.schema) throw new Error('no schema at its start');
    if (message.isRecordBatch()) {
      const header = message.header();
      checkBody(header, message.bodyLength);
      this.batches.push({ ...block, rows: header.length, dictionaries: this.dictionaries });
    } else if (message.isDictionaryBatch()) {
      const { id, isDelta, data } = message.header();
      checkBody(data, message.bodyLength);
      // A new dictionary replaces the one of its number; a delta is appended to it.
      const others = isDelta ? this.dictionaries : this.dictionaries.filter((each) => each.id !== id);
      this.dictionaries = [...others, { ...block, id }];
    } else throw new Error('a message that is no table data');
    this.count++;
  }

  messages(): ArrowMessages {
    if (!this.schema) throw new Error('no schema');
    return { schema: this.schema, batches: this.batches.filter(({ rows }) => rows > 0) };
  }
}

interface BatchHeader {
  readonly compression: unknown;
  readonly length: number;
  readonly nodes: readonly { readonly length: number; readonly nullCount: number }[];
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
}

/** The least that a value takes is a bit; a few columns of nulls take nothing. */
const FREE_VALUES = 2 ** 16;

/** What a compressed body may hold: by its length, and at most. */
const DENSEST = 2 ** 12;
const MOST_COMPRESSED = 2 ** 23;

function checkBody({ compression, length, nodes, buffers }: BatchHeader, bodyLength: number): void {
  const held = compression ? Math.min(MOST_COMPRESSED, DENSEST * bodyLength) : bodyLength;
  const most = FREE_VALUES + 8 * held;
  const counts = [length, ...nodes.flatMap((node) => [node.length, node.nullCount])];
  if (counts.some((count) => !(count >= 0 && count <= most)))
    throw new Error('more values than its bytes can hold');
  if (buffers.some(({ offset, length }) => offset < 0 || length < 0 || offset + length > bodyLength))
    throw new Error('a buffer that lies outside its message');
}

/** One message, without its body; no header at the mark that ends a stream. */
async function readMessage(
  file: FileHandle,
  at: number,
  end: number,
): Promise<{ readonly bytes: number; readonly header?: Message }> {
  if (!(at >= 0 && at <= end)) throw new Error(`no message at byte ${at}`);
  const prefix = await readBytes(file, at, Math.min(8, end - at));
  const words = new DataView(prefix.buffer);
  const whole = (bytes: number): void => {
    if (bytes > end - at) throw new Error(`a message at byte ${at} that is cut off`);
  };
  // Before Arrow 0.15 a message began with its length; now a mark comes before it.
  whole(4);
  const start = words.getInt32(0, true) === -1 ? 8 : 4;
  whole(start);
  const length = words.getInt32(start - 4, true);
  if (length === 0) return { bytes: start };
  if (length < 0) throw new Error(`no message at byte ${at}`);
  whole(start + length);
  const bytesOfHeader = await readBytes(file, at + start, length);
  checkMessageHeader(bytesOfHeader);
  const header = Message.decode(bytesOfHeader);
  if (header.bodyLength < 0) throw new Error(`no message at byte ${at}`);
  const bytes = start + length + header.bodyLength;
  whole(bytes);
  return { bytes, header };
}

/** The footer, checked. Throws where a file does not end as a complete one does: with its footer's length and the magic. */
async function footerBytes(file: FileHandle, size: number): Promise<Uint8Array> {
  if (size < 8 + TRAILER) throw new Error('a file that is cut off');
  const trailer = await readBytes(file, size - TRAILER, TRAILER);
  if (latin1(trailer.subarray(4)) !== MAGIC) throw new Error('a file without a footer');
  const length = new DataView(trailer.buffer).getInt32(0, true);
  if (length <= 0 || length > size - 8 - TRAILER) throw new Error('a broken footer');
  const bytes = await readBytes(file, size - TRAILER - length, length);
  checkFooter(bytes);
  return bytes;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
