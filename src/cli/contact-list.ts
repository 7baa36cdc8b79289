import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ListedContact } from '../commands/import/types.js';
import { ConfigError } from '../model/errors.js';
import { nothingPiped } from './environment.js';
import type { Call } from './call.js';

/**
 * The contacts of a file, or of standard input for `-`: one per line, skipping empty lines, lines starting with `#`,
 * and repeats. Throws ConfigError if nothing is left.
 */
export async function readContactList(name: string, { io }: Pick<Call, 'io'>): Promise<ListedContact[]> {
  const contacts = parseContactList(name === '-' ? await readStdin(io) : await readText(name, io.cwd));
  if (contacts.length > 0) return contacts;
  throw new ConfigError(`There is no contact in ${name === '-' ? 'standard input' : name}.`, {
    remedy: 'Write one per line: a phone, JID, LID, BSUID or lead id. Lines that begin with # are skipped.',
    code: 'contact_missing',
  });
}

/** Line numbers count from 1, including empty lines, as in an editor. */
export function parseContactList(list: string): ListedContact[] {
  const seen = new Set<string>();
  return list
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .flatMap((raw, index) => {
      const contact = raw.trim();
      if (contact === '' || contact.startsWith('#') || seen.has(contact)) return [];
      seen.add(contact);
      return [{ line: index + 1, contact }];
    });
}

async function readStdin(io: Call['io']): Promise<string> {
  if (io.stdinIsTTY) {
    throw nothingPiped('- reads contacts', 'Pipe them in, one per line, or name a file.');
  }
  return text(io.stdin);
}

async function readText(name: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, name), 'utf8');
  } catch (error) {
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error';
    throw new ConfigError(`--from-file ${name} cannot be read (${code}).`, {
      remedy: 'Name a text file with one contact per line, or - for standard input.',
      code: 'unreadable_input',
      cause: error,
    });
  }
}
