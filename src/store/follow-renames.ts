import { deleteReactions, readReactions, writeReactions } from './amendments.js';
import type { Sql } from './sql.js';
import { renameTicketOpeners } from './tickets.js';

/** An external id that a message gave up for another one. */
export interface Rename {
  connectionId: string;
  conversationId: string;
  from: string;
  to: string;
}

/** A key id that became a wamid takes its reactions and its ticket along (M10). Gives the number of reactions. */
export async function followRenames(tx: Sql, renames: readonly Rename[]): Promise<number> {
  if (renames.length === 0) return 0;
  const to = new Map(renames.map((rename) => [`${rename.connectionId} ${rename.from}`, rename.to]));
  const old = renames.map((rename) => ({ connectionId: rename.connectionId, id: rename.from }));
  const reactions = await readReactions(tx, old);
  await writeReactions(
    tx,
    reactions.map((row) => ({
      ...row,
      targetExternalId: to.get(`${row.connectionId} ${row.targetExternalId}`) ?? row.targetExternalId,
    })),
  );
  await deleteReactions(tx, old);
  await renameTicketOpeners(tx, renames);
  return reactions.length;
}
