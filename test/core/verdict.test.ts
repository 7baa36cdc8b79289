import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../src/core/reconcile/verdict.js';

const QUIET = {
  connections: 3,
  messages: 1_204,
  created: 0,
  missing: 0,
  doubled: 0,
  merged: 0,
  findings: 0,
  alerts: 2,
};

describe('the verdict of a night', () => {
  it('is one line that a person believes', () => {
    expect(verdictOf('completed', QUIET, { pending: 0, dryRun: false })).toBe(
      'Reconciled 3 connections: 1,204 messages, 0 missing, 0 duplicated, 2 alerts',
    );
  });

  it('adds what is not zero besides', () => {
    const busy = { ...QUIET, connections: 1, created: 12, merged: 3, findings: 1, alerts: 1 };
    expect(verdictOf('partial', busy, { pending: 1, dryRun: false })).toBe(
      'Reconciled 1 connection: 1,204 messages, 0 missing, 0 duplicated, 1 alert ' +
        '(12 new, 3 merged, 1 entry pending, 1 other finding)',
    );
  });

  it('claims nothing when the night did not come to its end', () => {
    const stopped = verdictOf('interrupted', QUIET, { pending: 0, dryRun: false });
    const failed = verdictOf('failed', QUIET, { pending: 0, dryRun: false, error: 'the disk is full' });
    expect(stopped).toBe('Interrupted before the end: the next reconcile catches it up');
    expect(failed).toBe('Not reconciled: the disk is full');
  });
});
