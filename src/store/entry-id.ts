/** Hex digits of a hash in an id: all that the version and the variant leave. */
const TAIL = 15;

/**
 * The id of a raw entry: a generated id's time and counter, then the beginning of the hash of its bytes (a UUID of version 8,
 * RFC 9562). Of an entry that is gone, its id is all that is left: it still says which bytes are the same entry.
 */
export function entryIdOf(generated: string, sha256: Uint8Array): string {
  const hash = Buffer.from(sha256).toString('hex').slice(0, TAIL);
  return `${generated.slice(0, 14)}8${generated.slice(15, 20)}${hash.slice(0, 3)}-${hash.slice(3)}`;
}

/**
 * What an id says of the bytes of its entry: `hash`; nothing, as earlier versions made ids at random (`random`); or that no
 * entry has ever had it.
 */
export function kindOfEntryId(id: string): 'hash' | 'random' | 'none' {
  switch (id.charAt(14)) {
    case '8':
      return 'hash';
    case '7':
      return 'random';
    default:
      return 'none';
  }
}

/** Whether two ids of kind `hash` are of the same bytes. */
function isSameEntry(a: string, b: string): boolean {
  return [a, b].every((id) => kindOfEntryId(id) === 'hash') && a.slice(20) === b.slice(20);
}

/** Whether an id proves that these are the bytes that were stored under it. */
export function provesBytes(id: string, sha256: Uint8Array): boolean {
  return isSameEntry(id, entryIdOf(id, sha256));
}

/** Whether an entry of these bytes may have had this id when it was stored. */
export function isIdOf(id: string, sha256: Uint8Array): boolean {
  return kindOfEntryId(id) === 'random' || provesBytes(id, sha256);
}

/** SQL: whether two ids are of the same bytes. */
export function isSameEntrySql(a: string, b: string): string {
  return `(substr(${a}::text, 15, 1) = '8' and ${idTailSql(a)} = ${idTailSql(b)})`;
}

/** SQL: whether the entry `next` takes the place of `gone`, as far as their ids tell: that of an earlier version says nothing. */
export function mayReplaceSql(gone: string, next: string): string {
  return `(substr(${gone}::text, 15, 1) <> '8' or ${isSameEntrySql(gone, next)})`;
}

/**
 * SQL: whether the columns `id` and `sha256` of a raw entry fit together. Who changes an entry's bytes can change their hash
 * along with them, but not what its id, which other rows name, says of the bytes that were stored.
 */
export const ID_FITS_SQL = `(substr(id::text, 15, 1) <> '8' or ${idTailSql('id')} = ${hashTailSql('sha256')})`;

/** SQL: the part of an id that is of its bytes. */
export function idTailSql(id: string): string {
  return `substr(${id}::text, 21)`;
}

/** SQL: what {@link idTailSql} is for these bytes. */
export function hashTailSql(sha256: string): string {
  return `(substr(encode(${sha256}, 'hex'), 1, 3) || '-' || substr(encode(${sha256}, 'hex'), 4, ${TAIL - 3}))`;
}
