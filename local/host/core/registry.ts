import { type HostLog, messageOf } from '../log'
import { resolveNames } from '../settings'
import {
  type Binding,
  type FunctionCallback,
  type FunctionMetadata,
  HOOK_NAMES,
  type HookCallback,
  type HookName,
  type ProgrammingModel,
} from './worker-types'

/** A function of the app, with its bindings sorted once by what the host does with them. */
export interface HostFunction {
  readonly name: string
  readonly metadata: FunctionMetadata
  readonly callback: FunctionCallback
  readonly triggerName: string
  readonly trigger: Binding
  /** Extra inputs, by the binding's name. */
  readonly inputs: ReadonlyMap<string, Binding>
  readonly outputs: ReadonlyMap<string, Binding>
}

/** What the app has registered: functions, hooks and the library that speaks for it. Locked once the app has started. */
export class Registry {
  readonly functions = new Map<string, HostFunction>()
  programmingModel: ProgrammingModel | undefined
  private readonly hooks = new Map<HookName, Set<HookCallback>>(HOOK_NAMES.map((name) => [name, new Set()]))
  private readonly hookDataOfApp = {}
  private locked = false

  constructor(
    private readonly log: HostLog,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  lock(): void {
    this.locked = true
  }

  addFunction(metadata: FunctionMetadata, callback: FunctionCallback): () => void {
    if (this.locked) throw new Error(`Function "${metadata.name}" was registered after the app had started.`)
    const key = metadata.name.toLowerCase()
    if (this.functions.has(key)) throw new Error(`A function with the name "${metadata.name}" is already registered.`)
    this.functions.set(key, sortBindings(metadata, callback, this.env))
    return () => this.functions.delete(key)
  }

  addHook(name: string, callback: HookCallback): () => void {
    const hooks = this.hooks.get(name as HookName)
    if (!hooks) throw new RangeError(`Unrecognized hook "${name}"`)
    hooks.add(callback)
    return () => hooks.delete(callback)
  }

  hasHooks(name: HookName): boolean {
    return (this.hooks.get(name)?.size ?? 0) > 0
  }

  /** Runs the hooks of one name in the order of registration; what they throw ends the start or the invocation. */
  async runHooks(name: HookName, context: Record<string, unknown>): Promise<void> {
    context['appHookData'] = this.hookDataOfApp
    for (const hook of this.hooks.get(name) ?? []) await hook(context)
  }

  /** Log hooks may change level and message. They are synchronous, and a failing one must not take the line with it. */
  logThroughHooks(context: { level: string; category: string; message: string; invocationContext?: unknown }): void {
    for (const hook of this.hooks.get('log') ?? []) {
      try {
        void hook(context)
      } catch (error) {
        this.log.write('warning', 'host', `a log hook failed: ${messageOf(error)}`)
      }
    }
  }

  ofTrigger(type: string): HostFunction[] {
    return [...this.functions.values()].filter(({ trigger }) => trigger.type.toLowerCase() === type.toLowerCase())
  }
}

/** The host's own copy has the app settings that names like %QUEUE% stand for; the library keeps the app's text. */
function sortBindings(metadata: FunctionMetadata, callback: FunctionCallback, env: NodeJS.ProcessEnv): HostFunction {
  const entries = Object.entries(resolveNames(metadata.bindings, env))
  const found = entries.find(([, { type }]) => /trigger$/i.test(type))
  if (!found) throw new Error(`Function "${metadata.name}" has no trigger.`)
  const [triggerName, trigger] = found
  return {
    name: metadata.name,
    metadata,
    callback,
    triggerName,
    trigger,
    inputs: new Map(entries.filter(([name, { direction }]) => direction === 'in' && name !== triggerName)),
    outputs: new Map(entries.filter(([, { direction }]) => direction === 'out')),
  }
}
