import { z } from 'zod';
import type { RawDiscardOptions } from '../../core/raw-discard/result.js';
import type { Environment } from './environment.js';
import { toggle, word } from './parsers.js';
import { resolveSettings, saidOf, type GivenFlags } from './resolve.js';

const RAW_DISCARD = z.object({
  origin: word('a path').optional(),
  run: word('a run').optional(),
  apply: toggle(),
});

/** Resolves the settings of `raw discard`. */
export function resolveRawDiscardSettings(
  entries: readonly string[],
  given: GivenFlags,
  environment: Environment,
): RawDiscardOptions {
  const { values } = resolveSettings(RAW_DISCARD, given, environment);
  return { entries, ...values, recordedOptions: saidOf({ ...values, entries: [...entries] }) };
}
