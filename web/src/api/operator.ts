import { ask, ServerError } from './ask';
import { under } from './base';
import type { components } from './schema';

type Schemas = components['schemas'];

export type SessionInfo = Schemas['Session'];
export type LaboratoryInfo = Schemas['Laboratory'];
export type LaboratoryRun = Schemas['LaboratoryRun'];
export type Part = Schemas['LaboratoryPart'];
export type PartKind = Schemas['Station'];
export type PartState = Schemas['PartState'];
export type PartAct = Schemas['Action'];
export type Flow = Schemas['Flow'];
export type Scenarios = Schemas['Scenarios'];
export type Scenario = Schemas['Scenario'];
export type ParameterInfo = Schemas['ParameterInfo'];
export type ParameterValue = Schemas['Parameter'];
export type RunKind = Schemas['Kind'];
export type RunRequest = Schemas['NewRun'];
export type ForkRequest = Schemas['NewFork'];
export type PeopleRequest = Schemas['NewPeople'];
export type AuditInfo = Schemas['Audit'];
export type Verdict = Schemas['Verdict'];
export type ChaosInfo = Schemas['Chaos'];
export type ChaosRequest = Schemas['NewChaos'];
export type Fault = Schemas['Fault'];

export const EXPORTS = ['statistics', 'infections', 'contacts', 'encounters', 'nodes'] as const;
export type Export = (typeof EXPORTS)[number];

const LABORATORY = '/api/v1/laboratory';
const runPath = (run: string) => `/api/v1/runs/${run}` as const;

export const fetchSession = (signal?: AbortSignal) =>
  ask<SessionInfo>('GET', '/api/v1/session', undefined, signal);
export const fetchLaboratory = (signal?: AbortSignal) =>
  ask<LaboratoryInfo>('GET', LABORATORY, undefined, signal);
export const actOnPart = (part: string, act: PartAct) =>
  ask<void>('POST', `${LABORATORY}/parts/${encodeURIComponent(part)}/${act}`);
export const addPeople = (people: PeopleRequest) => ask<void>('POST', `${LABORATORY}/people`, people);

export const fetchScenarios = () => ask<Scenarios>('GET', '/api/v1/scenarios');
export const startRun = (request: RunRequest) => ask<{ run: string }>('POST', '/api/v1/runs', request);
export const stopRun = (run: string) => ask<void>('POST', `${runPath(run)}/stop`);
export const forkRun = (run: string, request: ForkRequest) =>
  ask<{ run: string }>('POST', `${runPath(run)}/fork`, request);
export const deleteRun = (run: string) => ask<void>('DELETE', runPath(run));
export const exportUrl = (run: string, what: Export) => under(`${runPath(run)}/export/${what}.csv`);

export const fetchAudit = () => ask<AuditInfo>('GET', `${LABORATORY}/audit`);
export const startAudit = (run: string) => ask<void>('POST', `${LABORATORY}/audit`, { run });
export const fetchChaos = () => ask<ChaosInfo>('GET', `${LABORATORY}/chaos`);
export const startChaos = (request: ChaosRequest) => ask<void>('POST', `${LABORATORY}/chaos`, request);
export const stopChaos = () => ask<void>('DELETE', `${LABORATORY}/chaos`);

export const signOut = () => ask<void>('DELETE', '/api/v1/session');

/** Signs in with the operator's token: the server gives a cookie that scripts cannot read. */
export async function signIn(token: string): Promise<void> {
  const response = await fetch(under('/login'), {
    method: 'POST',
    body: new URLSearchParams({ token }),
    // The answer leads to the page, which is here already.
    redirect: 'manual',
  });
  if (response.type !== 'opaqueredirect' && !response.ok) throw new ServerError(response.status);
}
