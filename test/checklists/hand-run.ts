import type { DurableStep, DurableSteps } from '../../src/base/durable-steps'

/** Runs an orchestrator by hand, on a time that only its own waits move. What it says of its status is kept. */
export async function handRun<Output>(
  orchestrate: (steps: DurableSteps) => DurableStep<Output>,
  world: {
    readonly activity: (name: string, input: unknown) => Promise<unknown>
    readonly event?: (name: string) => unknown
    readonly instanceId?: string
    /** Also waits for real, for steps that look at a clock of their own. */
    readonly sleep?: (ms: number) => Promise<void>
  },
): Promise<{ output: Output; statuses: object[]; elapsedMs: number }> {
  let nowMs = 0
  const statuses: object[] = []
  const steps: DurableSteps = {
    instanceId: world.instanceId ?? 'onb_1',
    *call<T>(activity: string, input: unknown): DurableStep<T> {
      // As on the wire: what a host carries is JSON.
      return (yield async () => parse(await world.activity(activity, parse(input)))) as T
    },
    *sleep(ms) {
      nowMs += ms
      yield async () => world.sleep?.(ms)
    },
    *event<T>(name: string, timeoutMs: number): DurableStep<T | undefined> {
      const data = world.event?.(name)
      if (data === undefined) nowMs += timeoutMs
      yield async () => undefined
      return data as T | undefined
    },
    now: () => nowMs,
    setStatus: (status) => void statuses.push(parse(status) as object),
  }
  const run = orchestrate(steps)
  let answer: unknown
  for (;;) {
    const { done, value } = run.next(answer)
    if (done) return { output: value, statuses, elapsedMs: nowMs }
    answer = await (value as () => Promise<unknown>)()
  }
}

const parse = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
