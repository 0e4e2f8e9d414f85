/** The folder that a page's path lies in, without its last slash: '' or, behind a proxy, the prefix it takes off. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

const PREFIX = folderOf(globalThis.location?.pathname ?? '/');

/** Where something of the server's is, as the browser sees it. */
export const under = (path: `/${string}`): string => PREFIX + path;

/** Where one signs in, and comes back from to the page at this address. */
export function signInUrl(path: string, search: string): string {
  const folder = folderOf(path);
  // The server does not know the prefix.
  return `${folder}/login?next=${encodeURIComponent(path.slice(folder.length) + search)}`;
}
