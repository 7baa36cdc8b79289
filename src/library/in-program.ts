import { UserError } from '../model/errors.js';

/** Does what a program asked for: the remedies of its errors name options of the library, and no flag of the command line. */
export async function inProgram<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof UserError ? error.forProgram() : error;
  }
}
