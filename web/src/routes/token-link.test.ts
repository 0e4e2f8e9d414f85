import { afterEach, expect, test } from 'vitest';
import { takeToken } from './token-link';

afterEach(() => history.replaceState(null, '', '/'));

test('the token of a link is taken, and is gone from the address', () => {
  history.replaceState(null, '', '/?run=x#sign-in=a%2Bb%2Fc-d');
  expect(takeToken()).toBe('a+b/c-d');
  expect(location.hash).toBe('');
  expect(location.search).toBe('?run=x');
  expect(takeToken()).toBeUndefined();
});

test('another part behind the # is left alone', () => {
  history.replaceState(null, '', '/#elsewhere');
  expect(takeToken()).toBeUndefined();
  expect(location.hash).toBe('#elsewhere');
});

test('an empty token is none, and one that is not encoded is taken as it is', () => {
  history.replaceState(null, '', '/#sign-in=');
  expect(takeToken()).toBeUndefined();
  history.replaceState(null, '', '/#sign-in=100%');
  expect(takeToken()).toBe('100%');
});
