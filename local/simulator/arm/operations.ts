import { ArmError, endpointPath, type ArmCall, type ArmEndpoint } from './arm-answer'
import type { ArmStore, Operation } from './arm-store'

/** Where slow changes are polled: `operations` tells their state, `operationResults` is 202 until they have ended. */
export function operationEndpoints(store: ArmStore): ArmEndpoint[] {
  const found = ({ params }: ArmCall) => {
    const operation = store.operation(params['operation'] ?? '')
    if (operation) return operation
    throw new ArmError(404, 'OperationNotFound', `The operation '${params['operation']}' was not found.`)
  }
  const path = (what: string) =>
    endpointPath(
      `/subscriptions/(?<subscription>[^/]+)/providers/Microsoft\\.[^/]+/locations/[^/]+/${what}/(?<operation>[^/]+)`,
    )
  const type = 'Microsoft.Resources/operations'
  return [
    {
      path: path('operations'),
      type,
      serve: { GET: (call) => ({ status: 200, body: shown(call, found(call)), headers: waitOf(call, found(call)) }) },
    },
    {
      path: path('operationResults'),
      type,
      serve: {
        GET: (call) => {
          const operation = found(call)
          if (operation.until > call.now) return { status: 202, headers: waitOf(call, operation) }
          const { failure } = operation
          return failure ? new ArmError(409, failure.code, failure.message).answer : { status: 200, body: {} }
        },
      },
    },
  ]
}

function shown({ id, now }: ArmCall, operation: Operation): object {
  const { startedAt, until, failure } = operation
  const common = { id, name: operation.id, startTime: new Date(startedAt).toISOString() }
  if (until > now) return { ...common, status: 'InProgress' }
  const ended = { ...common, endTime: new Date(until).toISOString() }
  return failure ? { ...ended, status: 'Failed', error: failure } : { ...ended, status: 'Succeeded' }
}

const waitOf = ({ now }: ArmCall, { until }: Operation): Record<string, string> =>
  until > now ? { 'retry-after': String(Math.ceil((until - now) / 1_000)) } : {}
