import type { Context } from '../../context.js';
import { recordRejected } from '../access/record-rejected.js';
import { shownProblem } from '../replay/show-replay.js';
import { shownReject } from '../report/show-report.js';
import { reconcile } from './reconcile.js';
import type { ReconcileOptions, ReconcileResult } from './types.js';

/** A reconcile, for somebody to read: the problems of its replay and the rejects of its report have the beginnings of items. */
export async function showReconcile(ctx: Context, options: ReconcileOptions): Promise<ReconcileResult> {
  const result = await reconcile(ctx, options);
  const { replay, report } = result;
  await recordRejected(ctx, 'reconcile', [
    ...(replay?.problems ?? []).map(shownProblem),
    ...(report?.rejected ?? []).map(shownReject),
  ]);
  return result;
}
