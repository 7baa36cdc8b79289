import { z } from 'zod';
import { DUPLICATE_CLASSES, type DuplicateClass } from '../../core/dedupe/result.js';
import { ConfigError } from '../../model/errors.js';
import { similarWord } from '../values/similar.js';
import type { Environment } from './environment.js';
import { number, toggle, word } from './parsers.js';
import { resolveSettings, type GivenFlags } from './resolve.js';

const DEFAULT_BATCH_SIZE = 1000;
const LARGEST_BATCH_SIZE = 100_000;

const DEDUPE = z.object({
  apply: toggle(),
  force: toggle(),
  class: z
    .union([z.array(z.string()), z.string().transform((one) => [one])], 'the name of a class')
    .optional(),
  connection: word('the name of a connection').optional(),
  batchSize: number(1, LARGEST_BATCH_SIZE).default(DEFAULT_BATCH_SIZE),
});

export interface DedupeSettings {
  apply: boolean;
  force: boolean;
  classes: ReadonlySet<DuplicateClass>;
  connection: string | undefined;
  batchSize: number;
  /** For sync_runs.options: what differs from saying nothing. */
  recorded: Record<string, string | number | boolean | string[]>;
}

/** Resolves the settings of `dedupe`. Throws ConfigError for what is wrong or contradictory. */
export function resolveDedupeSettings(given: GivenFlags, environment: Environment): DedupeSettings {
  const { values, origin } = resolveSettings(DEDUPE, given, environment);
  const { apply, force, connection, batchSize } = values;
  if (force && !apply && origin('force').from === 'flag') {
    throw new ConfigError(`${origin('force').place} means nothing without --apply: a plan changes nothing.`, {
      remedy: 'Add --apply, or leave --force out.',
      code: 'contradiction',
    });
  }
  const said = Object.entries(values).filter(
    ([key, value]) => value !== false && (key !== 'batchSize' || value !== DEFAULT_BATCH_SIZE),
  );
  return {
    apply,
    force,
    classes: readClasses(values.class, origin('class').place),
    connection,
    batchSize,
    recorded: Object.fromEntries(said),
  };
}

/** All classes, or those that are named: repeated, or separated by commas; `-` for `_` will do. */
function readClasses(given: readonly string[] | undefined, place: string): Set<DuplicateClass> {
  const typed = (given ?? [])
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
  return new Set(typed.length === 0 ? DUPLICATE_CLASSES : typed.map((one) => readClass(one, place)));
}

function readClass(typed: string, place: string): DuplicateClass {
  const name = typed.toLowerCase().replaceAll('-', '_');
  const known = DUPLICATE_CLASSES.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  const meant = similarWord(name, DUPLICATE_CLASSES);
  throw new ConfigError(`${place}: there is no class '${typed}'.`, {
    remedy: `${meant === undefined ? '' : `Did you mean ${meant}? `}There are: ${DUPLICATE_CLASSES.join(', ')}.`,
    code: 'unknown_class',
  });
}
