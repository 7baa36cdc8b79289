import type { ResolvedInput } from '../commands/inputs.js';
import { formatCount } from './ui/quantities.js';
import type { Call } from './call.js';

/** So many files are named; a backup of a phone has thousands of pictures. */
const NAMED = 3;

/** The inputs that paths lead to. What is there and is not read is said on stderr: a name can be wrong about its file. */
export async function findLogs(
  { io, notice }: Pick<Call, 'io' | 'notice'>,
  paths: readonly string[],
): Promise<ResolvedInput[]> {
  const { resolveInputs } = await import('../commands/inputs.js');
  const passedOver: string[] = [];
  const inputs = await resolveInputs(paths, {
    cwd: io.cwd,
    onPassedOver: (path) => passedOver.push(path),
  });
  if (passedOver.length > 0) notice(passedOverInWords(passedOver.sort()));
  return inputs;
}

function passedOverInWords(paths: readonly string[]): string {
  const named = paths.slice(0, NAMED).join(', ');
  const more = paths.length > NAMED ? ` and ${formatCount(paths.length - NAMED)} more` : '';
  return `Not read, because hidden or by their names no logs: ${named}${more}. A file that is named itself is read.`;
}
