/**
 * @file A record as TensorBoard reads it: TFRecords of protobuf `Event`s (tensorflow/core/util/event.proto). No package on
 * npm writes them without TensorFlow's binaries, so that this does: six fields, and a checksum.
 */
import protobuf from 'protobufjs/minimal.js';
import type { Metric } from '../streams/index.js';

/** Numbers of fields, each with its wire type as protobuf has it on the wire: `number << 3 | type`. */
const FIELD = {
  event: { wallTime: (1 << 3) | 1, step: 2 << 3, fileVersion: (3 << 3) | 2, summary: (5 << 3) | 2 },
  summary: { value: (1 << 3) | 2 },
  value: { tag: (1 << 3) | 2, simpleValue: (2 << 3) | 5 },
} as const;

/**
 * The chunks of one event file: its header, and a record for each metric. Values are float32, as scalars of TensorBoard are.
 * @param metrics of one run and arm, of which the first says when the file begins
 */
export async function* eventFile(metrics: AsyncIterable<Metric>): AsyncGenerator<Uint8Array> {
  let begun = false;
  for await (const metric of metrics) {
    if (!begun) yield record(header(metric.time));
    begun = true;
    yield record(eventOf(metric));
  }
}

/** What every event file begins with. @param time milliseconds since the epoch */
function header(time: number): Uint8Array {
  const { wallTime, fileVersion } = FIELD.event;
  return protobuf.Writer.create()
    .uint32(wallTime)
    .double(time / 1000)
    .uint32(fileVersion)
    .string('brain.Event:2')
    .finish();
}

function eventOf({ time, step, kind, values }: Metric): Uint8Array {
  const writer = protobuf.Writer.create()
    .uint32(FIELD.event.wallTime)
    .double(time / 1000)
    .uint32(FIELD.event.step)
    .int64(step)
    .uint32(FIELD.event.summary)
    .fork();
  for (const [name, value] of Object.entries(values))
    writer
      .uint32(FIELD.summary.value)
      .fork()
      .uint32(FIELD.value.tag)
      .string(`${kind}/${name}`)
      .uint32(FIELD.value.simpleValue)
      .float(value)
      .ldelim();
  return writer.ldelim().finish();
}

/** A TFRecord: length, its checksum, the data, theirs. */
function record(data: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(data.length + 16);
  framed.writeBigUInt64LE(BigInt(data.length));
  framed.writeUInt32LE(masked(framed.subarray(0, 8)), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(masked(data), 12 + data.length);
  return framed;
}

/** CRC-32C (Castagnoli), reflected, of each byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** The checksum as TFRecords have it: rotated and moved, since data may hold checksums themselves. */
function masked(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
