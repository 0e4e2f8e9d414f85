import { under } from './base';
import type { components } from './schema';

/** What the server says is wrong (RFC 9457). */
export type Problem = components['schemas']['Problem'];
/** One thing that is wrong with a field of what was sent. */
export type FieldError = components['schemas']['FieldError'];

/** The server did not give what was asked for. Visitors are not told why: `status` only decides about trying again. */
export class ServerError extends Error {
  override name = 'ServerError';
  constructor(
    readonly status: number,
    /** For the operator, who may know. */
    readonly problem?: Problem,
  ) {
    super(`answer ${status}`);
  }
}

/** Sends a question and reads its answer; whatever is not well throws a `ServerError`. */
export async function ask<T>(
  method: 'GET' | 'POST' | 'DELETE',
  path: `/${string}`,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await fetch(under(path), {
    method,
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  });
  const text = await response.text();
  const read = parsed(text);
  if (!response.ok) throw new ServerError(response.status, isProblem(read) ? read : undefined);
  return read as T;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(read: unknown): read is Problem {
  return typeof read === 'object' && read !== null && 'title' in read && 'status' in read;
}
