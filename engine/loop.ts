/** @file A compiled loop with the memory for what is computed when it begins. Knows nothing about tracing. */
import type { Executable, ExecutableLoop, Leaves } from './executor.js';
import { bytesOf } from './program.js';
import type { Value } from './tensor.js';

/** A loop's body as an executable; what is computed once is computed anew whenever another loop has used it since. */
export class LoopBody implements Executable {
  private held: Leaves<Value> = new Map();
  private owner: object | undefined;

  constructor(private readonly loop: ExecutableLoop) {}

  get bytes(): number {
    const held = [...this.held.values()].map(bytesOf);
    return (this.loop.once?.bytes ?? 0) + this.loop.each.bytes + held.reduce((sum, size) => sum + size, 0);
  }

  /** @param owner the loop that runs: its fixed arguments are the same in every run. */
  async runFor(owner: object, inputs: Leaves<Value>, into: Leaves<Value>): Promise<Leaves<Value>> {
    if (this.owner !== owner && this.loop.once) {
      this.owner = undefined;
      this.held = await this.loop.once.run(inputs, this.held);
      this.owner = owner;
    }
    return this.loop.each.run(new Map([...inputs, ...this.held]), into);
  }

  run(inputs: Leaves<Value>, into: Leaves<Value>): Promise<Leaves<Value>> {
    return this.runFor({}, inputs, into);
  }

  async dispose(): Promise<void> {
    await this.loop.once?.dispose();
    await this.loop.each.dispose();
  }
}
