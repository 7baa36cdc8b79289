import type { Context } from '../../context.js';
import type { Problem, RunResult } from '../../model/run-result.js';
import { recordRejected, type ShownItem } from '../access/record-rejected.js';
import type { ReplayOptions } from './options.js';
import { replay } from './replay.js';

/**
 * A replay, for somebody to read. Its problems have the beginning of each item: where that is shown, it is an access, whether the items
 * come out of the database or out of a file. `shows`: of which problems the caller shows it; all, unless told otherwise.
 */
export async function showReplay(
  ctx: Context,
  options: ReplayOptions,
  shows: (result: RunResult) => readonly Problem[] = ({ problems }) => problems,
): Promise<RunResult> {
  const result = await replay(ctx, options);
  await recordRejected(ctx, 'replay', shows(result).map(shownProblem));
  return result;
}

/** A problem of a replay, for the access log. */
export function shownProblem({ origin, path, reason, excerpt }: Problem): ShownItem {
  return { of: origin, path, reason, excerpt };
}
