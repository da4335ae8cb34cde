/** @file An attack operator of one's own, held to every law of attacks in three lines. */
import { test } from 'vitest';

import { attackProperties } from 'latstream/testing';
import { signAttack } from './sign-attack.js';
for (const { law, check } of attackProperties(signAttack)) test(law, check);
