import type { Context } from '../../context.js';
import type { Problem } from '../../model/run-result.js';
import { recordRejected } from '../access/record-rejected.js';
import { shownProblem } from '../replay/show-replay.js';
import { shownReject } from '../report/show-report.js';
import type { RejectSample } from '../report/types.js';
import { reconcile } from './reconcile.js';
import type { ReconcileOptions, ReconcileResult } from './types.js';

/** What of a reconcile has the beginning of an item. */
export interface ShownOfReconcile {
  problems: readonly Problem[];
  rejected: readonly RejectSample[];
}

/**
 * A reconcile, for somebody to read: the problems of its replay and the rejects of its report have the beginnings of items. `shows`: of
 * which of them the caller shows it; all, unless told otherwise.
 */
export async function showReconcile(
  ctx: Context,
  options: ReconcileOptions,
  shows: (result: ReconcileResult) => ShownOfReconcile = everything,
): Promise<ReconcileResult> {
  const result = await reconcile(ctx, options);
  const { problems, rejected } = shows(result);
  await recordRejected(ctx, 'reconcile', [...problems.map(shownProblem), ...rejected.map(shownReject)]);
  return result;
}

function everything({ replay, report }: ReconcileResult): ShownOfReconcile {
  return { problems: replay?.problems ?? [], rejected: report?.rejected ?? [] };
}
