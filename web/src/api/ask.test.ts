import { afterEach, expect, test, vi } from 'vitest';
import { ask, ServerError } from './ask';

afterEach(() => vi.unstubAllGlobals());

const answering = (status: number, body: string | null) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(body, { status })),
  );
const failure = async (): Promise<ServerError> => {
  try {
    await ask('POST', '/x', {});
  } catch (error) {
    return error as ServerError;
  }
  throw new Error('it was answered');
};

test('an answer without a body is nothing', async () => {
  answering(204, null);
  expect(await ask('DELETE', '/x')).toBeUndefined();
});

test('what the server says is wrong goes along with the error', async () => {
  const errors = [{ field: 'people', detail: 'too many' }];
  answering(422, JSON.stringify({ type: 'about:blank', title: 'Unprocessable', status: 422, errors }));
  const error = await failure();
  expect(error).toBeInstanceOf(ServerError);
  expect([error.status, error.problem?.errors]).toEqual([422, errors]);
});

test('a failure that says nothing, or nothing readable, is its status', async () => {
  answering(503, '<html>');
  expect([(await failure()).status, (await failure()).problem]).toEqual([503, undefined]);
});
