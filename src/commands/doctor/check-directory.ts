import { absenceWords, lookAtPlace } from '../../store/backends/embedded-place.js';
import { remedy } from '../../model/remedy.js';
import type { DoctorCheck } from './result.js';

/**
 * What can be said of an embedded database without opening it, where that is all there is to say: opening would create it,
 * or make a half-made one again. Null for a database that can be opened. `looked`: the places where one could have been named.
 */
export async function checkDirectory(
  directory: string,
  looked: readonly string[],
): Promise<DoctorCheck | null> {
  const name = 'database' as const;
  const place = await lookAtPlace(directory);
  switch (place.state) {
    case 'database':
      return null;
    case 'unfinished':
      return {
        name,
        status: 'warn',
        message: `${directory} (embedded) ${absenceWords(place)}`,
        remedy: 'Nothing to do: the first command that brings data in creates it again.',
      };
    case 'absent':
    case 'empty':
      return {
        name,
        status: 'fail',
        message: [`there is none: ${directory} ${absenceWords(place)}; looked at:`, ...looked].join('\n'),
        remedy: [
          'Set DATABASE_URL, or give --home or --database-url-file.',
          remedy('replay', ['LOG', '--register'], 'creates one there, and imports a log'),
        ],
      };
    case 'foreign':
      return {
        name,
        status: 'fail',
        message: `${directory} is not an embedded database: it ${absenceWords(place)}`,
        remedy: 'Give an empty or a new directory with --home.',
      };
  }
}
