/**
 * What an orchestrator may do, and nothing else: durable-functions stays behind it, and an orchestrator stays deterministic.
 * Every method that waits is a generator of its own: `const answer = yield* steps.call(…)`.
 */
export interface DurableSteps {
  readonly instanceId: string
  /** Runs an activity, at least once; its input and output are JSON. Throws when the activity threw. */
  call<Output>(activity: string, input: unknown): DurableStep<Output>
  /** Waits for so long, however often the host restarts meanwhile. */
  sleep(ms: number): DurableStep<void>
  /** The event's data, or undefined when it did not come in time. */
  event<Data>(name: string, timeoutMs: number): DurableStep<Data | undefined>
  /** The orchestration's own time, Unix milliseconds: the same in every replay. */
  now(): number
  /** What anybody who asks for the status sees from now on; JSON, at most 16 KB. */
  setStatus(status: object): void
}

/** `yield*` it. What it yields is the host's business. */
export type DurableStep<Output> = Generator<unknown, Output, unknown>

/** A deterministic generator: no clock, no chance, no I/O but what the steps do. */
export type Orchestrator<Input, Output> = (steps: DurableSteps, input: Input) => DurableStep<Output>

/** Starting and watching orchestrations, for whoever is not one. */
export interface Orchestrations {
  /** Does nothing when an instance of this id is there already, running or completed; one that ended badly begins anew. */
  start(name: string, instanceId: string, input: unknown): Promise<void>
  /** Undefined for an id that never ran, or has been purged. */
  status(instanceId: string): Promise<OrchestrationStatus | undefined>
  /** Every instance that has not ended, with what it was started with. */
  running(): Promise<readonly StartedOrchestration[]>
  /**
   * Every instance that was begun in the span, has ended and is not purged. The host looks through all that it keeps and hands
   * over those of the span at once: for rare work only, in spans that bound how many they are. Unix milliseconds.
   */
  ended(begun: { readonly fromMs: number; readonly toMs: number }): Promise<readonly StartedOrchestration[]>
  /** Removes what the host keeps of an instance that has ended: input, history, status. An unknown one is no error. */
  purge(instanceId: string): Promise<void>
  /** Events for an instance that is not running are dropped. */
  raise(instanceId: string, event: string, data: unknown): Promise<void>
}

export interface StartedOrchestration {
  readonly instanceId: string
  readonly input: unknown
}

export interface OrchestrationStatus {
  readonly state: 'running' | 'completed' | 'failed' | 'terminated'
  readonly input: unknown
  /** What `setStatus` said last. */
  readonly status: unknown
  readonly output: unknown
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}
