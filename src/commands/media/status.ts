import type { Context } from '../../context.js';
import { MEDIA_STATES } from '../../model/enumerations.js';
import { countMedia, readMediaRuns } from '../../store/tables/media-files.js';
import { selectMedia } from './select.js';
import type { ConnectionMedia, MediaSelection, MediaStatusResult } from './types.js';

/** The state of the files that messages name, by connection. Read-only, without network calls. */
export async function mediaStatus(ctx: Context, options: MediaSelection): Promise<MediaStatusResult> {
  const selected = await selectMedia(ctx, options);
  const { sql } = ctx.store;
  const runs = new Map((await readMediaRuns(sql)).map(({ connectionId, at }) => [connectionId, at]));
  const connections: ConnectionMedia[] = [];
  for (const { id, name } of selected.connections) {
    const counts = await countMedia(sql, selected.choiceOf(id), ctx.clock());
    const ends = counts.flatMap(({ state, firstExpiresAt }) =>
      state === 'owed' ? (firstExpiresAt ?? []) : [],
    );
    const last = runs.get(id);
    connections.push({
      connection: { id, name },
      states: MEDIA_STATES.flatMap((state) => {
        const found = counts.filter((one) => one.state === state);
        const files = found.reduce((sum, one) => sum + one.files, 0);
        const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
        return files === 0 ? [] : [{ state, files, bytes: state === 'fetched' ? bytes : 0 }];
      }),
      nextExpiryAt: ends.length === 0 ? null : new Date(Math.min(...ends)).toISOString(),
      due: counts.reduce((sum, { due }) => sum + due, 0),
      lastFetchAt: last === undefined ? null : new Date(last).toISOString(),
    });
  }
  return { schemaVersion: 1, command: 'media status', connections };
}
