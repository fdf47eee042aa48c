import type { HostLog } from '../log'
import type { HostFunction, Registry } from './registry'
import type { CoreContext, InvocationModel, InvocationRequest, InvocationResponse } from './worker-types'

/**
 * How an invocation ended. `result` is what the handler returned, before the library encoded it.
 * `failed` carries what was thrown, by a hook, the handler or the encoding of its result.
 */
export type Invocation = (
  | { readonly kind: 'done'; readonly result: unknown; readonly response: InvocationResponse }
  | { readonly kind: 'failed'; readonly error: unknown }
) & {
  /** Lets the library encode another result in place of the handler's; for HTTP that means to answer with it. */
  readonly respondInstead: (result: unknown) => Promise<unknown>
}

export interface Invoker {
  /** Never rejects: a failing function is an ordinary outcome for every trigger. */
  invoke(fn: HostFunction, request: InvocationRequest): Promise<Invocation>
  /** Invocations under way now. */
  readonly inFlight: number
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export function createInvoker(registry: Registry, log: HostLog): Invoker {
  let inFlight = 0
  let waiting: (() => void)[] = []

  const leave = () => {
    if (--inFlight > 0) return
    for (const wake of waiting) wake()
    waiting = []
  }
  return {
    get inFlight() {
      return inFlight
    },
    invoke: async (fn, request) => {
      inFlight++
      try {
        return await run(registry, log, fn, request)
      } finally {
        leave()
      }
    },
    idle: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
  }
}

async function run(registry: Registry, log: HostLog, fn: HostFunction, request: InvocationRequest) {
  const core = new InvocationCore(registry, log, fn, request)
  const model = startModel(registry, core)
  // Enough of a context for the library to answer with, should it fail before it has made its own.
  let context: unknown = { invocationId: request.invocationId, extraOutputs: { get: () => undefined } }
  const respondInstead = (result: unknown) => model.getResponse(context, result)
  try {
    const args = await model.getArguments()
    context = args.context
    core.invocationContext = args.context
    const result = await runHandler(registry, core, model, { ...args, callback: fn.callback })
    return { kind: 'done' as const, result, response: await model.getResponse(context, result), respondInstead }
  } catch (error) {
    return { kind: 'failed' as const, error, respondInstead }
  }
}

function startModel(registry: Registry, core: CoreContext): InvocationModel {
  if (!registry.programmingModel) throw new Error('no programming model is registered')
  return registry.programmingModel.getInvocationModel(core)
}

async function runHandler(
  registry: Registry,
  core: InvocationCore,
  model: InvocationModel,
  { context, inputs, callback }: { context: unknown; inputs: unknown[]; callback: HostFunction['callback'] },
): Promise<unknown> {
  const hasHooks = registry.hasHooks('preInvocation') || registry.hasHooks('postInvocation')
  if (!hasHooks) return model.invokeFunction(context, inputs, callback)

  const hookData = {}
  const before: Record<string, unknown> = { hookData, invocationContext: context, functionCallback: callback, inputs }
  core.state = 'preInvocationHooks'
  await registry.runHooks('preInvocation', before)
  core.state = 'invocation'
  const after: Record<string, unknown> = { hookData, invocationContext: context, inputs: before['inputs'] }
  try {
    const handler = before['functionCallback'] as HostFunction['callback']
    after['result'] = await model.invokeFunction(context, before['inputs'] as unknown[], handler)
  } catch (error) {
    after['error'] = error ?? new Error('the function threw no error object')
  }
  core.state = 'postInvocationHooks'
  await registry.runHooks('postInvocation', after)
  if (after['error']) throw after['error']
  return after['result']
}

/** A class and not an object literal, so that the hot path makes no closure for each call's log. */
class InvocationCore implements CoreContext {
  state: CoreContext['state']
  invocationContext: unknown

  constructor(
    private readonly registry: Registry,
    private readonly hostLog: HostLog,
    private readonly fn: HostFunction,
    readonly request: InvocationRequest,
  ) {}

  get invocationId() {
    return this.request.invocationId
  }

  get metadata() {
    return this.fn.metadata
  }

  log(level: Parameters<CoreContext['log']>[0], category: string, message: string): void {
    const line = { level, category, message, hookData: {}, invocationContext: this.invocationContext }
    if (this.registry.hasHooks('log')) this.registry.logThroughHooks(line)
    this.hostLog.write(line.level, this.fn.name, line.message)
  }
}
