import type { InvocationContext } from '@azure/functions'
import {
  getClient,
  OrchestrationRuntimeStatus,
  type DurableClient,
  type DurableOrchestrationStatus,
  type OrchestrationFilter,
} from 'durable-functions'
import type { OrchestrationStatus, Orchestrations } from '../../base/durable-steps'

const NOT_ENDED = [
  OrchestrationRuntimeStatus.Pending,
  OrchestrationRuntimeStatus.Running,
  OrchestrationRuntimeStatus.ContinuedAsNew,
  OrchestrationRuntimeStatus.Suspended,
] as const

const ENDED = [
  OrchestrationRuntimeStatus.Completed,
  OrchestrationRuntimeStatus.Failed,
  OrchestrationRuntimeStatus.Terminated,
  OrchestrationRuntimeStatus.Canceled,
] as const

/** The client binding of the running invocation; the trigger must have `df.input.durableClient()` among its inputs. */
export function durableOrchestrations(context: InvocationContext): Orchestrations {
  let known: DurableClient | undefined
  const client = () => (known ??= getClient(context))

  const status = async (instanceId: string) => {
    const found = await client()
      .getStatus(instanceId)
      .catch((error: unknown) => {
        // The library throws where the instance is not known.
        if (error instanceof Error && /404|does not exist|not found/i.test(error.message)) return undefined
        throw error
      })
    return found?.instanceId ? statusOf(found) : undefined
  }

  const started = async (
    runtimeStatus: readonly OrchestrationRuntimeStatus[],
    begun: Pick<OrchestrationFilter, 'createdTimeFrom' | 'createdTimeTo'> = {},
  ) => {
    const found = await client().getStatusBy({ runtimeStatus: [...runtimeStatus], ...begun })
    return found.map(({ instanceId, input }) => ({ instanceId, input }))
  }

  return {
    status,
    start: async (name, instanceId, input) => {
      const found = await status(instanceId)
      if (found && !endedBadly(found)) return
      await client().startNew(name, { instanceId, input })
    },
    running: () => started(NOT_ENDED),
    ended: ({ fromMs, toMs }) => started(ENDED, { createdTimeFrom: new Date(fromMs), createdTimeTo: new Date(toMs) }),
    purge: async (instanceId) => {
      await client().purgeInstanceHistory(instanceId)
    },
    raise: (instanceId, event, data) => client().raiseEvent(instanceId, event, data),
  }
}

function statusOf(found: DurableOrchestrationStatus): OrchestrationStatus {
  return {
    state: stateOf(found.runtimeStatus),
    input: found.input,
    status: found.customStatus,
    output: found.output,
    createdAt: new Date(found.createdTime).getTime(),
    updatedAt: new Date(found.lastUpdatedTime).getTime(),
  }
}

/** Of its own failure, or with a checklist that did not come to its end. */
function endedBadly({ state, output }: OrchestrationStatus): boolean {
  if (state === 'failed' || state === 'terminated') return true
  const ended = (output as { readonly state?: unknown } | null | undefined)?.state
  return state === 'completed' && (ended === 'failed' || ended === 'undone')
}

function stateOf(status: OrchestrationRuntimeStatus): OrchestrationStatus['state'] {
  switch (status) {
    case OrchestrationRuntimeStatus.Completed:
      return 'completed'
    case OrchestrationRuntimeStatus.Failed:
      return 'failed'
    case OrchestrationRuntimeStatus.Terminated:
    case OrchestrationRuntimeStatus.Canceled:
      return 'terminated'
    default:
      return 'running'
  }
}
