/**
 * @file Unpacks Zstandard (RFC 8878) of any number of frames: cuts it into frames and blocks, bounds and checks them;
 * fzstd decodes blocks. Reads no file.
 */
import { Decompress } from 'fzstd';
import { TimeUp, withinTime } from '../../deadline.js';
import { Damaged } from './damaged.js';
import { Pieces } from './pieces.js';
import { XxHash } from './xxhash.js';

/** fzstd reads 25 bits of an offset at times, so that it is wrong, in silence, where a window has more. */
const WINDOW_BYTES = 2 ** 26 - 4;
const BLOCK_BYTES = 2 ** 17;
const SKIPPED = Buffer.from('2a4d18', 'hex');
const MAGIC = Buffer.from('28b52ffd', 'hex');

/** Milliseconds that decoding may take, and may for each MB that came of it: few bytes can ask for work without end. */
const PATIENCE = { first: 10_000, megabyte: 500 };

/** @param patience in milliseconds. @throws Damaged */
export async function* unpackZstd(
  chunks: AsyncIterable<Uint8Array>,
  patience = PATIENCE,
): AsyncGenerator<Uint8Array> {
  const input = new Pieces(chunks);
  const clock = { ...patience, used: 0, bytes: 0 };
  try {
    while (!(await input.ended())) {
      const magic = await input.exactly(4);
      if (MAGIC.equals(magic)) yield* unpackFrame(input, clock);
      else if (((magic[0] as number) & 0xf0) === 0x50 && SKIPPED.equals(magic.subarray(1)))
        await input.skip(viewOf(await input.exactly(4)).getUint32(0, true));
      else throw new Damaged('something else behind a frame');
    }
  } finally {
    await input.close();
  }
}

interface Clock extends Readonly<typeof PATIENCE> {
  /** Milliseconds that decoding has taken. */
  used: number;
  /** Bytes that came of it. */
  bytes: number;
}

async function* unpackFrame(input: Pieces, clock: Clock): AsyncGenerator<Uint8Array> {
  const header = await readHeader(input);
  const hash = new XxHash();
  let size = 0n;
  let decoded: Uint8Array[] = [];
  const decoder = new Decompress((bytes) => decoded.push(bytes));
  const decode = (bytes: Uint8Array, last = false): Uint8Array[] => {
    decoded = [];
    timed(clock, () => void decoder.push(bytes, last));
    for (const each of decoded) {
      if (header.checksum) hash.take(each);
      size += BigInt(each.length);
      clock.bytes += each.length;
    }
    return decoded;
  };
  yield* decode(header.bytes);
  for (let last = false; !last;) {
    const start = await input.exactly(3);
    const [first, second, third] = start as unknown as [number, number, number];
    const [type, length] = [(first >> 1) & 3, (first >> 3) | (second << 5) | (third << 13)];
    if (type === 3 || length > Math.min(BLOCK_BYTES, header.window))
      throw new Damaged('a block of no known kind');
    last = (first & 1) === 1;
    yield* decode(Buffer.concat([start, await input.exactly(type === 1 ? 1 : length)]));
  }
  const checksum = await input.exactly(header.checksum ? 4 : 0);
  yield* decode(checksum, true);
  if (header.size !== undefined && size !== header.size)
    throw new Damaged(`a frame of ${size} bytes that should have ${header.size}`);
  if (header.checksum && Number(hash.digest() & 0xffffffffn) !== viewOf(checksum).getUint32(0, true))
    throw new Damaged('a wrong checksum');
}

interface Header {
  /** As they are in the file. */
  readonly bytes: Uint8Array;
  readonly window: number;
  readonly checksum: boolean;
  /** Of the content, where the writer knew it. */
  readonly size: bigint | undefined;
}

async function readHeader(input: Pieces): Promise<Header> {
  const flags = (await input.exactly(1))[0] as number;
  const [single, checksum] = [(flags & 32) !== 0, (flags & 4) !== 0];
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6] as number;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] as number;
  const rest = await input.exactly((single ? 0 : 1) + dictionaryBytes + sizeBytes);
  const dictionary = rest.subarray(rest.length - sizeBytes - dictionaryBytes, rest.length - sizeBytes);
  if ((flags & 8) !== 0) throw new Damaged('a frame of no known kind');
  if (dictionary.some((byte) => byte !== 0)) throw new Damaged('a frame that needs a dictionary');
  const size = sizeBytes > 0 ? sizeOf(rest.subarray(rest.length - sizeBytes)) : undefined;
  const window = single ? Number(size) : windowOf(rest[0] as number);
  if (window > WINDOW_BYTES)
    throw new Damaged(`a window of ${window} bytes (zstd --ultra or --long), more than ${WINDOW_BYTES}`);
  return {
    bytes: Buffer.concat([MAGIC, [flags], rest].map((part) => Buffer.from(part))),
    window,
    checksum,
    size,
  };
}

function sizeOf(bytes: Uint8Array): bigint {
  const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return bytes.length === 2 ? value + 256n : value;
}

function windowOf(descriptor: number): number {
  return 2 ** (10 + (descriptor >> 3)) * (1 + (descriptor & 7) / 8);
}

function timed(clock: Clock, work: () => void): void {
  const left = clock.first + (clock.megabyte * clock.bytes) / 2 ** 20 - clock.used;
  const start = performance.now();
  try {
    withinTime(Math.max(1, Math.ceil(left)), work);
  } catch (error) {
    const what = error instanceof TimeUp ? 'blocks that take too long' : (error as Error).message;
    throw new Damaged(what, { cause: error });
  } finally {
    clock.used += performance.now() - start;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
