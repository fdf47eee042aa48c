import type { HostFunction, Registry } from '../core/registry'
import type { FunctionRunner, Run } from '../core/run-function'

export type DurableKind = 'orchestration' | 'activity' | 'entity'

/** The app's durable functions, by kind and by name without regard to case. */
export interface DurableFunctions {
  has(kind: DurableKind, name: string): boolean
  /** `trigger` is the JSON (or plain text) that the handler gets. An unknown function is a failed run. */
  run(kind: DurableKind, name: string, trigger: string, instanceId: string): Promise<Run>
}

export function durableFunctionsOf(registry: Registry, runFunction: FunctionRunner): DurableFunctions {
  const find = (kind: DurableKind, name: string): HostFunction | undefined => {
    const fn = registry.functions.get(name.toLowerCase())
    return fn?.trigger.type.toLowerCase() === `${kind}trigger` ? fn : undefined
  }
  return {
    has: (kind, name) => find(kind, name) !== undefined,
    run: (kind, name, trigger, instanceId) => {
      const fn = find(kind, name)
      const error = () => new Error(`The function '${name}' doesn't exist, is disabled, or is not an ${kind} function.`)
      if (!fn) return Promise.resolve({ kind: 'failed', error: error() })
      return runFunction(fn, { data: { string: trigger }, metadata: { instanceId: { string: instanceId } } })
    },
  }
}
