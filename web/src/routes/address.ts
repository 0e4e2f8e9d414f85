import { SPEED_MAX, SPEED_MIN } from '../live/session';
import type { View } from '../map/view';
import { COMPARED_MAX, VIEWS, type ViewName } from '../ui/choices';

/** What a link holds: the page's view, the runs it compares, the run, live or a moment, speed, person, view, theme. */
export interface Address {
  page: ViewName;
  /** Runs that are compared; undefined: the list of runs. */
  compare: string[] | undefined;
  run: string | undefined;
  /** undefined: live. */
  moment: number | undefined;
  speed: number | undefined;
  person: string | undefined;
  view: View | undefined;
  realism: boolean;
  /** Told apart by shape as well as by colour. */
  shapes: boolean;
  theme: 'light' | 'dark' | undefined;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads an address; what is not understood is left out, so that an old or mistyped link still opens. */
export function readAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const uuid = (name: string) =>
    UUID.test(query.get(name) ?? '') ? (query.get(name) as string).toLowerCase() : undefined;
  const theme = query.get('theme');
  const moment = query.get('moment');
  const compared = query.get('compare')?.toLowerCase().split(',');
  return {
    page: VIEWS.find((view) => view === query.get('page')) ?? 'map',
    compare: compared?.filter((id) => UUID.test(id)).slice(0, COMPARED_MAX),
    run: uuid('run'),
    moment: moment !== null && /^\d{1,15}$/.test(moment) ? Number(moment) : undefined,
    speed: within(Number(query.get('speed') ?? Number.NaN), SPEED_MIN, SPEED_MAX),
    person: uuid('person'),
    view: readView(query.get('view')),
    realism: query.get('realism') === '1',
    shapes: query.get('shapes') === '1',
    theme: theme === 'light' || theme === 'dark' ? theme : undefined,
  };
}

/** Writes an address; members of `search` that are not the page's own (`renderer`) stay. */
export function writeAddress(address: Address, search: string): string {
  const query = new URLSearchParams(search);
  const put = (name: string, value: string | undefined) => {
    if (value === undefined) query.delete(name);
    else query.set(name, value);
  };
  put('page', address.page === 'map' ? undefined : address.page);
  put('compare', address.page === 'runs' ? address.compare?.join(',') : undefined);
  put('run', address.run);
  put('moment', address.moment?.toString());
  put('speed', address.speed === 1 ? undefined : address.speed?.toString());
  put('person', address.person);
  put('view', address.view && [address.view.x, address.view.y, address.view.scale].map(short).join(','));
  put('realism', address.realism ? '1' : undefined);
  put('shapes', address.shapes ? '1' : undefined);
  put('theme', address.theme);
  const text = query.toString().replaceAll('%2C', ',');
  return text === '' ? '' : `?${text}`;
}

function readView(text: string | null): View | undefined {
  const parts = (text ?? '').split(',').map(Number);
  const [x, y, scale] = parts;
  if (parts.length !== 3 || x === undefined || y === undefined || scale === undefined) return undefined;
  return parts.every(Number.isFinite) && scale > 0 ? { x, y, scale } : undefined;
}

const within = (value: number, low: number, high: number) =>
  value >= low && value <= high ? value : undefined;
const short = (value: number) => Number(value.toPrecision(6)).toString();
