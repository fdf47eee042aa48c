import type { ArmAnswer, ArmCall } from './arm-answer'
import type { ArmStore } from './arm-store'
import type { Phase } from './stored-resource'

/** How a change that takes its time is begun: the phase of the resource, and what the answer says of the operation. */
export interface SlowChange {
  readonly phase: Phase
  readonly headers: Readonly<Record<string, string>>
}

const secondsOf = (ms: number) => String(Math.ceil(ms / 1_000))

/** Without a delay what is made is there at once, and no operation is told of. */
export function beginMaking(
  store: ArmStore,
  call: ArmCall,
  { delayMs, provider, location }: { delayMs: number; provider: string; location: string },
): SlowChange {
  const { now, failure } = call
  if (delayMs === 0) return { phase: failure ? { kind: 'failed', failure } : { kind: 'ready' }, headers: {} }
  const until = now + delayMs
  const headers = operationHeaders(store, call, { delayMs, provider, location })
  return { phase: { kind: 'making', until, failure }, headers }
}

export function beginDeleting(
  store: ArmStore,
  call: ArmCall,
  { delayMs, provider, location }: { delayMs: number; provider: string; location: string },
): SlowChange {
  const headers = operationHeaders(store, { ...call, failure: undefined }, { delayMs, provider, location })
  return { phase: { kind: 'deleting', until: call.now + delayMs }, headers }
}

function operationHeaders(
  store: ArmStore,
  { id, now, origin, query, failure }: ArmCall,
  { delayMs, provider, location }: { delayMs: number; provider: string; location: string },
): Record<string, string> {
  const { id: operationId } = store.begin({ startedAt: now, until: now + delayMs, failure })
  const subscription = id.split('/').slice(0, 3).join('/')
  const path = `${subscription}/providers/${provider}/locations/${location}`
  const url = (results: string) => `${origin}${path}/${results}/${operationId}?${query.toString()}`
  return {
    'azure-asyncoperation': url('operations'),
    location: url('operationResults'),
    'retry-after': secondsOf(delayMs),
  }
}

/** Of a PUT: 201 for what is new. */
export const madeAnswer = (isNew: boolean, body: object, { headers }: SlowChange): ArmAnswer => ({
  status: isNew ? 201 : 200,
  body,
  headers,
})
