/** @file One run of a chain for many observers. */
import type { Scheduler, Sink, Source } from 'most';
import { split, type Carried } from './credit.js';
import { closable, Flow, type Closable, type Operator } from './flow.js';

/**
 * One subscription to the source, started by the first observer and closed when the last one has left. An item's
 * credit goes back when every observer has given it back. Who comes late sees the items from then on; who comes after
 * the end sees the end, or the error. Observers that must see the first item are attached in the same turn:
 * `await drainAll([shared.through(…), shared.through(…)])`.
 */
export function share<A>(): Operator<A, A> {
  return (flow) => new Flow(new SharedSource(flow));
}

type Outcome = { readonly error?: Error };

class SharedSource<A> implements Source<Carried<A>>, Sink<Carried<A>> {
  readonly #observers = new Set<Sink<Carried<A>>>();
  #source: Closable | undefined;
  #outcome: Outcome | undefined;

  constructor(private readonly flow: Flow<A>) {}

  run(sink: Sink<Carried<A>>, scheduler: Scheduler): Closable {
    const outcome = this.#outcome;
    if (outcome !== undefined) {
      let open = true;
      void Promise.resolve().then(() => open && settle(sink, scheduler.now(), outcome));
      return closable({ dispose: () => void (open = false) });
    }
    this.#observers.add(sink);
    this.#source ??= closable(this.flow.items.run(this, scheduler));
    return closable({ dispose: () => this.#leave(sink) });
  }

  event(time: number, item: Carried<A>): void {
    const observers = [...this.#observers];
    if (observers.length === 0) {
      item.release();
      return;
    }
    const credits = split(item.release, observers.length);
    observers.forEach((observer, index) => {
      const part = item.withCredit(credits[index] ?? item.release);
      if (this.#observers.has(observer)) observer.event(time, part);
      else part.release(); // it left while an earlier observer had its turn
    });
  }

  end(time: number): void {
    this.#settle(time, {});
  }

  error(time: number, error: Error): void {
    this.#settle(time, { error });
  }

  #settle(time: number, outcome: Outcome): void {
    this.#outcome = outcome;
    for (const observer of [...this.#observers]) settle(observer, time, outcome);
  }

  async #leave(sink: Sink<Carried<A>>): Promise<void> {
    if (!this.#observers.delete(sink) || this.#observers.size > 0) return;
    this.#outcome ??= {}; // a closed source is not opened again
    await this.#source?.dispose();
  }
}

function settle(sink: Sink<unknown>, time: number, { error }: Outcome): void {
  if (error === undefined) sink.end(time);
  else sink.error(time, error);
}
