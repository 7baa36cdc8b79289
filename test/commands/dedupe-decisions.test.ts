import { describe, expect, it } from 'vitest';
import { candidateOf, type Candidate } from '../../src/commands/dedupe/candidate.js';
import {
  decideSameId,
  decideSameMessage,
  isCopyWithoutId,
  mergeCopies,
} from '../../src/commands/dedupe/decide.js';
import { packEvidence } from '../../src/rules/evidence.js';
import { rowOfState } from '../../src/rules/message-book.js';
import type { Revision } from '../../src/rules/message-projection.js';
import { encodeWamid } from '../../src/identity/wamid.js';
import type { AnyMessageRow } from '../../src/store/tables/messages.js';

const WAMID = encodeWamid('5511900000001', 'KEY');
const LIVE = packEvidence({ structure: 4, type: 15, body: 15, media: 15, context: 0, rawMeta: 0 });
const PLACEHOLDER = packEvidence({ structure: 3, type: 6, body: 0, media: 0, context: 0, rawMeta: 0 });
let rows = 0;

/** A live text, but for what `parts` say; ids grow in the order of the calls. */
function row(parts: Partial<AnyMessageRow> = {}, revisions: Revision[] = []): Candidate {
  rows += 1;
  return candidateOf(
    {
      id: `row-${String(rows).padStart(4, '0')}`,
      connectionId: 'connection',
      externalId: WAMID,
      conversationId: 'ana',
      leadId: 'lead',
      stanzaId: 'KEY',
      direction: 'INBOUND',
      type: 'text',
      body: 'olá',
      media: null,
      contextExternalId: null,
      timestamp: 1_758_000_000_000,
      status: 'delivered',
      historyStatus: null,
      source: 'live',
      syncSource: 'webhook',
      isSyncInitial: false,
      batchId: 'batch',
      runId: 'run',
      editedAt: null,
      editExternalId: null,
      deletedAt: null,
      metaConfirmedAt: null,
      rawMeta: null,
      errors: null,
      evidence: LIVE,
      rowVersion: '1',
      unknownMedia: null,
      ...parts,
    },
    revisions,
  );
}

const foreign = { evidence: 0, batchId: null, runId: null, stanzaId: null } as const;
const placeholder = { type: 'media_placeholder', body: null, evidence: PLACEHOLDER } as const;
const image = (media: Partial<Record<'id' | 'sha256' | 'fileName', string>>): Partial<AnyMessageRow> => ({
  type: 'image',
  body: null,
  media: { mimeType: 'image/jpeg', ...media },
});

/** How many messages the rows are, and whether the rows that are kept are a collision. */
function messagesOf(candidates: readonly Candidate[]): number {
  const { merges } = decideSameId(candidates);
  return candidates.length - merges.reduce((sum, { lost }) => sum + lost.length, 0);
}

describe('rows of one id are one message', () => {
  it('when they say the same', () => {
    expect(messagesOf([row(), row(), row({ body: 'olá', status: 'read' })])).toBe(1);
  });

  it('when one of them is a placeholder, unsupported or without content', () => {
    expect(messagesOf([row(), row(placeholder)])).toBe(1);
    expect(messagesOf([row(), row({ ...foreign, type: 'unsupported', body: null })])).toBe(1);
    expect(messagesOf([row(), row({ ...foreign, body: '' })])).toBe(1);
  });

  it('when one has the media id and the other only the rest', () => {
    expect(messagesOf([row(image({ id: '1', sha256: 'x' })), row(image({ sha256: 'x' }))])).toBe(1);
    expect(messagesOf([row(image({ id: '1' })), row(image({}))])).toBe(1);
  });

  it('when Meta gave one file two media ids', () => {
    expect(messagesOf([row(image({ id: '1', sha256: 'x' })), row(image({ id: '2', sha256: 'x' }))])).toBe(1);
  });

  it('when one shows the edited text of the other', () => {
    const edited = row({ body: 'olá!', editedAt: 1_758_000_060_000, editExternalId: 'edit' }, [
      { version: 'original', type: 'text', body: 'olá', media: null, rawMeta: null, at: 1_758_000_000_000 },
    ]);
    expect(messagesOf([edited, row({ body: 'olá' })])).toBe(1);
    const [merge] = decideSameId([edited, row({ ...foreign, body: 'olá!' })]).merges;
    // The edit must not take the place of what was said first.
    const shown = merge === undefined ? undefined : rowOfState(merge.state);
    expect(shown?.row).toMatchObject({ body: 'olá!', editExternalId: 'edit' });
    expect(shown?.revisions).toMatchObject([{ version: 'original', body: 'olá' }]);
  });

  it('when one only names what the other says, whose text stays', () => {
    const evidence = packEvidence({ structure: 4, type: 15, body: 12, media: 0, context: 0, rawMeta: 15 });
    const named = { type: 'template', body: 'Template order_update', evidence } as const;
    const ghost = packEvidence({ structure: 5, type: 7, body: 4, media: 0, context: 0, rawMeta: 7 });
    const silent = { type: 'unsupported', body: 'Message type unknown', evidence: ghost } as const;
    for (const ours of [named, silent]) {
      const theirs = { ...foreign, type: 'template', body: 'Oi, Ana! Seu pedido saiu.' } as const;
      for (const pair of [
        [row(ours), row(theirs)],
        [row(theirs), row(ours)],
      ]) {
        const [merge, ...more] = decideSameId(pair).merges;
        expect(more).toEqual([]);
        expect(merge?.state.body).toBe('Oi, Ana! Seu pedido saiu.');
      }
    }
  });

  it('when another program copied what only names the message, which stays a label', () => {
    const evidence = packEvidence({ structure: 5, type: 7, body: 4, media: 0, context: 0, rawMeta: 7 });
    const ours = { type: 'unsupported', body: 'Message type unknown', evidence } as const;
    for (const pair of [
      [row(ours), row({ ...ours, ...foreign })],
      [row({ ...ours, ...foreign }), row(ours)],
    ]) {
      const [merge] = decideSameId(pair).merges;
      expect(merge?.state).toMatchObject({ body: 'Message type unknown', ranks: { body: 4 } });
    }
  });

  it('when the programs have other words for its type', () => {
    expect(messagesOf([row(), row({ ...foreign, type: 'chat' })])).toBe(1);
  });
});

describe('rows of one id are several messages', () => {
  it('when their texts differ', () => {
    const decision = decideSameId([row(), row({ body: 'tchau' })]);
    expect(decision.merges).toEqual([]);
    expect(decision.kept).toMatchObject([{ externalId: WAMID, why: 'other_content' }]);
  });

  it('when their files differ, as in an album', () => {
    expect(messagesOf([row(image({ sha256: 'x' })), row(image({ sha256: 'y' }))])).toBe(2);
    expect(messagesOf([row(image({ id: '1' })), row(image({ id: '2' }))])).toBe(2);
  });

  it('and a copy of one of them still goes', () => {
    const [a, b] = [row(image({ id: '1' })), row(image({ id: '2' }))];
    expect(messagesOf([a, b, row(image({ id: '1' }))])).toBe(2);
  });

  it('and keeps a placeholder that could be any of them by itself', () => {
    expect(messagesOf([row(image({ id: '1' })), row(image({ id: '2' })), row(placeholder)])).toBe(3);
  });

  it('M9: when they are in different conversations, each of which may hold copies', () => {
    const decision = decideSameId([row(), row(), row({ conversationId: 'bru' })]);
    expect(decision.merges).toHaveLength(1);
    expect(decision.kept).toMatchObject([{ why: 'other_conversation' }]);
    expect(decision.kept[0]?.rows).toHaveLength(2);
  });
});

describe('the row that is kept', () => {
  it('is the one with the best evidence, whatever the order', () => {
    const [weak, good, other] = [row(placeholder), row(), row({ ...foreign })];
    for (const order of [
      [weak, good, other],
      [other, weak, good],
      [good, other, weak],
    ]) {
      expect(decideSameId(order).merges[0]?.kept).toBe(good);
    }
  });

  it('is the older one, where nothing else tells', () => {
    const [older, newer] = [row(), row()];
    expect(decideSameId([newer, older]).merges[0]?.kept).toBe(older);
  });

  it('takes all that only the others knew', () => {
    const [merge] = decideSameId([
      row({ status: null, contextExternalId: null }),
      row({ ...foreign, status: 'read', contextExternalId: 'wamid.before', rawMeta: { crm: 7 } }),
      row({ ...placeholder, historyStatus: 'delivered', isSyncInitial: true, metaConfirmedAt: 5 }),
    ]).merges;
    expect(merge?.state).toMatchObject({
      status: 'read',
      historyStatus: 'delivered',
      isSyncInitial: true,
      metaConfirmedAt: 5,
      contextExternalId: 'wamid.before',
      rawMeta: { crm: 7 },
      body: 'olá',
    });
  });

  it('takes over a content whose program keeps no account of its evidence', () => {
    const [merge] = decideSameId([row(placeholder), row({ ...foreign })]).merges;
    expect(merge?.state).toMatchObject({ type: 'text', body: 'olá', batchId: 'batch' });
  });

  it('keeps a text that a better row without one would hide', () => {
    const better = row({ type: 'image', body: null, media: { id: '1' } });
    const [merge] = decideSameId([better, row({ ...foreign, type: 'image', body: 'legenda' })]).merges;
    expect(merge?.state).toMatchObject({ type: 'image', body: 'legenda', media: { id: '1' } });
  });
});

describe('M10: WhatsApp Web’s row and the Cloud API’s', () => {
  const web = (parts: Partial<AnyMessageRow> = {}): Candidate =>
    row({ externalId: 'KEY', stanzaId: 'KEY', ...parts });

  it('are one message, which has the wamid', () => {
    const [merge] = decideSameMessage([row(), web({ timestamp: 1_758_000_002_000 })]).merges;
    expect(merge?.state).toMatchObject({ externalId: WAMID, stanzaId: 'KEY', timestamp: 1_758_000_000_000 });
    expect(merge?.renamed).toBe('KEY');
  });

  it('are one although no program wrote the id inside the wamid down', () => {
    const rowsOfOthers = [row({ ...foreign }), web({ ...foreign })];
    expect(decideSameMessage(rowsOfOthers).merges).toHaveLength(1);
  });

  it('keep the better row’s id, and the wamid still', () => {
    const better = web();
    const [merge] = decideSameMessage([row({ ...placeholder }), better]).merges;
    expect(merge?.kept).toBe(better);
    expect(merge?.state.externalId).toBe(WAMID);
  });

  it.each([
    ['in the other direction', { direction: 'OUTBOUND' }],
    ['more than 2 s apart', { timestamp: 1_758_000_002_001 }],
    ['under another key', { externalId: 'OTHER', stanzaId: 'OTHER' }],
  ] as const)('are two %s', (_, parts) => {
    expect(decideSameMessage([row(), web(parts)]).merges).toEqual([]);
  });

  it('are two where the wamid does not decode', () => {
    expect(decideSameMessage([row({ externalId: 'wamid.KEY', stanzaId: null }), web()]).merges).toEqual([]);
  });

  it('are one where another program gave the row of this key id an id that is no name of it', () => {
    for (const original of [row(), web()]) {
      const renamed = row({ externalId: 'wamid.FORGED', body: 'forged' });
      const { merges } = decideSameMessage([renamed, original]);
      expect(merges).toMatchObject([
        { kept: original, lost: [renamed], renamed: 'wamid.FORGED', state: { body: original.row.body } },
      ]);
    }
    expect(
      decideSameMessage([row({ externalId: 'wamid.FORGED', direction: 'OUTBOUND' }), row()]).merges,
    ).toEqual([]);
  });

  it('never join two wamids', () => {
    const second = encodeWamid('551190000001', 'KEY');
    const { merges } = decideSameMessage([row(), row({ externalId: second }), web()]);
    expect(merges).toHaveLength(1);
    expect(merges[0]?.lost).toHaveLength(1);
  });

  it('where one key holds two messages, join only the one that says the same', () => {
    const [same, other] = [web(), web({ body: 'tchau' })];
    const { merges } = decideSameMessage([row(), other, same]);
    expect(merges.map(({ kept, lost }) => [kept, ...lost])).toEqual([[same, expect.anything()]]);
    expect(merges[0]?.lost).not.toContain(other);
    // What names the key may mean the other one.
    expect(merges[0]?.renamed).toBeNull();
  });
});

describe('a row without an id', () => {
  const blank = (parts: Partial<AnyMessageRow> = {}): Candidate =>
    row({ ...foreign, externalId: ' ', ...parts });

  it('is a copy of an identified one that says the same at nearly the same time', () => {
    expect(isCopyWithoutId(blank({ timestamp: 1_758_000_002_000 }), row())).toBe(true);
  });

  it.each([
    ['at another time', { timestamp: 1_758_000_002_001 }],
    ['in another conversation', { conversationId: 'bru' }],
    ['in the other direction', { direction: 'OUTBOUND' }],
    ['with another text', { body: 'Olá' }],
    ['of another type', { type: 'button' }],
    ['with an id', { externalId: 'wamid.other' }],
  ] as const)('is none %s', (_, parts) => {
    expect(isCopyWithoutId(blank(parts), row())).toBe(false);
  });

  it('gives the message what it knows, and moves neither its time nor its direction', () => {
    const identified = row({ evidence: 0, timestamp: 1_758_000_001_000 });
    const merge = mergeCopies(identified, [blank({ status: 'read' }), blank({ evidence: LIVE })]);
    expect(merge.kept).toBe(identified);
    expect(merge.state).toMatchObject({ status: 'read', timestamp: 1_758_000_001_000, externalId: WAMID });
  });
});
