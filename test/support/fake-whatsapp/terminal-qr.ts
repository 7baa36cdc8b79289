import jsQrModule from 'jsqr';

const PIXELS_PER_MODULE = 4;
const QUIET_MODULES = 4;
/** Which halves of a character cell are light, for the block characters that QR codes are drawn with. */
const HALVES: Readonly<Record<string, readonly [upper: boolean, lower: boolean]>> = {
  '█': [true, true],
  '▀': [true, false],
  '▄': [false, true],
  ' ': [false, false],
};

/**
 * Reads a QR code as a phone's camera would, out of what a program drew on a terminal with block characters, light on dark.
 * Gives the text of the last code in it; undefined if there is none that can be read.
 */
export function readTerminalQr(printed: string): string | undefined {
  const plain = printed.replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, '');
  const blocks = drawnBlocks(plain.split(/\r?\n/));
  for (const lines of blocks.toReversed()) {
    const text = decode(lines);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Runs of lines that hold nothing but block characters. */
function drawnBlocks(lines: readonly string[]): string[][] {
  const blocks: string[][] = [[]];
  for (const line of lines) {
    if (/^[█▀▄ ]*[█▀▄][█▀▄ ]*$/.test(line)) blocks.at(-1)?.push(line);
    else if (blocks.at(-1)?.length !== 0) blocks.push([]);
  }
  return blocks;
}

function decode(lines: readonly string[]): string | undefined {
  const columns = Math.max(0, ...lines.map(({ length }) => length));
  const width = (columns + 2 * QUIET_MODULES) * PIXELS_PER_MODULE;
  const height = (2 * lines.length + 2 * QUIET_MODULES) * PIXELS_PER_MODULE;
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (const [row, line] of lines.entries()) {
    for (const [column, character] of Array.from(line.padEnd(columns)).entries()) {
      for (const [half, light] of (HALVES[character] ?? []).entries()) {
        if (!light) paint(pixels, width, column + QUIET_MODULES, 2 * row + half + QUIET_MODULES);
      }
    }
  }
  return jsQrModule.default(pixels, width, height)?.data;
}

function paint(pixels: Uint8ClampedArray, width: number, column: number, row: number): void {
  for (let y = row * PIXELS_PER_MODULE; y < (row + 1) * PIXELS_PER_MODULE; y++) {
    const start = (y * width + column * PIXELS_PER_MODULE) * 4;
    for (let pixel = start; pixel < start + PIXELS_PER_MODULE * 4; pixel += 4)
      pixels.fill(0, pixel, pixel + 3);
  }
}
