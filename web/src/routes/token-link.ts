const MARK = '#sign-in=';

/**
 * Takes the operator's token out of a link (`#sign-in=TOKEN`). The part behind `#` is never sent to a server;
 * it is removed from the address at once, so that it is in no link that is shared and in no history.
 */
export function takeToken(): string | undefined {
  if (!location.hash.startsWith(MARK)) return undefined;
  const token = decode(location.hash.slice(MARK.length));
  history.replaceState(null, '', location.pathname + location.search);
  return token === '' ? undefined : token;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text).trim();
  } catch {
    return text.trim();
  }
}
