import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PIECES } from '../rolldown.config.js';
import { PROPERTIES, SHARED, UNIT } from '../vitest.config.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Which rooms a room may import; every room may import itself and src/model. The way of the data: inputs, decode, ingest (by
 * the rules), store; and back: store, rawlog, audit, the commands.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  bin: ['cli'],
  cli: ['commands', 'commands/*', 'archive', 'audit', 'context'],
  index: ['library', 'commands/*', 'context'],
  library: ['commands', 'commands/*', 'archive', 'context', 'inputs', 'store'],
  context: ['store'],
  model: [],
  identity: [],
  inputs: ['decode'],
  decode: ['identity'],
  store: [],
  whatsapp: ['identity'],
  graph: [],
  archive: [],
  crm: ['decode', 'identity', 'inputs', 'store'],
  rules: ['identity', 'store'],
  'ingest/batch': ['rules', 'decode', 'identity', 'store'],
  'ingest/runs': ['context', 'rules', 'store'],
  'ingest/apply': [
    'ingest/batch',
    'ingest/runs',
    'rawlog',
    'rules',
    'context',
    'decode',
    'identity',
    'store',
  ],
  rawlog: ['ingest/batch', 'rules', 'decode', 'identity', 'store'],
  audit: ['identity', 'rawlog', 'ingest/batch', 'rules', 'store'],
  commands: ['context', 'inputs', 'store'],
  'commands/backup': [
    'commands/access',
    'commands/connections',
    'archive',
    'audit',
    'rules',
    'context',
    'store',
  ],
  'commands/access': ['commands/contacts', 'context', 'store'],
  'commands/connections': ['context', 'identity', 'store'],
  'commands/contacts': ['rules', 'identity', 'store'],
  'commands/messages': [
    'commands/access',
    'commands/connections',
    'commands/contacts',
    'context',
    'rules',
    'identity',
    'store',
  ],
  'commands/export': [
    'commands/access',
    'commands/connections',
    'commands/contacts',
    'commands/media',
    'commands/messages',
    'context',
    'rules',
    'store',
  ],
  'commands/runs': ['audit', 'ingest/runs', 'context', 'store'],
  'commands/undo': ['commands/runs', 'audit', 'ingest/runs', 'rawlog', 'context', 'store'],
  'commands/raw-discard': ['commands/runs', 'ingest/runs', 'context', 'store'],
  'commands/prune': ['audit', 'ingest/runs', 'rawlog', 'context', 'store'],
  'commands/erase': [
    'audit',
    'commands/contacts',
    'commands/dedupe',
    'commands/devices',
    'commands/explain',
    'commands/replay',
    'ingest/batch',
    'ingest/runs',
    'rawlog',
    'rules',
    'decode',
    'identity',
    'context',
    'store',
  ],
  'commands/inspect': ['context', 'decode', 'inputs'],
  'commands/compare-chat': [
    'commands/access',
    'commands/connections',
    'commands/contacts',
    'commands/replay',
    'rules',
    'inputs',
    'identity',
    'context',
    'store',
  ],
  'commands/doctor': ['commands', 'commands/devices', 'audit', 'ingest/runs', 'graph', 'context', 'store'],
  'commands/replay': [
    'commands/access',
    'audit',
    'commands/connections',
    'commands/contacts',
    'ingest/apply',
    'ingest/batch',
    'ingest/runs',
    'rawlog',
    'rules',
    'inputs',
    'context',
    'store',
  ],
  'commands/compare': [
    'commands/access',
    'commands/connections',
    'commands/contacts',
    'commands/devices',
    'commands/replay',
    'crm',
    'rawlog',
    'rules',
    'identity',
    'context',
    'store',
  ],
  'commands/import': [
    'audit',
    'commands/connections',
    'commands/contacts',
    'commands/replay',
    'ingest/apply',
    'ingest/batch',
    'ingest/runs',
    'rawlog',
    'rules',
    'decode',
    'identity',
    'whatsapp',
    'context',
    'store',
  ],
  'commands/devices': [
    'audit',
    'commands',
    'commands/connections',
    'commands/contacts',
    'commands/import',
    'commands/replay',
    'ingest/apply',
    'ingest/batch',
    'ingest/runs',
    'rawlog',
    'identity',
    'whatsapp',
    'context',
    'store',
  ],
  'commands/graph': [
    'commands/connections',
    'commands/devices',
    'commands/report',
    'graph',
    'rawlog',
    'identity',
    'context',
    'store',
  ],
  'commands/media': [
    'commands',
    'commands/connections',
    'commands/contacts',
    'commands/graph',
    'ingest/runs',
    'graph',
    'whatsapp',
    'context',
    'store',
  ],
  'commands/rekey': [
    'commands/compare',
    'commands/contacts',
    'commands/devices',
    'commands/graph',
    'context',
    'store',
  ],
  'commands/dedupe': [
    'commands/connections',
    'ingest/batch',
    'ingest/runs',
    'rawlog',
    'rules',
    'identity',
    'context',
    'store',
  ],
  'commands/verify': [
    'commands/contacts',
    'commands/connections',
    'commands/dedupe',
    'ingest/batch',
    'ingest/runs',
    'audit',
    'rawlog',
    'rules',
    'identity',
    'context',
    'store',
  ],
  'commands/explain': [
    'commands/access',
    'commands/connections',
    'commands/contacts',
    'commands/dedupe',
    'ingest/batch',
    'audit',
    'rawlog',
    'rules',
    'decode',
    'identity',
    'context',
    'store',
  ],
  'commands/report': [
    'commands/access',
    'commands/connections',
    'commands/verify',
    'ingest/runs',
    'audit',
    'rawlog',
    'rules',
    'decode',
    'identity',
    'context',
    'store',
  ],
  'commands/alerts': [
    'audit',
    'commands/connections',
    'commands/report',
    'commands/verify',
    'context',
    'store',
  ],
  'commands/reconcile': [
    'commands/access',
    'commands/compare',
    'commands/contacts',
    'commands/devices',
    'commands/dedupe',
    'commands/prune',
    'commands/replay',
    'commands/report',
    'commands/verify',
    'ingest/runs',
    'context',
    'store',
  ],
};

/** What a command may import that has no row of its own: no other command, and no room that speaks to WhatsApp, Meta or a CRM. */
const ANY_COMMAND: readonly string[] = [
  'commands',
  'commands/access',
  'commands/connections',
  'commands/contacts',
  'audit',
  'rawlog',
  'rules',
  'ingest/apply',
  'ingest/batch',
  'ingest/runs',
  'inputs',
  'decode',
  'identity',
  'context',
  'store',
];

/** Rooms that are pure: what they import from Node does no I/O. */
const PURE_ROOMS = new Set(['decode', 'identity', 'model', 'rules']);
const PURE_MODULES = new Set(['node:buffer', 'node:util', 'node:zlib']);
/** Of cryptography, what computes the same from the same. */
const PURE_CRYPTO = /^import \{(?: (?:createHash|createHmac|timingSafeEqual),?)+ \} from 'node:crypto';$/;

/** Rooms that take no more than types of another: what runs there cannot reach it. */
const ONLY_TYPES: Readonly<Record<string, string>> = { rules: 'store' };

/** What a file of a pure room does that is not pure, and what it runs of a room of which it may take types only. */
function impurities(file: string, text: string): string[] {
  const room = roomOf(file);
  const statements = [
    ...text.matchAll(/^(?:import|export) (?:[^;'"`=(]*?from )?'([^']+)';|\bimport\('([^']+)'\)/gm),
  ];
  return statements.flatMap(([statement, named = '', loaded = '']) => {
    const target = named + loaded;
    const to = target.startsWith('.') ? roomOf(relative(ROOT, resolve(ROOT, dirname(file), target))) : '';
    const runs = ONLY_TYPES[room] === to && to !== '' && !/^(?:import|export) type /.test(statement);
    const acts =
      PURE_ROOMS.has(room) && to === '' && !PURE_MODULES.has(target) && !PURE_CRYPTO.test(statement);
    return [...(runs ? [`${file} runs ${to}`] : []), ...(acts ? [`${file} imports ${target}`] : [])];
  });
}

/** What a statement imports, or an expression; no text of SQL behind `from`. */
const IMPORTING = /^(?:import|export) [^;'"`=(]*?from '([^']+)';|\bimport\('([^']+)'\)/gm;

const DEPENDENCIES = Object.keys(
  z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))).dependencies,
);

interface Import {
  file: string;
  room: string;
  target: string;
}

/** A file of this repository by its path, as comments and pages name it. */
const CITED = /(?<![\w./-])(?:src|test|bin|prisma)\/[\w/-]+(?:\.[\w-]+)*\.(?:ts|prisma)\b/g;

const sourceFiles = (directory: string): string[] => filesUnder(directory, '.ts');

function filesUnder(directory: string, ending: string): string[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
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

/** `src/ingest/apply/work.ts` is in `ingest/apply`, `src/store/sql.ts` in `store`, `src/context.ts` in `context`. */
function roomOf(file: string): string {
  const [top = '', room = '', inner = '', rest] = file.split('/');
  if (top !== 'src') return top;
  const isNested = (room === 'ingest' || room === 'commands') && rest !== undefined;
  return isNested ? `${room}/${inner}` : room.replace(/\.(ts|js)$/, '');
}

/** What Node reads when it starts with this file: sources and packages. */
function loadedBy(start: string): string[] {
  const loaded = new Set<string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const text = readFileSync(join(ROOT, file), 'utf8');
    // Types are gone at run time, and a dynamic import loads nothing until it is reached.
    for (const [, clause = '', target = ''] of text.matchAll(/^(?:import|export) ([^;]*?)from '([^']+)'/gm)) {
      if (clause.startsWith('type ')) continue;
      if (target.startsWith('.'))
        visit(relative(ROOT, resolve(ROOT, dirname(file), target)).replace(/\.js$/, '.ts'));
      else loaded.add(target);
    }
  };
  visit(start);
  return [...loaded];
}

function mayImport(room: string, to: string): boolean {
  const allowed = ARROWS[room] ?? (room.startsWith('commands/') ? ANY_COMMAND : []);
  return (
    to === room || to === 'model' || allowed.includes(to) || allowed.includes(`${to.split('/')[0] ?? ''}/*`)
  );
}

describe('the layers', () => {
  it('import each other one way only', () => {
    const wrong = IMPORTS.filter(({ target }) => target.startsWith('.')).flatMap(({ file, room, target }) => {
      const to = roomOf(relative(ROOT, resolve(ROOT, dirname(file), target)));
      return mayImport(room, to) ? [] : [`${file} imports ${to}`];
    });
    expect(wrong).toEqual([]);
  });

  it('have no room that the table does not know, and none that is gone', () => {
    const rooms = new Set(FILES.map(roomOf));
    const known = (room: string): boolean => room in ARROWS || room.startsWith('commands/');
    expect([...rooms].filter((room) => !known(room))).toEqual([]);
    expect(Object.keys(ARROWS).filter((room) => !rooms.has(room))).toEqual([]);
  });

  it('need no row for a new command, which may import what every command may, and no more', () => {
    const reached = [
      'rules',
      'store',
      'commands/contacts',
      'cli',
      'whatsapp',
      'graph',
      'crm',
      'commands/erase',
    ];
    expect(reached.filter((to) => mayImport('commands/new', to))).toEqual([
      'rules',
      'store',
      'commands/contacts',
    ]);
  });

  it('keep decode, identity, the model and the rules free of I/O, and the rules free of the store but for its types', () => {
    expect(FILES.flatMap((file) => impurities(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
    const impure = [
      "import { readFileSync } from 'node:fs';",
      "import { readCount } from '../store/row.js';",
      "import type { Sql } from '../store/sql.js';",
      "import {\n  isTime,\n  type Row,\n} from '../store/row.js';",
      "import { createHash, randomUUID } from 'node:crypto';",
      "const { open } = await import('../store/open-store.js');",
      "import '../store/sql.js';",
    ].join('\n');
    const file = ['src', 'rules', 'impure.ts'].join('/');
    expect(impurities(file, impure)).toEqual([
      `${file} imports node:fs`,
      `${file} runs store`,
      `${file} runs store`,
      `${file} imports node:crypto`,
      `${file} runs store`,
      `${file} runs store`,
    ]);
  });

  it('read process only in cli, bin and context, and print only through cli', () => {
    const wrong = FILES.filter((file) => !['cli', 'bin', 'context'].includes(roomOf(file))).filter((file) =>
      /\bprocess\.|console\./.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))),
    );
    expect(wrong).toEqual([]);
  });

  it('load nothing that an installation lacks: dependencies, and what the build puts into one file', () => {
    const wrong = FILES.filter((file) => !PIECES.some((piece) => piece === file)).flatMap((file) => {
      const imported = [...readFileSync(join(ROOT, file), 'utf8').matchAll(IMPORTING)];
      return imported
        .map(([, named = '', loaded = '']) => named + loaded)
        .filter((target) => !/^(?:\.|node:)/.test(target))
        .filter((target) => !DEPENDENCIES.some((name) => target === name || target.startsWith(`${name}/`)))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('speak to Meta nowhere but in src/graph', () => {
    const wrong = IMPORTS.filter(
      ({ target, room }) =>
        /^(?:undici|(?:node:)?(?:https?|http2|tls))$/.test(target) && room !== 'graph' && room !== 'whatsapp',
    );
    expect(wrong).toEqual([]);
  });

  it('let who only reads or replays load nothing of WhatsApp Web', () => {
    const loaded = loadedBy('src/index.ts');
    expect(loaded).toContain('src/commands/replay/replay.ts');
    expect(loaded.filter((file) => /whatsapp|baileys/.test(file) && !file.startsWith('src/decode'))).toEqual(
      [],
    );
  });

  it('let the start of any command load only the words of all: no decoding, no rule, no query, no library for schemas', () => {
    const loaded = loadedBy('bin/wa-reconcile.ts');
    expect(loaded).toContain('src/cli/commands/explain.ts');
    expect(
      loaded.filter((file) =>
        /^(?:zod|pg|src\/(?:decode|ingest|rawlog|rules|store\/checks)\/.*)$/.test(file),
      ),
    ).toEqual([]);
  });

  it('are readable: no file of more than 500 lines', () => {
    const long = FILES.map((file) => ({
      file,
      lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length,
    })).filter(({ lines }) => lines > 500);
    expect(long).toEqual([]);
  });
});

/** The patterns that a pattern with alternatives in braces stands for: each name in them by itself. */
function alternatives(pattern: string): string[] {
  const [whole = '', names = ''] = /\{([^{}]*)\}/.exec(pattern) ?? [];
  return whole === ''
    ? [pattern]
    : names.split(',').flatMap((name) => alternatives(pattern.replace(whole, () => name)));
}

function matcherOf(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*\/|\*)/)
    .map((part) => ({ '**/': '(?:.+/)?', '*': '[^/]*' })[part] ?? part.replace(/[.+?^$()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source.join('')}$`);
}

describe('the lists of tests in vitest.config.ts', () => {
  it.each(Object.entries({ UNIT, PROPERTIES, SHARED }))('%s names no test that is not there', (_, list) => {
    const tests = filesUnder('test', '.test.ts');
    const dead = list.flatMap(alternatives).filter((one) => !tests.some((file) => matcherOf(one).test(file)));
    expect(dead).toEqual([]);
  });

  it('and a name of no file is found in a list', () => {
    expect(alternatives('t/{cli,store}/{exit,gone}.test.ts')).toEqual([
      't/cli/exit.test.ts',
      't/cli/gone.test.ts',
      't/store/exit.test.ts',
      't/store/gone.test.ts',
    ]);
    expect(matcherOf('t/decode/**/*.test.ts').test('t/decode/x.test.ts')).toBe(true);
    expect(matcherOf('t/decode/*.test.ts').test('t/decode/deep/x.test.ts')).toBe(false);
  });
});

describe('what the repository says of itself', () => {
  it('cites no file that is not there', () => {
    const kept = [...FILES, ...filesUnder('test', '.ts'), ...filesUnder('prisma', '.prisma')].filter(
      (file) => !file.includes('/generated/'),
    );
    const pages = [
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      'vitest.config.ts',
      'rolldown.config.ts',
    ];
    const gone = [...kept, ...pages].flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(CITED)]
        .map(([cited]) => cited)
        .filter((cited) => !existsSync(join(ROOT, cited)))
        .map((cited) => `${file} cites ${cited}`),
    );
    expect(gone).toEqual([]);
  });

  it('cites no section of a paper that is not there: a standard is named with its own', () => {
    const files = [...FILES, ...filesUnder('test', '.ts'), ...filesUnder('prisma', '.prisma')];
    const wrong = files.flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .filter((line) => /\b[Ss]ection \d|§ ?\d/.test(line) && !/\bRFC \d/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(wrong).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
