import type { Context } from '../../context.js';
import { MEDIA_STATES } from '../../model/enumerations.js';
import { countMedia, listMedia, readMediaRuns, type ListedMedia } from '../../store/tables/media-files.js';
import { selectMedia } from './select.js';
import type { ConnectionMedia, MediaFileStatus, MediaStatusOptions, MediaStatusResult } from './types.js';
import { rfc3339 } from '../../model/time.js';

/** The state of the files that messages name, by connection. Read-only, without network calls. */
export async function mediaStatus(ctx: Context, options: MediaStatusOptions): Promise<MediaStatusResult> {
  const selected = await selectMedia(ctx, options);
  const { sql } = ctx.store;
  const runs = new Map((await readMediaRuns(sql)).map(({ connectionId, at }) => [connectionId, at]));
  const connections: ConnectionMedia[] = [];
  const { files: wanted } = options;
  const now = ctx.clock();
  for (const { id, name } of selected.connections) {
    const counts = await countMedia(sql, selected.choiceOf(id), now);
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
      nextExpiryAt: rfc3339(ends.length === 0 ? null : Math.min(...ends)),
      due: counts.reduce((sum, { due }) => sum + due, 0),
      lastFetchAt: rfc3339(last ?? null),
      ...(wanted === undefined
        ? {}
        : {
            files: (await listMedia(sql, selected.choiceOf(id), wanted === 'all' ? null : wanted, now)).map(
              listed,
            ),
          }),
    });
  }
  return { schemaVersion: 1, command: 'media status', connections };
}

function listed({ at, expiresAt, triedAt, ...file }: ListedMedia): MediaFileStatus {
  return {
    ...file,
    sentAt: new Date(at).toISOString(),
    expiresAt: rfc3339(expiresAt),
    triedAt: rfc3339(triedAt),
  };
}
