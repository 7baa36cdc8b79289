import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../src/commands/reconcile/verdict.js';

const QUIET = {
  connections: 3,
  messages: 1_204,
  created: 0,
  missing: 0,
  doubled: 0,
  merged: 0,
  corrected: 0,
  findings: 0,
  alerts: 2,
  unchanged: 0,
  restored: 0,
  lost: 0,
  degraded: 1,
  notes: 1,
  acknowledged: 0,
};

describe('the verdict of a reconcile', () => {
  it('is one line that a person believes', () => {
    expect(verdictOf('completed', QUIET, { pending: 0, toRestore: 0, dryRun: false })).toBe(
      'Reconciled 3 connections: 1,204 log items compared, 0 missing, 0 duplicated; 0 lost, 1 degraded, 1 note',
    );
  });

  it('adds what is not zero besides', () => {
    const busy = {
      ...QUIET,
      connections: 1,
      unchanged: 998_000,
      created: 12,
      restored: 37,
      merged: 3,
      findings: 1,
      lost: 1_200,
      degraded: 0,
      notes: 2,
      acknowledged: 4,
    };
    expect(verdictOf('partial', busy, { pending: 1, toRestore: 0, dryRun: false })).toBe(
      'Reconciled 1 connection: 1,204 log items compared, 998,000 stored messages unchanged, 0 missing, 0 duplicated; ' +
        '1,200 lost, 0 degraded, 2 notes ' +
        '(12 new, 37 restored, 3 merged, 1 entry pending, 4 acknowledged)',
    );
  });

  it('says what was taken back because it is about the own number', () => {
    const removed = '1 lead, 1 conversation and 2 messages of the own number removed';
    const details = { pending: 0, toRestore: 0, removed, dryRun: false };
    expect(verdictOf('completed', QUIET, details)).toContain(`; 0 lost, 1 degraded, 1 note (${removed})`);
  });

  it('claims nothing when the run did not come to its end', () => {
    const stopped = verdictOf('interrupted', QUIET, { pending: 0, toRestore: 0, dryRun: false });
    const failed = verdictOf('failed', QUIET, {
      pending: 0,
      toRestore: 0,
      dryRun: false,
      error: 'the disk is full',
    });
    expect(stopped).toBe('Interrupted: the next reconcile resumes it');
    expect(failed).toBe('Not reconciled: the disk is full');
  });
});
