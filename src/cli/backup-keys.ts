import { resolve } from 'node:path';
import type { Keys } from '../archive/age.js';
import { ConfigError } from '../model/errors.js';
import type { Call } from './call.js';
import { readTextFile } from './environment.js';
import { contradiction, type Origin } from './flags/table.js';

/** How an encrypted backup is opened or closed, as the flags say. */
interface KeyFlags {
  passphraseFile: string | undefined;
  recipient?: readonly string[];
  identityFile?: string | undefined;
}

type Places = (key: 'passphraseFile') => Origin;

/**
 * What the flags name: a passphrase, or keys; undefined for neither. Throws ConfigError, never with a secret in it, for both and
 * for a file that cannot be read.
 */
export function readKeys(
  { io }: Pick<Call, 'io'>,
  { passphraseFile, recipient = [], identityFile }: KeyFlags,
  origin: Places,
): Keys | undefined {
  const other =
    recipient.length > 0 ? '--recipient' : identityFile === undefined ? undefined : '--identity-file';
  if (passphraseFile !== undefined && other !== undefined) {
    throw contradiction(`--passphrase-file and ${other} contradict each other.`, 'Give one of them.');
  }
  if (passphraseFile !== undefined) {
    const { place } = origin('passphraseFile');
    const passphrase = readTextFile(resolve(io.cwd, passphraseFile), place, {
      holds: 'the passphrase.',
      code: 'passphrase_file_unreadable',
    }).replace(/\r?\n$/, '');
    if (passphrase === '') throw empty(place, passphraseFile, 'the passphrase, in its first line');
    return { kind: 'passphrase', passphrase };
  }
  if (recipient.length > 0) return { kind: 'keys', keys: recipient };
  if (identityFile === undefined) return undefined;
  const keys = readTextFile(resolve(io.cwd, identityFile), '--identity-file', {
    holds: 'AGE-SECRET-KEY-1…, as age-keygen writes it.',
    code: 'identity_file_unreadable',
  })
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length === 0) throw empty('--identity-file', identityFile, 'AGE-SECRET-KEY-1…, a line each');
  return { kind: 'keys', keys };
}

function empty(place: string, file: string, holds: string): ConfigError {
  return new ConfigError(`${place}: ${file} is empty.`, { remedy: `It has to hold ${holds}.` });
}
