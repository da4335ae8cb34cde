/** @file An operator of one's own, held to the laws in three lines. */
import { attackProperties } from 'latstream/testing';
import { test } from 'vitest';
import { signAttack } from './sign-attack.js';

for (const { law, check } of attackProperties(({ engine, model, epsilon }) =>
  signAttack(engine, model, epsilon),
))
  test(law, check);
