import { identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { isChatExportId, type ChatWitness, type WitnessedContent } from '../../model/chat-line.js';
import type { Fact, Identities } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { rejected } from '../baileys/outcomes.js';
import type { DecodeOptions } from '../options.js';
import { asArray, asObject, cleanText, numberOf, textOf } from '../read.js';
import type { VendorReading } from '../vendors/vendors.js';

/** Where the line and those around it are kept with the message, in `raw_meta`: what takes its place is told by them. */
const WITNESS = 'chatExport';

/** The longest run of lines that may be one message; a longer one is no entry of this tool. */
const MOST_LINES = 10_000;

/**
 * A line of a chat that a phone has exported, as `compare chat-export --adopt` stores it.
 *
 * `{"chat_export": {"external_id": "export:…", "people": ["+5511…"], "type", "body", "file_name", "is_edited", "witness":
 * {"direction", "unit", "tolerance", "index", "lines": [{"at", "content"}]}}, "line": "Ana: …"}`
 */
export function recognizeChatLine(
  object: JsonObject,
): ((options: DecodeOptions & { path: string }) => VendorReading) | undefined {
  const said = asObject(object.chat_export);
  if (said === undefined || asObject(said.witness) === undefined) return undefined;
  return ({ path }) => ({
    provider: 'crm:chat-export',
    sections: [
      {
        path,
        field: 'crm:chat-export',
        connection: {},
        facts: [factOf(said, `${path}.chat_export`)],
        eventOnly: false,
      },
    ],
    unrecognized: [],
  });
}

function factOf(said: JsonObject, path: string): Fact {
  const id = textOf(said.external_id);
  if (id === undefined || !isChatExportId(id)) return rejected('message', 'missing_id', path, said);
  const witness = readWitness(said.witness);
  const line = witness?.lines[witness.index];
  if (witness === undefined || line === undefined) return rejected('message', 'bad_timestamp', path, said);
  const body = textOf(said.body);
  const fileName = textOf(said.file_name);
  return {
    kind: 'message',
    path,
    origin: 'adopted',
    externalId: id,
    counterpart: identitiesOf(asArray(said.people)),
    direction: witness.direction,
    timestamp: line.at,
    type: textOf(said.type) ?? 'text',
    ...(body === undefined ? {} : { body }),
    ...(fileName === undefined ? {} : { media: { fileName } }),
    // What a phone shows: WhatsApp's own content, from any source, is better.
    grade: 'media_without_id',
    isSyncInitial: false,
    witness,
    rawMeta: {
      timestampFrom: 'chat_export',
      timestampPrecision: witness.unit >= 60_000 ? 'minute' : 'second',
      ...(said.is_edited === true ? { edited: true } : {}),
      [WITNESS]: jsonOfWitness(witness),
    },
  };
}

/** The lines that a stored message was made from; undefined for messages from other sources. */
export function witnessOfMeta(rawMeta: JsonObject | null): ChatWitness | undefined {
  return rawMeta === null ? undefined : readWitness(rawMeta[WITNESS]);
}

export function jsonOfWitness({ direction, unit, tolerance, index, lines }: ChatWitness): JsonObject {
  return {
    direction,
    unit,
    tolerance,
    index,
    lines: lines.map(({ at, content }) => ({ at, content: jsonOfContent(content) })),
  };
}

function jsonOfContent(content: WitnessedContent): JsonObject {
  if (content.kind !== 'media') return { ...content };
  const { kind, types, caption, fileName } = content;
  return { kind, types: types === 'any' ? types : [...types], caption, fileName };
}

function readWitness(value: JsonValue | undefined): ChatWitness | undefined {
  const witness = asObject(value);
  const unit = numberOf(witness?.unit);
  const tolerance = numberOf(witness?.tolerance);
  const index = numberOf(witness?.index);
  const given = asArray(witness?.lines) ?? [];
  if (unit === undefined || unit < 1 || tolerance === undefined || tolerance < 0 || index === undefined)
    return undefined;
  if (given.length > MOST_LINES) return undefined;
  const lines = given.flatMap((line) => readLine(asObject(line)) ?? []);
  if (lines.length !== given.length || lines[index] === undefined) return undefined;
  return {
    direction: witness?.direction === 'OUTBOUND' ? 'OUTBOUND' : 'INBOUND',
    unit,
    tolerance,
    index,
    lines,
  };
}

function readLine(line: JsonObject | undefined): ChatWitness['lines'][number] | undefined {
  const at = numberOf(line?.at);
  const content = readContent(asObject(line?.content));
  const isTime = at !== undefined && at > 0 && at < LATEST;
  return isTime && content !== undefined ? { at, content } : undefined;
}

/** The year 9999: what is later is no time. */
const LATEST = 253_402_300_800_000;

function readContent(content: JsonObject | undefined): WitnessedContent | undefined {
  if (content === undefined) return undefined;
  switch (content.kind) {
    case 'text':
      return { kind: 'text', key: keyOf(content.key), isEdited: content.isEdited === true };
    case 'location':
      return { kind: 'location', key: keyOf(content.key) };
    case 'media': {
      const types = asArray(content.types);
      return {
        kind: 'media',
        types: types === undefined ? 'any' : types.flatMap((type) => textOf(type) ?? []),
        caption: typeof content.caption === 'string' ? cleanText(content.caption) : null,
        fileName: textOf(content.fileName) ?? null,
      };
    }
    default:
      return undefined;
  }
}

function keyOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? cleanText(value) : '';
}

function identitiesOf(people: readonly JsonValue[] | undefined): Identities {
  return (people ?? []).reduce<Identities>(
    (all, one) => (typeof one === 'string' ? mergeIdentities(all, identitiesOfUser(one)) : all),
    {},
  );
}
