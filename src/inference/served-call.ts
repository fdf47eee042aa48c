import type { Caller } from '../access/caller'
import type { Backend } from '../routing/backend'
import type { TenantSnapshot } from '../tenants/snapshot'
import type { Grant } from './authorize'
import type { Body, OperationName } from './operation'
import type { Call } from './read-call'
import type { CallEnd, RunningCall } from './running-call'

/** A client's call that was answered whole, for whoever measures what models are asked. */
export interface ServedCall {
  readonly tenant: TenantSnapshot
  readonly caller: Caller
  /** That answered: of an alias with shares, or after a fallback, only this says which model it was. */
  readonly backend: Pick<Backend, 'id' | 'ownerTenantId'>
  readonly operation: OperationName
  /** To be read at once, and not kept. */
  readonly body: Body
  readonly promptEstimate: number
  /** Of each answer, without those of thought, as the provider reported them; undefined where it did not. */
  readonly outputTokens: number | undefined
}

/** Told behind the answer; must neither throw nor wait. */
export type WatchServed = (served: ServedCall) => void

/** Calls of tenants that have asked for it are told of when they end; to the others this is one look at their snapshot. */
export function tellWhenServed(
  { watchServed }: { readonly watchServed?: WatchServed | undefined },
  running: RunningCall,
  { grant, call, promptEstimate }: { readonly grant: Grant; readonly call: Call; readonly promptEstimate: number },
): void {
  if (!grant.tenant.settings.drift?.watch || !watchServed) return
  running.tells((end) => {
    const served = servedCall(grant, { call, promptEstimate, end })
    if (served) watchServed(served)
  })
}

/** Undefined for a call that was not answered whole. */
function servedCall(
  { tenant, caller }: Grant,
  { call, promptEstimate, end }: { call: Call; promptEstimate: number; end: CallEnd },
): ServedCall | undefined {
  const { outcome, status, backend, usage, estimated } = end
  if (outcome !== 'completed' || status !== 200 || !backend) return undefined
  const outputTokens = estimated ? undefined : (usage.outputTokens - usage.reasoningTokens) / call.choices
  const { operation, body } = call
  return { tenant, caller, backend, operation: operation.name, body, promptEstimate, outputTokens }
}
