import { describeError, type HostLog } from '../log'
import type { OutputWriter } from '../outputs'
import type { Invoker } from './invoke'
import type { HostFunction } from './registry'
import type { InvocationResponse, TypedData } from './worker-types'

export interface TriggerInput {
  readonly data: TypedData
  readonly metadata?: Readonly<Record<string, TypedData>>
}

export type Run =
  | { readonly kind: 'done'; readonly result: unknown; readonly response: InvocationResponse }
  | { readonly kind: 'failed'; readonly error: unknown }

/** Runs a function once for a trigger that is not HTTP, outputs included. Never rejects. */
export type FunctionRunner = (fn: HostFunction, input: TriggerInput) => Promise<Run>

export function createFunctionRunner(deps: {
  invoker: Invoker
  outputs: OutputWriter
  extraInputsOf: (fn: HostFunction) => readonly { name: string; data: TypedData }[]
  nextInvocationId: () => string
}): FunctionRunner {
  const { invoker, outputs, extraInputsOf, nextInvocationId } = deps
  return async (fn, { data, metadata = {} }) => {
    const invocation = await invoker.invoke(fn, {
      invocationId: nextInvocationId(),
      inputData: [{ name: fn.triggerName, data }, ...extraInputsOf(fn)],
      triggerMetadata: metadata,
    })
    if (invocation.kind === 'failed' || fn.outputs.size === 0) return invocation
    try {
      await outputs.write(fn, invocation.response, { metadata, payload: data.string })
      return invocation
    } catch (error) {
      return { kind: 'failed', error }
    }
  }
}

/** The same, with failures written to the log; true when the run succeeded. */
export async function runLogged(
  { run, log }: { run: FunctionRunner; log: HostLog },
  fn: HostFunction,
  input: TriggerInput,
): Promise<boolean> {
  const outcome = await run(fn, input)
  if (outcome.kind === 'failed') log.write('error', fn.name, describeError(outcome.error))
  return outcome.kind === 'done'
}
