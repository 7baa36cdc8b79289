import type { ResolvedInput } from '../commands/inputs.js';
import { formatCount } from './ui/quantities.js';
import type { Call } from './call.js';

/** Maximum files named; a phone backup has thousands of pictures. */
const NAMED = 3;

/** The inputs that paths resolve to. Skipped files are reported on stderr: a name can be misleading. */
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
