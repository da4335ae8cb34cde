/** @file XXH64 of bytes that come one after the other, with seed 0 (xxhash_spec.md). No imports. */

const [P1, P2, P3, P4, P5]: readonly [bigint, bigint, bigint, bigint, bigint] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
];

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint => wrap(value << by) | (value >> (64n - by));
const round = (lane: bigint, input: bigint): bigint => wrap(rotate(wrap(lane + wrap(input * P2)), 31n) * P1);
const merge = (hash: bigint, lane: bigint): bigint => wrap(wrap((hash ^ round(0n, lane)) * P1) + P4);

const STRIPE = 32;

export class XxHash {
  private lanes: [bigint, bigint, bigint, bigint] = [wrap(P1 + P2), P2, 0n, wrap(-P1)];
  private length = 0;
  /** Bytes that do not fill a stripe yet. */
  private rest: Uint8Array = new Uint8Array();

  take(bytes: Uint8Array): void {
    this.length += bytes.length;
    let from = 0;
    if (this.rest.length > 0) {
      from = Math.min(STRIPE - this.rest.length, bytes.length);
      this.rest = Buffer.concat([this.rest, bytes.subarray(0, from)]);
      if (this.rest.length < STRIPE) return;
      this.stripes(this.rest);
    }
    const end = bytes.length - ((bytes.length - from) % STRIPE);
    this.stripes(bytes.subarray(from, end));
    this.rest = bytes.slice(end);
  }

  private stripes(bytes: Uint8Array): void {
    const view = viewOf(bytes);
    let [a, b, c, d] = this.lanes;
    for (let at = 0; at < bytes.length; at += STRIPE) {
      a = round(a, view.getBigUint64(at, true));
      b = round(b, view.getBigUint64(at + 8, true));
      c = round(c, view.getBigUint64(at + 16, true));
      d = round(d, view.getBigUint64(at + 24, true));
    }
    this.lanes = [a, b, c, d];
  }

  /** The hash of all bytes so far. */
  digest(): bigint {
    const [a, b, c, d] = this.lanes;
    let hash = P5;
    if (this.length >= STRIPE) {
      hash = wrap(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
      hash = this.lanes.reduce(merge, hash);
    }
    hash = this.tail(wrap(hash + BigInt(this.length)));
    hash = wrap((hash ^ (hash >> 33n)) * P2);
    hash = wrap((hash ^ (hash >> 29n)) * P3);
    return hash ^ (hash >> 32n);
  }

  private tail(start: bigint): bigint {
    const view = viewOf(this.rest);
    let [hash, at] = [start, 0];
    for (; at + 8 <= view.byteLength; at += 8)
      hash = wrap(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
    for (; at + 4 <= view.byteLength; at += 4)
      hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
    for (; at < view.byteLength; at++)
      hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint8(at)) * P5), 11n) * P1);
    return hash;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
