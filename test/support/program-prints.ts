import { inspect, type InspectOptions } from 'node:util';
import type { JsonValue } from '../../src/model/json.js';
import { python, ruby } from '../decode/wrap.js';
import { pformat } from './pformat.js';

/** A way in which a program prints a value into its log. */
export interface ProgramPrint {
  write(body: JsonValue): string;
  /** Why it cannot be read, where the program leaves parts out. */
  reason?: 'abridged';
}

const ALL: InspectOptions = { depth: null, maxArrayLength: null, maxStringLength: null };

function node(options: InspectOptions, before = ''): ProgramPrint {
  return { write: (body) => before + inspect(body, { ...ALL, ...options }) };
}

/** What console.log and util.inspect write. */
export const NODE_PRINTS: Readonly<Record<string, ProgramPrint>> = {
  'console.log(body)': node({}),
  "console.log('webhook', body)": node({}, 'webhook '),
  'with a time': node({}, '2026-09-21T11:13:20.600Z INFO [hook] webhook '),
  colored: node({ colors: true }),
  'colored behind a label': node({ colors: true }, 'webhook '),
  'colored behind a colored label': node(
    { colors: true, numericSeparator: true },
    '\x1b[32m[Nest] 1\x1b[39m \x1b[33mLOG\x1b[39m ',
  ),
  'compact, colored': node({ compact: true, colors: true }, 'webhook '),
  compact: node({ compact: true }, 'webhook '),
  'not compact': node({ compact: false, sorted: true }, '[hook] '),
  'not compact, colored': node({ compact: false, colors: true }, '[hook] '),
  'by one level': node({ compact: 1, breakLength: 60 }, 'webhook: '),
  'by ten levels, colored': node({ compact: 10, breakLength: 120, colors: true }, 'webhook '),
  'in one line': node({ breakLength: Infinity, compact: 100 }, 'webhook '),
  'in one line, colored': node({ breakLength: Infinity, compact: 100, colors: true }, 'webhook '),
  'headers and body': {
    write: (body) =>
      `${inspect({ host: 'crm.example.test', 'x-request-id': 'a'.repeat(60), accept: '*/*' })} ${inspect(body, ALL)}`,
  },
  'headers and body, colored': {
    write: (body) => `request ${inspect({ headers: { 'x-a': "it's" }, body }, { ...ALL, colors: true })}`,
  },
  'a group': { write: (body) => inspect(body, { ...ALL, colors: true }).replace(/^|\n/g, '$&  ') },
  'a list': { write: (body) => inspect([body], ALL) },
  'a class': {
    write: (body) => {
      class Delivery {
        readonly attempt = 1;
        constructor(readonly body: JsonValue) {}
      }
      return inspect(new Delivery(body), { ...ALL, colors: true });
    },
  },
};

/** The same, with parts left out. */
export const ABRIDGED_PRINTS: Readonly<Record<string, ProgramPrint>> = {
  'to the default depth': { write: (body) => `webhook ${inspect(body)}`, reason: 'abridged' },
  'to the default depth, colored': {
    write: (body) => `webhook ${inspect(body, { colors: true })}`,
    reason: 'abridged',
  },
  'short texts': {
    write: (body) => `webhook ${inspect(body, { ...ALL, maxStringLength: 24 })}`,
    reason: 'abridged',
  },
  'short texts, colored': {
    write: (body) => `webhook ${inspect(body, { ...ALL, maxStringLength: 24, colors: true })}`,
    reason: 'abridged',
  },
};

/** What pprint writes, and print where it needs one line. */
export const PYTHON_PRINTS: Readonly<Record<string, ProgramPrint>> = {
  'pprint.pprint(body)': { write: (body) => pformat(body) },
  "'webhook ' + pprint.pformat(body)": { write: (body) => `webhook ${pformat(body)}` },
  'with a time': {
    write: (body) => `2026-09-21 11:13:20,600 INFO hook webhook: ${pformat(body, { sortDicts: false })}`,
  },
  'width=120': { write: (body) => pformat(body, { width: 120, sortDicts: false }) },
  'width=40': { write: (body) => `INFO:root:${pformat(body, { width: 40 })}` },
  'indent=4': { write: (body) => `webhook ${pformat(body, { indent: 4 })}` },
  'a list': { write: (body) => pformat([body]) },
  "print('webhook', body)": { write: (body) => `webhook ${python(body)}` },
};

/** What pp of Ruby writes: groups that do not fit in the line are broken, and texts into their lines. */
function rubyPp(value: JsonValue, column = 0, arrow = '=>'): string {
  const whole = ruby(value, arrow);
  if (column + whole.length <= 79) return whole;
  const indent = ' '.repeat(column + 1);
  if (typeof value === 'string') {
    const lines = value.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    return lines.map((line) => ruby(line)).join(` +\n${' '.repeat(column)}`);
  }
  if (typeof value !== 'object' || value === null) return whole;
  if (Array.isArray(value))
    return `[${value.map((each) => rubyPp(each, column + 1, arrow)).join(`,\n${indent}`)}]`;
  const members = Object.entries(value).map(([key, each]) => {
    const name = `${ruby(key)}${arrow.trimEnd()}`;
    const fits = column + 1 + name.length + ruby(each, arrow).length <= 78;
    return fits
      ? `${name}${arrow.endsWith(' ') ? ' ' : ''}${ruby(each, arrow)}`
      : `${name}\n${indent} ${rubyPp(each, column + 2, arrow)}`;
  });
  return `{${members.join(`,\n${indent}`)}}`;
}

export const RUBY_PRINTS: Readonly<Record<string, ProgramPrint>> = {
  'pp body': { write: (body) => rubyPp(body) },
  "'webhook ' + body.pretty_inspect": { write: (body) => `webhook ${rubyPp(body)}` },
  'pp body, Ruby 3.4': { write: (body) => rubyPp(body, 0, ' => ') },
};
