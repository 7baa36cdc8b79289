import type { Writable } from 'node:stream';

/** Light modules around the code, without which a camera does not find it. */
const QUIET = 4;
/** White on black by the numbers that no theme of a terminal changes, so that the code is readable on light and dark ones. */
const COLORS = '\u001b[38;5;231;48;5;16m';
const RESET = '\u001b[0m';

/** A QR code as a terminal shows it: two modules in each character cell, one above the other. */
export interface DrawnQr {
  lines: readonly string[];
  rows: number;
  columns: number;
}

/** Draws a code light on dark, with its quiet zone; with `color` also where the terminal itself is light. */
export async function drawQr(text: string, color: boolean): Promise<DrawnQr> {
  const modules = withQuietZone(await modulesOf(text));
  const columns = modules[0]?.length ?? 0;
  const lines: string[] = [];
  for (let row = 0; row < modules.length; row += 2) {
    const lower = modules[row + 1];
    const cells = (modules[row] ?? []).map((upper, column) => cellOf(upper, lower?.[column] ?? true));
    const line = cells.join('');
    lines.push(color ? `${COLORS}${line}${RESET}` : line);
  }
  return { lines, rows: lines.length, columns };
}

/** The size of the terminal behind a stream; undefined where there is none, or it does not say. */
export function windowOf(stream: Writable): { rows: number; columns: number } | undefined {
  if (!('rows' in stream) || !('columns' in stream)) return undefined;
  const { rows, columns } = stream;
  return typeof rows === 'number' && typeof columns === 'number' && rows > 0 && columns > 0
    ? { rows, columns }
    : undefined;
}

/** Whether a module is light, for the block characters in which `qrcode-terminal` draws a code. */
const HALVES: Readonly<Record<string, readonly [upper: boolean, lower: boolean]>> = {
  '█': [true, true],
  '▀': [true, false],
  '▄': [false, true],
  ' ': [false, false],
};

/** Row by row, whether a module of the code is light; without the frame that is drawn around it. */
async function modulesOf(text: string): Promise<boolean[][]> {
  const { default: qrcode } = await import('qrcode-terminal');
  const rows: boolean[][] = [];
  qrcode.generate(text, { small: true }, (drawn) => {
    // The first line is the upper edge of the frame, each other one begins and ends with it.
    for (const line of drawn.split('\n').slice(1)) {
      const cells = Array.from(line).slice(1, -1);
      for (const half of [0, 1] as const) rows.push(cells.map((cell) => HALVES[cell]?.[half] ?? true));
    }
  });
  const size = rows[0]?.length ?? 0;
  return rows.slice(0, size);
}

function withQuietZone(modules: readonly (readonly boolean[])[]): boolean[][] {
  const light = (count: number): boolean[] => Array.from({ length: count }, () => true);
  const width = (modules[0]?.length ?? 0) + 2 * QUIET;
  const zone = (): boolean[][] => Array.from({ length: QUIET }, () => light(width));
  return [...zone(), ...modules.map((row) => [...light(QUIET), ...row, ...light(QUIET)]), ...zone()];
}

function cellOf(upper: boolean, lower: boolean): string {
  if (upper) return lower ? '█' : '▀';
  return lower ? '▄' : ' ';
}
