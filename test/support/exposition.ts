/** One series of an exposition: its labels as one text, so that two of the same show. */
export interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Suffixes that belong to other types than gauges. */
const RESERVED = /_(?:total|created|info|count|sum|bucket)$/;

/**
 * Reads gauges strictly, by the grammar that OpenMetrics 1.0 and the text format 0.0.4 have in common, so that Prometheus and
 * node_exporter's textfile collector both take what passes: HELP and TYPE once and before the series of a family, families
 * in one piece, no series twice, no timestamps, `# EOF` as the last line. Throws at the first line that is wrong.
 */
export function readExposition(text: string): Series[] {
  if (!text.endsWith('\n# EOF\n')) throw new Error('does not end with # EOF');
  const series: Series[] = [];
  const seen = new Set<string>();
  const families = new Set<string>();
  let family = '';
  let announced: string[] = [];
  for (const [index, line] of text.slice(0, -'# EOF\n'.length).trimEnd().split('\n').entries()) {
    const fail = (why: string): never => {
      throw new Error(`line ${index + 1}: ${why}: ${line}`);
    };
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind = '', name = '', words = ''] = comment;
      if (name !== family) {
        if (families.has(name) || !METRIC.test(name) || RESERVED.test(name)) fail('a wrong family');
        families.add((family = name));
        announced = [];
      }
      if (announced.includes(kind)) fail('said twice');
      announced.push(kind);
      if (kind === 'TYPE' && words !== 'gauge') fail('not a gauge');
      if (kind === 'HELP' && /["\\]/.test(words)) fail('the two formats escape these differently');
      continue;
    }
    const { name, labels, rest } = readSeries(line, fail);
    if (name !== family || announced.length !== 2) fail('a series without its HELP and TYPE before it');
    if (!NUMBER.test(rest)) fail('not a number alone');
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) fail('a series twice');
    seen.add(key);
    series.push({ name, labels, value: Number(rest) });
  }
  return series;
}

function readSeries(line: string, fail: (why: string) => never) {
  const name = /^[^{\s]*/.exec(line)?.[0] ?? '';
  if (!METRIC.test(name)) fail('a wrong name');
  const labels: Record<string, string> = {};
  let at = name.length;
  if (line[at] === '{') {
    do {
      at += 1;
      // A value ends at the first quote that no backslash stands before; only three escapes exist.
      const label = /([^=]*)="((?:[^"\\\n]|\\[\\"n])*)"/y;
      label.lastIndex = at;
      const [whole, key = '', value = ''] = label.exec(line) ?? fail('a wrong label');
      if (!LABEL.test(key) || key in labels) fail('a wrong label');
      labels[key] = value.replace(/\\([\\"n])/g, (_, escaped) => (escaped === 'n' ? '\n' : String(escaped)));
      at += whole.length;
    } while (line[at] === ',');
    if (line[at] !== '}') fail('labels without an end');
    at += 1;
  }
  if (line[at] !== ' ') fail('no space before the value');
  return { name, labels, rest: line.slice(at + 1) };
}
