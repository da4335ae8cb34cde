/** @file What a defence complains of while it runs. */
import { complain } from '../../foundation/index.js';

export function notFinite(update: number, loss: number, gradientNorm: number): never {
  return complain({
    code: 'LOSS_NOT_FINITE',
    owner: `defend, update ${update}`,
    expected: 'a finite loss and gradient',
    got: `loss ${loss}, gradient norm ${gradientNorm}`,
    hint: 'lower the learning rate, or go back to an earlier checkpoint',
  });
}

export function stateMismatch(
  name: string,
  shape: readonly number[],
  got: readonly number[] | undefined,
): never {
  return complain({
    code: 'STATE_MISMATCH',
    owner: 'defend',
    expected: `${name} of shape [${shape.join(', ')}]`,
    got: got ? `[${got.join(', ')}]` : 'none',
    hint: 'resume with the recipe and model that the state was saved with',
  });
}
