const SHOWN = 3;

/**
 * How two normalized databases differ: the rows that only one of them has, a few per table; empty when they are the same.
 * A diff of whole databases would be thousands of lines long.
 */
export function differences(
  actual: Readonly<Record<string, unknown[]>>,
  expected: Readonly<Record<string, unknown[]>>,
): string[] {
  const tables = [...new Set([...Object.keys(actual), ...Object.keys(expected)])];
  return tables.flatMap((table) => [
    ...onlyIn(actual[table], expected[table]).map((row) => `${table} has, and should not: ${row}`),
    ...onlyIn(expected[table], actual[table]).map((row) => `${table} lacks: ${row}`),
  ]);
}

/** As multisets: a row that is there twice is one too many. */
function onlyIn(rows: readonly unknown[] = [], others: readonly unknown[] = []): string[] {
  const left = new Map<string, number>();
  for (const row of others) {
    const text = JSON.stringify(row);
    left.set(text, (left.get(text) ?? 0) + 1);
  }
  const only = rows
    .map((row) => JSON.stringify(row))
    .filter((text) => {
      const count = left.get(text) ?? 0;
      left.set(text, count - 1);
      return count <= 0;
    });
  return only.length > SHOWN ? [...only.slice(0, SHOWN), `… and ${only.length - SHOWN} more`] : only;
}
