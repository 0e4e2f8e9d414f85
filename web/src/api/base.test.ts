import { expect, test } from 'vitest';
import { folderOf, signInUrl } from './base';

test('a page is at the root, or below the prefix that a proxy takes off', () => {
  expect(folderOf('/')).toBe('');
  expect(folderOf('/index.html')).toBe('');
  expect(folderOf('/coronaz/')).toBe('/coronaz');
  expect(folderOf('/labs/coronaz/index.html')).toBe('/labs/coronaz');
  expect(folderOf('blank')).toBe('');
});

test('the way to sign in lies below the same prefix, and leads back to what was on show', () => {
  expect(signInUrl('/', '?run=x&moment=3')).toBe('/login?next=%2F%3Frun%3Dx%26moment%3D3');
  expect(signInUrl('/coronaz/', '?run=x')).toBe('/coronaz/login?next=%2F%3Frun%3Dx');
});
