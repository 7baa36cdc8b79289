/**
 * SQL for the key id inside a row's wamid, decoded just well enough to find candidates: src/identity/wamid.ts decides. Null for
 * any other id. The nested `case` and `offset 0` keep the decoding from ids that are not base64, which would fail the statement.
 */
export function keyIdInside(row: string): string {
  return `case when ${row}.external_id ~ '^wamid\\.HBg[A-Za-z0-9+/]+={0,2}$' then (
      select case when length(w.bytes) > get_byte(w.bytes, 2) + 9 then
        encode(substring(w.bytes from get_byte(w.bytes, 2) + 10 for get_byte(w.bytes, get_byte(w.bytes, 2) + 8)), 'escape')
      end
      from (
        select decode(rpad(d.digits, (length(d.digits) + 3) / 4 * 4, '='), 'base64') as bytes
        from (select rtrim(substr(${row}.external_id, 7), '=') as digits offset 0) d
        where length(d.digits) % 4 <> 1 offset 0
      ) w
    ) end`;
}
