/** @file Arbitraries of tiny models with seeded weights, of the families that the decoder knows. */
import fc from 'fast-check';
import { FAMILIES, tinyModel, type Family, type TinyModel } from '../tiny-model.js';
import { printedAs } from './printed.js';

const ALL = Object.keys(FAMILIES) as readonly Family[];

/** Tiny models of the given families (all if not given), each printed as the expression that makes it again. */
export function tinyModels(families: readonly Family[] = ALL): fc.Arbitrary<TinyModel> {
  return fc
    .tuple(fc.constantFrom(...families), fc.nat(2))
    .map(([family, seed]) => printedAs(tinyModel(family, seed), `tinyModel('${family}', ${seed})`));
}
