import type { Context } from '../../context.js';
import { countMedia } from '../../store/tables/media-files.js';
import { chosenConnections } from '../graph/token.js';
import { choiceOf } from './fetch-media.js';
import type { ConnectionMedia, MediaSelection, MediaStatusResult } from './types.js';

/** What became of the files that messages name, by connection. Only reads, and asks nobody. */
export async function mediaStatus(ctx: Context, options: MediaSelection): Promise<MediaStatusResult> {
  const connections: ConnectionMedia[] = [];
  for (const { id, name } of await chosenConnections(ctx, options)) {
    const counts = await countMedia(ctx.store.sql, choiceOf(id, options), ctx.clock());
    const owed = counts.find(({ state }) => state === 'owed');
    connections.push({
      connection: { id, name },
      states: counts.map(({ state, files, bytes }) => ({ state, files, bytes })),
      nextExpiryAt: owed === undefined ? null : new Date(owed.firstExpiresAt).toISOString(),
      due: counts.reduce((sum, { due }) => sum + due, 0),
    });
  }
  return { schemaVersion: 1, command: 'media status', connections };
}
