import { isProcessAlive } from '../../store/locks/processes.js';
import type { UnfinishedRun } from '../../store/runs.js';
import type { Context } from '../context.js';

/** A run whose process is alive is not taken up: both would do the same work, harmlessly but twice. */
export async function isRunAlive(ctx: Context, run: UnfinishedRun): Promise<boolean> {
  if (run.status !== 'running') return false;
  if (run.host !== ctx.host) return true;
  return run.pid !== ctx.pid && (await isProcessAlive(run.pid));
}
