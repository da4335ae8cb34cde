/** @file Encodes a sequence of rows ahead of its consumer, in chunks. Knows neither rows nor examples. */

/** Rows that are encoded together: enough to be worth a message to another thread. */
const CHUNK = 32;

interface Chunk<Item, Result> {
  readonly items: readonly Item[];
  readonly results: readonly Result[];
  /** Why no item came after these; undefined where there simply are no more, or there is one. */
  readonly failure?: Error;
  readonly last: boolean;
}

/**
 * Each item with its result, in order. An error of the source arrives after the items before it. `return()` waits for
 * what is in progress, then closes the source.
 * @param encode results of a chunk, in its order; called again before it has answered, `ahead` times at most.
 * @param ahead chunks in work while one is consumed: as many as threads share the work.
 */
export async function* encodedInChunks<Item, Result>(
  source: AsyncGenerator<Item>,
  encode: (chunk: readonly Item[]) => Promise<readonly Result[]>,
  ahead = 1,
): AsyncGenerator<{ readonly item: Item; readonly result: Result }> {
  let reading: Promise<unknown> = Promise.resolve();
  const queue: Promise<Chunk<Item, Result>>[] = [];
  const request = (): void => {
    const read = reading.then(() => collect(source));
    reading = read;
    const encoded = read.then(async (chunk) => ({ ...chunk, results: await encode(chunk.items) }));
    encoded.catch(() => undefined); // It is reported when awaited; a consumer that leaves early does not await it.
    queue.push(encoded);
  };
  try {
    for (;;) {
      while (queue.length <= ahead) request();
      const { items, results, last, failure } = await (queue.shift() as Promise<Chunk<Item, Result>>);
      for (const [at, item] of items.entries()) yield { item, result: results[at] as Result };
      if (failure !== undefined) throw failure;
      if (last) return;
    }
  } finally {
    await Promise.allSettled(queue);
    await source.return(undefined);
  }
}

async function collect<Item>(source: AsyncGenerator<Item>): Promise<Chunk<Item, never>> {
  const items: Item[] = [];
  try {
    while (items.length < CHUNK) {
      const next = await source.next();
      if (next.done) return { items, results: [], last: true };
      items.push(next.value);
    }
    return { items, results: [], last: false };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return { items, results: [], last: true, failure };
  }
}
