import { amount } from '../../model/amount.js';
import { remedy } from '../../model/remedy.js';
import { countMediaRecords, streamFaultyMedia, type FaultyMedia } from '../../store/checks/media-records.js';
import { rowCheck } from './check.js';

const WORDS: Readonly<Record<FaultyMedia['fault'], string>> = {
  no_hash: 'fetched, without a SHA-256 on record',
  other_hash: 'fetched, with another SHA-256 on record than its message announces',
  no_path: 'fetched, without a path on record',
  other_path: 'fetched, with a path on record that is none of a kept file',
  expires_later: 'expired on record, and Meta has it still',
};

/**
 * What is on record of files agrees with their messages: a record that another program changed hides that a file is not
 * here, or can still be had. Fetching the file again is what mends it, so it is no loss.
 */
export const mediaFilesCheck = rowCheck<FaultyMedia>({
  severity: 'degraded',
  count: countMediaRecords,
  stream: (sql, scope, { now }) => streamFaultyMedia(sql, scope, now),
  begin: ({ connections, restricted }) => {
    let place: string | null = null;
    const only = restricted ? connections.map(({ name }) => name) : [];
    return {
      item: ({ connectionId, messageId, type, fault, directory }) => {
        place ??= directory;
        return { sign: '*', connectionId, subject: messageId, detail: `${type}, ${WORDS[fault]}` };
      },
      conclude: ({ checked, found }) => {
        if (checked === 0) return { summary: 'No files on record' };
        if (found === 0)
          return {
            summary: amount(checked, 'file record matches its message', 'file records match their messages'),
          };
        const to = place === null ? [] : ['--to', place];
        return {
          summary: amount(found, 'file record is wrong', 'file records are wrong'),
          remedy: remedy(
            'media fetch',
            [...only, '--again', ...to],
            'looks for the files, and fetches them again',
          ),
        };
      },
    };
  },
});
