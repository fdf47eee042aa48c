import type { OrchestrationContext, OrchestrationHandler } from 'durable-functions'
import type { DurableStep, DurableSteps, Orchestrator } from '../../base/durable-steps'

/** Our orchestrator as durable-functions runs it. */
export function orchestrationHandler<Input, Output>(orchestrator: Orchestrator<Input, Output>): OrchestrationHandler {
  return function* (context) {
    // The input is what `start` was given: JSON of ours.
    return yield* orchestrator(stepsOf(context), context.df.getInput<Input>()) as Generator<never, Output>
  }
}

function stepsOf({ df }: OrchestrationContext): DurableSteps {
  const inMs = (ms: number) => new Date(df.currentUtcDateTime.getTime() + ms)
  return {
    instanceId: df.instanceId,
    *call<Output>(activity: string, input: unknown): DurableStep<Output> {
      return (yield df.callActivity(activity, input)) as Output
    },
    *sleep(ms) {
      yield df.createTimer(inMs(ms))
    },
    *event<Data>(name: string, timeoutMs: number): DurableStep<Data | undefined> {
      const event = df.waitForExternalEvent(name)
      const timer = df.createTimer(inMs(timeoutMs))
      if ((yield df.Task.any([event, timer])) !== event) return undefined
      // A timer that is left open would keep the instance running until it fires.
      if (!timer.isCompleted) timer.cancel()
      return event.result as Data
    },
    now: () => df.currentUtcDateTime.getTime(),
    setStatus: (status) => df.setCustomStatus(status),
  }
}
