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

/** What says that files of an archive were skipped: which, only reading it to its end tells. */
export function passedOverInArchive({
  notice,
}: Pick<Call, 'notice'>): (paths: readonly string[], more: number) => void {
  return (paths, more) => {
    notice(
      `Not read of the archive, because hidden, links, or by their names no logs: ${namedFirst(paths, more)}.`,
    );
  };
}

function passedOverInWords(paths: readonly string[]): string {
  return `Not read, because hidden or by their names no logs: ${namedFirst(paths, 0)}. A file that is named itself is read.`;
}

function namedFirst(paths: readonly string[], unnamed: number): string {
  const more = Math.max(0, paths.length - NAMED) + unnamed;
  const named = paths.slice(0, NAMED).join(', ');
  return more > 0 ? `${named} and ${formatCount(more)} more` : named;
}
