import type { Caller } from '../access/caller'
import type { StageCaller } from '../registry/model-stages'
import type { TenantScope } from '../storage/tenant-scope'

/**
 * Whoever asked for an evaluation, as the data path knows callers: its calls are admitted by their limits and charged to their
 * budgets. Of people and applications neither knows more than the id. The aliases are chosen by the platform.
 */
export const callerOf = ({ tenantId }: TenantScope, { callerId, keyId, limits, budgets }: StageCaller): Caller => ({
  tenantId,
  callerId,
  principal: keyId ? { kind: 'key', keyId } : { kind: 'application', directoryId: '', objectId: callerId },
  role: undefined,
  scopes: ['inference'],
  aliases: undefined,
  limits,
  budgets,
})

/** What of a caller outlives its request. */
export const stageCallerOf = ({ callerId, principal, limits, budgets }: Caller): StageCaller => ({
  callerId,
  ...(principal.kind === 'key' ? { keyId: principal.keyId } : {}),
  ...(limits ? { limits } : {}),
  ...(budgets ? { budgets } : {}),
})
