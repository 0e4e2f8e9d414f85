import { createContext, useContext } from 'react';
import type { MapScene } from './scene';

/** The map on show, for those who steer it from elsewhere: keys, the person panel, the address. */
export interface MapHandle {
  current: MapScene | undefined;
}

const MapHandleContext = createContext<MapHandle>({ current: undefined });
export const MapHandleProvider = MapHandleContext.Provider;
export const useMapHandle = (): MapHandle => useContext(MapHandleContext);
