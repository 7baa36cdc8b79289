import { EXIT, type ExitCode } from './exit-code.js';
import { httpStatusOf, type HttpStatus } from './http-status.js';
import type { Advices } from './remedy.js';

export { EXIT, type ExitCode };

export interface UserErrorOptions {
  /** The next step; shown under the message. Commands of this tool are values: see Remedy. */
  remedy?: Advices;
  /** The next step in a program that calls the library, where that has an option for what is a flag on the command line. */
  inProgram?: Advices;
  exitCode?: ExitCode;
  /** A stable word for programs: `database_unreachable`, `locked`, … */
  code?: string;
  cause?: unknown;
}

/**
 * An error that a user can cause and fix. Any other exception is a bug. Its message never has secrets, phones or
 * message texts.
 */
export class UserError extends Error {
  remedy: Advices | undefined;
  private readonly inProgram: Advices | undefined;
  readonly exitCode: ExitCode;
  readonly code: string;

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UserError';
    this.remedy = options.remedy;
    this.inProgram = options.inProgram;
    this.exitCode = options.exitCode ?? EXIT.failure;
    this.code = options.code ?? 'failure';
  }

  /**
   * For a server that answers requests with the library: 404 if what was asked for does not exist, 400 for any other mistake of
   * the request, 503 if it is not the request's: the database cannot be reached, another run holds its lock, a setting is wrong.
   */
  get httpStatus(): HttpStatus {
    return httpStatusOf(this.code, this.exitCode);
  }

  /** Its remedy names options of the library from now on, and no flag. */
  forProgram(): this {
    this.remedy = this.inProgram ?? this.remedy;
    return this;
  }
}

/** Wrong flags, paths or configuration: exit 2. */
export class ConfigError extends UserError {
  constructor(message: string, options: Omit<UserErrorOptions, 'exitCode'> = {}) {
    super(message, { code: 'usage', ...options, exitCode: EXIT.usage });
    this.name = 'ConfigError';
  }
}

/** Another run holds the database: exit 5. */
export class LockedError extends UserError {
  constructor(message: string, options: Omit<UserErrorOptions, 'exitCode'> = {}) {
    super(message, { code: 'locked', ...options, exitCode: EXIT.locked });
    this.name = 'LockedError';
  }
}
