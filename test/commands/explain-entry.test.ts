import { expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { ask, told } from '../support/explaining.js';
import { replayBodies } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { ANA, BRU, history, item, live, old, SECOND, status, wamid, webhook } from '../support/webhooks.js';

const declined = webhook('history', {
  history: [{ errors: [{ code: 2593109, title: 'History sync is turned off by the business' }] }],
});

describeOnServer('explain a raw entry', (backend) => {
  it('tells what became of each of its items', async () => {
    const store = await backend.open();
    const body = webhook('messages', {
      messages: [
        item('K1', 0),
        item('K2', 1),
        item('K3', 2, { id: undefined }),
        item('G1', 3, { group_id: 'Z3J1cG8=' }),
      ],
      statuses: [{ id: wamid('P1'), status: 'read', timestamp: '1758000000', recipient_id: ANA }],
    });
    await replayBodies(store, [live('K1', 0), body]);
    const result = await ask(store, 'stdin:2');
    expect(result.facts.map(told)).toEqual([
      'live message stored',
      'live message created',
      'rejected rejected (missing_id)',
      'live message skipped (group)',
      'status read pending (no_message_yet)',
    ]);
    expect(result.verdict).toBe(
      'Entry stdin:2 is partial: 2 messages in the database (1 created by it), 1 message rejected, 1 message skipped and 1 read status.',
    );
    expect(result.findings.map((one) => [one.outcome, one.reason])).toEqual([
      ['pending', 'no_message_yet'],
      ['rejected', 'missing_id'],
    ]);
  });

  it('is found by its id, by log:id and by the place where it was first seen', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), live('K2', 5)]);
    const id = String(await value(store, `select id from webhook_log where origin = 'stdin:2'`));
    for (const subject of [id, `log:${id}`, `log:${id.toUpperCase()}`, 'stdin:2']) {
      expect(await ask(store, subject)).toMatchObject({
        subject: 'entry',
        entry: { id, origin: 'stdin:2', status: 'processed', fields: ['messages'] },
      });
    }
    await replayBodies(store, [live('K3', 7)]);
    await expect(ask(store, 'stdin:1')).rejects.toMatchObject({ code: 'ambiguous_subject', exitCode: 2 });
  });

  it('H2: tells the chunk of a history, and why there is none', async () => {
    const store = await backend.open();
    await replayBodies(store, [history([old('K1', 0)], { phase: 2, order: 7, progress: 80 }), declined]);
    const chunk = await ask(store, 'stdin:1');
    expect(chunk.facts.map((fact) => [fact.kind, fact.outcome, fact.chunk])).toEqual([
      ['history_chunk', 'noted', { phase: 2, chunkOrder: 7, progress: 80 }],
      ['message', 'created', { phase: 2, chunkOrder: 7, progress: 80 }],
    ]);
    const none = await ask(store, 'stdin:2');
    expect(none.verdict).toBe('Entry stdin:2 is processed: 1 declined history notice.');
    expect(none.facts[0]?.reason).toContain('2593109');
  });

  it('H1: says which connection it waits for', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0, {}, SECOND)], { register: false });
    const result = await ask(store, 'stdin:1');
    expect(result.verdict).toBe('Entry stdin:1 is pending: 1 message pending.');
    expect(result.remedies).toMatchObject([{ do: 'add_connection', phoneNumberId: SECOND.id }]);
  });

  it('says what nobody understood in it', async () => {
    const store = await backend.open();
    await replayBodies(store, ['{"broken": }', { flows: { strange: true } }]);
    const broken = await ask(store, 'stdin:1');
    expect(broken.entry?.status).toBe('failed');
    expect(broken.findings).toMatchObject([{ outcome: 'unread', count: 1 }]);
    expect(broken.verdict).toBe('stdin:1 could not be read: invalid JSON (breaks at character 12 of 12).');
    expect(broken.remedies).toMatchObject([{ do: 'replay_export', file: null }, { do: 'discard' }]);
    const strange = await ask(store, 'stdin:2');
    expect(strange.facts).toMatchObject([{ kind: 'entry', outcome: 'unread', reason: 'unknown_shape' }]);
  });
});

describeOnServer('explain a run', (backend) => {
  it('says what it was asked for, how it ended and what it merged', async () => {
    const store = await backend.open();
    const { runId } = await replayBodies(store, [
      live('K1', 0),
      live('B1', 0, { from: BRU }),
      status('K1', 'read', 4),
    ]);
    const result = await ask(store, runId);
    expect(result).toMatchObject({
      subject: 'run',
      known: true,
      findings: [],
      run: { id: runId, command: 'replay', status: 'completed', journaled: {}, syncLogs: 3 },
    });
    expect(result.verdict).toMatch(/^The replay of 20\S+ \S+ UTC: /);
  });
});
