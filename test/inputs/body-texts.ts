import { decodeEntry } from '../../src/decode/decode-entry.js';
import { message, only, wamid, webhook } from '../decode/meta-builders.js';
import { readText } from './support.js';

/** What comes of a file: the texts of its messages, what is not understood, and how many lines were skipped. */
export interface Outcome {
  texts: (string | undefined)[];
  notUnderstood: string[];
  skipped: number;
}

export async function outcomeOf(content: string | Uint8Array): Promise<Outcome> {
  const { items, problems, source } = await readText(content);
  const outcome: Outcome = { texts: [], notUnderstood: [...problems], skipped: source.skippedLines() };
  for (const item of items) {
    if (item.kind === 'problem') continue;
    const result = decodeEntry(item.entry.bytes, { include: new Set() });
    if (result.kind === 'invalid') {
      outcome.notUnderstood.push(result.reason);
      continue;
    }
    const { sections, unrecognized } = result.entry;
    for (const { facts } of sections) for (const { body } of only('message', facts)) outcome.texts.push(body);
    outcome.notUnderstood.push(...unrecognized.map(({ reason }) => reason));
  }
  return outcome;
}

/** A webhook with one message. */
export function body(text: string, id = 'A1') {
  return webhook('messages', { messages: [message({ id: wamid(id), text: { body: text } })] });
}
