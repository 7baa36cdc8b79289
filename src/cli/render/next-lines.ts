import type { Remedy } from '../../model/remedy.js';
import type { Look } from './look.js';
import { sanitize } from './sanitize.js';

/** What to type next, and under each command what it does; a command stands alone on its line, to be copied. */
export function nextLines(steps: readonly Remedy[], look: Look): string[] {
  return steps.flatMap((step) => [look.cyan(look.line(step)), `  ${look.dim(sanitize(step.why))}`]);
}
