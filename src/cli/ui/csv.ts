import { stringify } from 'csv-stringify/sync';

/**
 * Comma-separated rows, under a heading if one is given. A cell that a spreadsheet would take for a formula gets a `'` before it.
 */
export function csvText(
  heading: readonly string[] | null,
  rows: readonly (readonly (string | number | boolean | object | null)[])[],
): string {
  return stringify(
    rows.map((row) => [...row]),
    heading === null
      ? { escape_formulas: true, cast: CAST }
      : {
          header: true,
          columns: heading.map((column) => ({ key: column })),
          escape_formulas: true,
          cast: CAST,
        },
  );
}

/** As the texts that they are in every other form. */
const CAST = { boolean: (value: boolean): string => String(value) };
