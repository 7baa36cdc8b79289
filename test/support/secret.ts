import { SecretKey } from '../../src/commands/devices/secret-key.js';

/** The secret key of tests, as its variable has it. */
export const SECRET_TEXT = Buffer.alloc(32, 7).toString('base64');

/** The key under which tests seal, and erase people. */
export const SECRET = SecretKey.parse(SECRET_TEXT, 'the test');
