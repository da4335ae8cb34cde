/** @file The text of tokens that come one by one, up to a stop string. Knows nothing about models. */
import type { Tokenizer } from './tokenizer.js';

/** What bytes that are no character (yet) decode to. */
const INCOMPLETE = /\ufffd+$/u;

/** Decodes a few tokens anew for each one, never all of them. */
export class TextStream {
  private readonly tokens: number[] = [];
  /** Text of the tokens before `read`, all of it whole characters. */
  private settled = '';
  /** `settled` and the whole characters of what follows. */
  private sofar = '';
  private read = 0;
  /** Where decoding begins: one stretch before `read`, since a token's text may depend on what precedes it. */
  private from = 0;
  private stopAt = -1;
  private readonly stops: readonly string[];

  /** @param stops the first one in the text ends it; empty ones count for nothing. */
  constructor(
    private readonly tokenizer: Pick<Tokenizer, 'decode'>,
    stops: readonly string[] = [],
  ) {
    this.stops = stops.filter((stop) => stop !== '');
  }

  /** Takes the next token. @returns true where a stop string is complete: the text has ended. */
  push(token: number): boolean {
    if (this.stopAt >= 0) return true;
    this.tokens.push(token);
    const before = this.tokenizer.decode(this.tokens.slice(this.from, this.read));
    const fresh = this.tokenizer.decode(this.tokens.slice(this.from)).slice(before.length);
    const whole = fresh.replace(INCOMPLETE, '');
    this.sofar = this.settled + whole;
    this.stopAt = this.firstStop();
    if (fresh !== '' && whole === fresh) {
      this.settled = this.sofar;
      this.from = this.read;
      this.read = this.tokens.length;
    }
    return this.stopAt >= 0;
  }

  /** Text that stays, whatever follows: whole characters, and nothing that a stop string may begin with. */
  get certain(): string {
    if (this.stopAt >= 0) return this.text;
    const longest = Math.max(0, ...this.stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, this.sofar.length); length > 0; length--) {
      const end = this.sofar.slice(-length);
      if (this.stops.some((stop) => stop.startsWith(end))) return this.sofar.slice(0, -length);
    }
    return this.sofar;
  }

  /** The text of all tokens, or what stands before the first stop string. */
  get text(): string {
    return this.stopAt >= 0 ? this.sofar.slice(0, this.stopAt) : this.tokenizer.decode(this.tokens);
  }

  private firstStop(): number {
    const found = this.stops.map((stop) => this.sofar.indexOf(stop)).filter((at) => at >= 0);
    return found.length > 0 ? Math.min(...found) : -1;
  }
}
