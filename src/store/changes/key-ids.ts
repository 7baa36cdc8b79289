import { arrayLiteral, arraysOf } from '../array-literal.js';
import { textOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import { keyIdInside } from '../wamids.js';

/** Rows read and corrected together. */
const PAGE = 10_000;

/**
 * Sets `stanza_id` of these connections' rows to the key id inside their wamid, where another program wrote something else (M10).
 * `keyIdOf` decides what a wamid tells. One pass over the table. Returns the number of rows.
 */
export async function restoreKeyIds(
  tx: Sql,
  connectionIds: readonly string[],
  keyIdOf: (wamid: string) => string | undefined,
): Promise<number> {
  let restored = 0;
  let after: string | null = null;
  for (;;) {
    const rows = await tx.query(
      `select m.id, m.external_id, m.stanza_id from messages m
       where m.connection_id = any($1::uuid[]) and ($2::uuid is null or m.id > $2::uuid)
         and m.external_id like 'wamid.%' and m.stanza_id is distinct from ${keyIdInside('m')}
       order by m.id limit ${PAGE}`,
      [arrayLiteral(connectionIds), after],
    );
    const wrong = rows.flatMap((row) => {
      const keyId = keyIdOf(textOf(row, 'external_id'));
      return keyId === undefined || keyId === textOrNull(row, 'stanza_id')
        ? []
        : [{ id: textOf(row, 'id'), keyId }];
    });
    if (wrong.length > 0)
      restored += await tx.execute(
        `update messages m set stanza_id = r.key_id
         from unnest($1::uuid[], $2::text[]) as r (id, key_id) where m.id = r.id`,
        arraysOf(wrong, 'id', 'keyId'),
      );
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return restored;
    after = textOf(last, 'id');
  }
}
