import type { Context } from '../../context.js';
import type { Problem, RunResult } from '../../model/run-result.js';
import { recordRejected, type ShownItem } from '../access/record-rejected.js';
import type { ReplayOptions } from './options.js';
import { replay } from './replay.js';

/**
 * A replay, for somebody to read. Its problems have the beginning of each item: where the items come out of the database, that is an
 * access. Who replays a file has its lines anyway.
 */
export async function showReplay(ctx: Context, options: ReplayOptions): Promise<RunResult> {
  const result = await replay(ctx, options);
  if (options.input.kind === 'log') await recordRejected(ctx, 'replay', result.problems.map(shownProblem));
  return result;
}

/** A problem of a replay, for the access log. */
export function shownProblem({ origin, path, reason, excerpt }: Problem): ShownItem {
  return { place: `${origin} ${path} ${reason}`, excerpt };
}
