import path, { posix } from 'node:path';

/** Non-log files found beside logs. Anything else in a directory is read, and its format detected by content. */
const NOT_LOGS = new Set(
  (
    '7z avif bmp class css db doc docx eot exe gif heic heif html ico jar jpeg jpg js lock map md mjs mov mp3 mp4 ' +
    'ods odt ogg opus otf pdf pem pid png ppt pptx py rar sh so sock sqlite sqlite3 svg tif tiff toml ts ttf ' +
    'wasm wav webm webp woff woff2 xls xlsx xml yaml yml zip'
  ).split(' '),
);

/** Names of databases: beside logs, only those of a phone and of wacli are read. */
const DATABASE = /\.(?:db|sqlite3?)$/i;

/** Files that operating systems and version control leave in any directory: not reported. */
const LEFT_BEHIND = /^(?:\._.*|\.DS_Store|\.directory|\.git.*|__MACOSX)$/;

/** Places that are remembered of an archive: one of a million webhooks, a file each, must not fill the memory. */
const MOST_PLACES = 100_000;

/**
 * Gives each file of an archive a place of its own. An archive may hold several files of one name, because programs append to it
 * what has changed: the second `day.log` is `day.log#2`.
 */
export class PlacesInArchive {
  /** How many files of the name there are so far. */
  #files = new Map<string, number>();

  placeOf(path: string): string {
    const before = this.#files.get(path);
    if (before === undefined) {
      if (this.#files.size < MOST_PLACES) this.#files.set(path, 1);
      return path;
    }
    let number = before + 1;
    while (this.#files.has(`${path}#${number}`)) number++;
    this.#files.set(path, number);
    return this.placeOf(`${path}#${number}`);
  }
}

/**
 * The name of a file inside its archive: `./day.log`, `/day.log` and `../day.log` are `day.log`. Nothing is unpacked to where a name
 * leads, so that one that leads out of the archive is only a name.
 */
export function nameInside(name: string): string {
  return posix.normalize(`/${name}`).slice(1);
}

/** What a file in an archive is by its name. */
export type NamedAs = 'log' | 'database' | 'archive' | 'left_behind' | 'hidden' | 'no_log';

export function namedAs(name: string): NamedAs {
  // Windows writes some archives with its own separator.
  const parts = name.split(/[/\\]/);
  if (parts.some(isLeftBehind)) return 'left_behind';
  if (parts.some((part) => part.startsWith('.') && part !== '.' && part !== '..')) return 'hidden';
  if (isDatabaseName(name)) return 'database';
  if (isCalled('.zip', name)) return 'archive';
  return mayBeLog(name) ? 'log' : 'no_log';
}

export function isLeftBehind(name: string): boolean {
  return LEFT_BEHIND.test(name);
}

export function isDatabaseName(name: string): boolean {
  return DATABASE.test(name);
}

export function isCalled(extension: '.zip' | '.sql', name: string): boolean {
  return name.toLowerCase().endsWith(extension);
}

export function mayBeLog(name: string): boolean {
  return !NOT_LOGS.has(path.extname(name).slice(1).toLowerCase()) && !name.endsWith('~');
}
