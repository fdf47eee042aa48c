import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../base/clock'
import type { Orchestrations } from '../base/durable-steps'
import { parseModelId, parseTenantId, type ModelId, type TenantId } from '../base/ids'
import { fieldsOf } from '../base/json-object'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { Registry } from '../registry/registry'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import { hostingName, hostingOperationOf, type HostingOrder } from './hosting-order'

/**
 * From a call, or a timer, to a checklist: by a queue, as for fine-tuning jobs. Whatever is asked twice, or late, is judged by how the
 * model stands when it is heard.
 */
export interface HostingBeginnings {
  /** With the installation's prefix. */
  readonly queueName: string
  ask(tenantId: TenantId, modelId: ModelId, want: HostingWant): Promise<void>
  /** What the queue's trigger hears. Throws where it should be told again. */
  hear(message: unknown, orchestrations: Pick<Orchestrations, 'start'>): Promise<void>
}

export type HostingWant = 'wake' | 'sleep'

const hostingQueue = 'hosting'
export const hostingQueueStorage = { queues: [hostingQueue] } as const

/** A deployment that has been under way for longer is nobody's any more: its checklist would have ended it. */
export const WAKE_MS_MAX = 7 * 3_600_000

export interface HostingBeginningsDeps {
  readonly storage: Pick<StorageAccount, 'queue'>
  readonly registry: Pick<Registry, 'get'>
  readonly tenants: Pick<Tenants, 'get' | 'setAsleep'>
  readonly clock: Clock
}

export function createHostingBeginnings(deps: HostingBeginningsDeps): HostingBeginnings {
  const queue = deps.storage.queue(hostingQueue)
  return {
    queueName: queue.name,
    ask: async (tenantId, modelId, want) => {
      // As hosts read queues unless they are told otherwise.
      await queue.sendMessage(Buffer.from(JSON.stringify({ tenantId, modelId, want })).toString('base64'))
    },
    hear: async (message, orchestrations) => {
      const { tenantId, modelId, want } = read(message)
      if (!tenantId || !modelId) return
      const begin = await orderOf(deps, TenantScope.ofPlatform(tenantId), modelId, want)
      if (!begin) return
      const operationId = hostingOperationOf(want, { modelId, sinceMs: begin.sinceMs })
      await orchestrations.start(hostingName, operationId, { tenantId, input: begin.order } satisfies ChecklistInput)
    },
  }
}

interface Beginning {
  readonly order: HostingOrder
  readonly sinceMs: number
}

/** Undefined where there is nothing to do. */
async function orderOf(
  deps: HostingBeginningsDeps,
  scope: TenantScope,
  modelId: ModelId,
  want: HostingWant,
): Promise<Beginning | undefined> {
  const deployment = (await deps.registry.get(scope, modelId))?.deployment
  if (!deployment || deployment.kind === 'none') return undefined
  const { kind, sinceMs } = deployment
  if (want === 'sleep') return kind === 'deployed' ? { order: { kind: 'sleep', modelId, sinceMs }, sinceMs } : undefined

  const order: HostingOrder = { kind: 'wake', modelId }
  const said = (await deps.tenants.get(scope))?.asleep?.find((each) => each.modelId === modelId)
  if (said?.refused && said.refused.untilMs > deps.clock.now()) return undefined
  switch (kind) {
    case 'asleep':
      return { order, sinceMs }
    case 'removing':
      return deployment.to === 'asleep' ? { order, sinceMs } : undefined
    case 'deploying':
      return deps.clock.now() - sinceMs > WAKE_MS_MAX ? { order, sinceMs } : undefined
    case 'deployed':
      // Somebody slow said that it sleeps after it was woken.
      if (said) await stayAwake(deps, scope, { modelId, deployment })
      return undefined
  }
}

async function stayAwake(
  { registry, tenants }: HostingBeginningsDeps,
  scope: TenantScope,
  { modelId, deployment }: { modelId: ModelId; deployment: { readonly plan: { readonly backendId: `bke_${string}` } } },
): Promise<void> {
  await tenants.setAsleep(scope, deployment.plan.backendId, undefined)
  const now = (await registry.get(scope, modelId))?.deployment
  // It was put to sleep this very moment: the timer says so again.
  if (!isDeepStrictEqual(now, deployment)) throw new Error(`${modelId} changed while it was said to be awake`)
}

/** The host has parsed what is JSON. */
function read(message: unknown): {
  tenantId: TenantId | undefined
  modelId: ModelId | undefined
  want: HostingWant
} {
  const { tenantId, modelId, want } = fieldsOf(message)
  return {
    tenantId: parseTenantId(String(tenantId)),
    modelId: parseModelId(String(modelId)),
    want: want === 'sleep' ? 'sleep' : 'wake',
  }
}
