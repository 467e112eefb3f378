/** An error as it is logged: what it is and where it came from, and nothing else that libraries hang on errors (SQL with its values, request options). */
export type LoggedError = { type: string; message: string; stack?: string | undefined; code?: string | undefined; cause?: LoggedError | undefined };

const MESSAGE_LENGTH_MAX = 500;
const STACK_LENGTH_MAX = 4_000;
const CAUSES_MAX = 4;

export function loggedError(thrown: unknown, causesMax = CAUSES_MAX): LoggedError {
  if (typeof thrown !== 'object' || thrown === null) return { type: typeof thrown, message: String(thrown).slice(0, MESSAGE_LENGTH_MAX) };
  const { name, message, stack, code, cause } = thrown as { [Part in 'name' | 'message' | 'stack' | 'code' | 'cause']?: unknown };
  return {
    type: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message.slice(0, MESSAGE_LENGTH_MAX) : '',
    ...(typeof stack === 'string' ? { stack: stack.slice(0, STACK_LENGTH_MAX) } : {}),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
    ...(cause !== undefined && cause !== null && causesMax > 0 ? { cause: loggedError(cause, causesMax - 1) } : {}),
  };
}
