/** An error of the operating system: ENOENT, EACCES, EIO, … */
export interface SystemError extends Error {
  code: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}
