import { adviceLine, type AdviceLine } from '../advice.js';
import type { CarriedFlags } from '../carried-flags.js';
import type { Io } from '../io.js';

type Paint = (text: string) => string;

/**
 * How a stream may look: its width, the few colors that are used, which do nothing where color is off, and how a command
 * that is advised is written, with the flags that the run hands on.
 */
export interface Look {
  width: number;
  color: boolean;
  /** In a pipe or a file nothing is wrapped or cut. */
  isTerminal: boolean;
  bold: Paint;
  dim: Paint;
  red: Paint;
  green: Paint;
  yellow: Paint;
  cyan: Paint;
  line: AdviceLine;
}

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;
const DEFAULT_WIDTH = 80;

/** Asked per stream: a piped stdout must stay plain while stderr is still a terminal. */
export function allowsColor(isTTY: boolean, env: Io['env'], noColor: boolean): boolean {
  return isTTY && !noColor && !env.NO_COLOR && env.TERM !== 'dumb';
}

export function createLook(
  color: boolean,
  width = DEFAULT_WIDTH,
  carried: CarriedFlags = () => [],
  isTerminal = false,
): Look {
  const paint = (name: keyof typeof CODES): Paint => {
    const [on, off] = CODES[name];
    return (text) => (color && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  };
  return {
    width,
    color,
    isTerminal,
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
    line: adviceLine(carried),
  };
}

/** Text as it looks in a file or a pipe: no color, 80 columns, the same on every machine. */
export const PLAIN: Look = createLook(false);
