import { z } from 'zod';
import type { Environment } from './environment.js';
import { toggle } from './parsers.js';
import { resolveSettings, type GivenFlags } from './resolve.js';

const UNDO = z.object({ force: toggle(), dryRun: toggle() });

/** Resolves the settings of `undo`. */
export function resolveUndoSettings(given: GivenFlags, environment: Environment): z.output<typeof UNDO> {
  return resolveSettings(UNDO, given, environment).values;
}
