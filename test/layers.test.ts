import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Which rooms a room may import; every room may import itself and src/model. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  bin: ['cli'],
  cli: ['core'],
  core: ['sources', 'decode', 'identity', 'store', 'whatsapp'],
  sources: [],
  decode: ['identity'],
  identity: [],
  store: [],
  whatsapp: ['identity'],
  model: [],
  index: ['core', 'sources', 'store'],
};

/** Inside core, from the use-case down to the pure plan. */
const CORE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  reconcile: ['audit', 'dedupe', 'replay', 'report', 'runs', 'verify'],
  dedupe: ['batch', 'connections', 'contacts', 'plan', 'rawlog', 'runs'],
  undo: ['runs'],
  'raw-discard': ['runs'],
  verify: ['audit', 'batch', 'connections', 'dedupe', 'plan', 'runs'],
  alerts: ['audit', 'connections', 'report', 'verify'],
  report: ['audit', 'batch', 'connections', 'plan', 'runs', 'verify'],
  messages: ['connections', 'contacts', 'plan'],
  explain: ['audit', 'batch', 'connections', 'contacts', 'plan', 'rawlog'],
  devices: ['batch', 'connections', 'import', 'rawlog', 'replay', 'runs'],
  import: ['batch', 'connections', 'contacts', 'plan', 'rawlog', 'replay', 'runs'],
  doctor: ['runs'],
  replay: ['apply', 'batch', 'contacts', 'plan', 'rawlog', 'runs'],
  audit: ['batch', 'plan', 'rawlog'],
  apply: ['batch', 'plan', 'rawlog', 'runs'],
  rawlog: ['batch', 'plan'],
  batch: ['plan'],
  contacts: ['plan'],
  plan: [],
  connections: [],
  runs: [],
};

/** Rooms that are pure: what they import from Node does no I/O. */
const PURE_ROOMS = new Set(['decode', 'identity', 'model']);
const PURE_MODULES = new Set(['node:buffer', 'node:util']);

interface Import {
  file: string;
  room: string;
  target: string;
}

function sourceFiles(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const FILES = [...sourceFiles('src'), ...sourceFiles('bin')];
const IMPORTS: Import[] = FILES.flatMap((file) =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => ({
    file,
    room: roomOf(file),
    target: match[1] ?? '',
  })),
);

function roomOf(file: string): string {
  const [top = '', room = ''] = file.split('/');
  return top === 'src' ? room.replace(/\.ts$/, '') : top;
}

describe('the layers', () => {
  it('import each other one way only', () => {
    const wrong = IMPORTS.filter(({ target }) => target.startsWith('.')).flatMap(({ file, room, target }) => {
      const to = roomOf(relative(ROOT, resolve(ROOT, dirname(file), target)));
      const allowed = to === room || to === 'model' || (ARROWS[room] ?? []).includes(to);
      return allowed ? [] : [`${file} imports ${to}`];
    });
    expect(wrong).toEqual([]);
  });

  it('go down inside core: replay, apply, batch, plan', () => {
    const coreRoom = (file: string): string | null => {
      const [, core, room = '', rest] = file.split('/');
      return core === 'core' && rest !== undefined ? room : null;
    };
    const wrong = IMPORTS.filter(({ target }) => target.startsWith('.')).flatMap(({ file, target }) => {
      const from = coreRoom(file);
      const to = coreRoom(relative(ROOT, resolve(ROOT, dirname(file), target)));
      if (from === null || to === null || from === to) return [];
      return (CORE_ARROWS[from] ?? []).includes(to) ? [] : [`${file} imports core/${to}`];
    });
    expect(wrong).toEqual([]);
  });

  it('keep decode, identity and the model free of I/O', () => {
    const wrong = IMPORTS.filter(
      ({ room, target }) => PURE_ROOMS.has(room) && !target.startsWith('.') && !PURE_MODULES.has(target),
    ).map(({ file, target }) => `${file} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  it('read process only in cli and bin, and print only through render', () => {
    const wrong = FILES.filter((file) => !['cli', 'bin'].includes(roomOf(file))).filter((file) =>
      /\bprocess\.|console\./.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))),
    );
    expect(wrong).toEqual([]);
  });

  it('load Baileys nowhere but in src/whatsapp', () => {
    const wrong = IMPORTS.filter(
      ({ target, room }) => /baileys$/.test(target) && !target.startsWith('.') && room !== 'whatsapp',
    );
    expect(wrong).toEqual([]);
  });

  it('are readable: no file of more than 500 lines', () => {
    const long = FILES.map((file) => ({
      file,
      lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length,
    })).filter(({ lines }) => lines > 500);
    expect(long).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
