import { decodeWamid } from '../../identity/wamid.js';
import type { MessageFact } from '../../model/facts.js';
import { withoutRow } from '../../rawlog/renamed-keys.js';
import { restoreKeyIds } from '../../store/changes/key-ids.js';
import type { StoredMessageRow } from '../../store/tables/messages.js';
import type { BatchWork, Item } from './work.js';

/**
 * The rows that the batch's facts may be about. A message that was applied before and has no row may share one whose key id somebody
 * changed, in its own conversation or, as a collision, in another one (M9): the wamid still tells it (M10). So all key ids of the
 * connection are restored before the message is placed, once per run: no index finds a row by a part of its wamid. Of a new log no
 * message has to have a row, so none is searched.
 */
export async function restoreLostKeys(
  work: BatchWork,
  messages: readonly Item<MessageFact>[],
  isPlaced: (item: Item) => boolean,
  read: () => Promise<StoredMessageRow[]>,
): Promise<StoredMessageRow[]> {
  const rows = await read();
  const { tx, settings } = work;
  // Every row that such a run changes is journaled; a message of a CRM has no key id anyway.
  if (settings.isUndoable === true) return rows;
  if (work.repeated.size === 0) return rows;
  const held = messages.flatMap((item) => {
    const { fact, connection, logId } = item;
    const isChecked = settings.withRightKeys?.has(connection.id) === true;
    return work.repeated.has(logId) && !isChecked && isPlaced(item)
      ? [{ connectionId: connection.id, fact }]
      : [];
  });
  for (const { connectionId } of withoutRow(held, rows)) work.withRightKeys.add(connectionId);
  if (work.withRightKeys.size === 0) return rows;
  const restored = await restoreKeyIds(
    tx,
    [...work.withRightKeys].sort(),
    (wamid) => decodeWamid(wamid)?.stanzaId,
  );
  // A row that was changed here has another version now.
  return restored === 0 ? rows : read();
}
