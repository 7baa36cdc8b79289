import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { DEMO_FORMS } from '../support/demo-forms.js';
import { read } from './support.js';

test.each(Object.entries(DEMO_FORMS))(
  'fixtures/%s is the demo day (npx vitest -u writes it)',
  async (name, write) => {
    const path = fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
    await expect(write()).toMatchFileSnapshot(path);
    expect((await read(path)).problems).toEqual([]);
  },
);
