import { expect, it } from 'vitest';
import { presentRekey } from '../../src/cli/views/graph-token.js';

it('a new secret key is told to have taken over the key of erased names', () => {
  const result = {
    schemaVersion: 1,
    command: 'connection token',
    action: 'rekeyed',
    tokens: 0,
    devices: 0,
    comparisons: 0,
    files: 0,
  } as const;
  expect(JSON.stringify(presentRekey({ ...result, erased: 1 }).document)).toContain(
    'the key of erased people’s names taken over',
  );
  expect(JSON.stringify(presentRekey({ ...result, erased: 0 }).document)).not.toContain('erased');
});
