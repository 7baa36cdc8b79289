export type Setting = readonly [name: string, value: string];

/**
 * What a server, a database or a role may have set otherwise, and decides how SQL reads and writes values: bytes as `\x…`, numbers with
 * all their digits, days in UTC. Without them the same row is read as another one, or not at all.
 */
const VALUE_SETTINGS: readonly Setting[] = [
  ['timezone', `'UTC'`],
  ['datestyle', `'ISO, MDY'`],
  ['intervalstyle', `'postgres'`],
  ['bytea_output', `'hex'`],
  // Above 0: the fewest digits that give the same number back.
  ['extra_float_digits', '1'],
  ['lc_monetary', `'C'`],
  ['xmloption', 'content'],
  ['xmlbinary', 'base64'],
  ['standard_conforming_strings', 'on'],
  ['array_nulls', 'on'],
  ['transform_null_equals', 'off'],
  // The definitions that the catalog gives are compared.
  ['quote_all_identifiers', 'off'],
];

/** Sets them, and others, for the session. */
export function setForSession(others: readonly Setting[] = []): string {
  return statementsOf('set', others);
}

/** Sets them, and others, for one transaction. */
export function setForTransaction(others: readonly Setting[] = []): string {
  return statementsOf('set local', others);
}

function statementsOf(set: string, others: readonly Setting[]): string {
  return [...VALUE_SETTINGS, ...others].map(([name, value]) => `${set} ${name} to ${value}`).join('; ');
}
