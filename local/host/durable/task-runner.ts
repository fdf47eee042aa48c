import type { HostClock } from '../clock'
import { describeError, type HostLog, messageOf } from '../log'
import type { DurableFunctions } from './functions'
import type { DurableHttpRequest } from './protocol'
import type { TaskOutcome } from './records'

/** Activities and HTTP calls under way at once; the rest waits its turn. */
const TASKS_MAX = 64
const RESULT_RETRY_MS_MIN = 100
const RESULT_RETRY_MS_MAX = 5_000
const HTTP_TIMEOUT_MS = 100_000

export interface RunnableTask {
  readonly instanceId: string
  readonly executionId: string
  readonly taskNumber: number
  readonly work:
    | { readonly kind: 'activity'; readonly name: string; readonly input: string }
    | { readonly kind: 'http'; readonly request: DurableHttpRequest }
}

/** Runs the tasks that orchestrations wait for and hands their results back. */
export interface TaskRunner {
  /** A task that is under way already is left alone, so an instance can be loaded again without running it twice. */
  run(task: RunnableTask): void
  /** Resolves when nothing is under way and all results are stored. */
  idle(): Promise<void>
}

export function createTaskRunner(deps: {
  functions: DurableFunctions
  clock: HostClock
  log: HostLog
  isStopping: () => boolean
  /** Stores the result; rejects when that failed. */
  handBack: (task: RunnableTask, outcome: TaskOutcome) => Promise<void>
}): TaskRunner {
  const { functions, log } = deps
  const underWay = new Map<string, Promise<void>>()
  const waiting: (() => void)[] = []
  let running = 0

  const runOne = async (task: RunnableTask) => {
    if (running >= TASKS_MAX) await new Promise<void>((resolve) => void waiting.push(resolve))
    running++
    try {
      const outcome = task.work.kind === 'http' ? await callHttp(task.work.request) : await runActivity(deps, task)
      await handBackSurely(deps, task, outcome)
    } finally {
      running--
      waiting.shift()?.()
    }
  }
  return {
    run: (task) => {
      const key = `${task.executionId} ${task.taskNumber}`
      if (underWay.has(key)) return
      const work = runOne(task)
        .catch((error: unknown) => log.write('error', 'durable', describeError(error)))
        .finally(() => underWay.delete(key))
      underWay.set(key, work)
    },
    idle: async () => {
      await Promise.all(underWay.values())
    },
  }

  async function runActivity({ log }: { log: HostLog }, { instanceId, work }: RunnableTask): Promise<TaskOutcome> {
    if (work.kind !== 'activity') throw new Error('not an activity')
    const run = await functions.run('activity', work.name, work.input, instanceId)
    if (run.kind === 'done') return { kind: 'completed', result: JSON.stringify(run.result ?? null) }
    log.write('warning', work.name, describeError(run.error))
    const message = messageOf(run.error)
    const stack = run.error instanceof Error ? (run.error.stack ?? '') : ''
    return {
      kind: 'failed',
      reason: `Activity function '${work.name}' failed: ${message}`,
      details: `Message: ${message}, StackTrace: ${stack}`,
    }
  }
}

/** A result must not be lost while this process lives: only what is stored survives a kill. */
async function handBackSurely(
  deps: Parameters<typeof createTaskRunner>[0],
  task: RunnableTask,
  outcome: TaskOutcome,
): Promise<void> {
  const { handBack, clock, log, isStopping } = deps
  for (let pauseMs = RESULT_RETRY_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, RESULT_RETRY_MS_MAX)) {
    try {
      return await handBack(task, outcome)
    } catch (error) {
      if (isStopping()) throw error
      log.write('warning', 'durable', `the result of task ${task.taskNumber} was not stored: ${messageOf(error)}`)
      const atMs = clock.now() + pauseMs
      await new Promise<void>((resolve) => void clock.at(atMs, resolve))
    }
  }
}

/** `callHttp`, without the polling that a 202 asks for: that is refused rather than answered wrongly. */
async function callHttp(request: DurableHttpRequest): Promise<TaskOutcome> {
  const { method, uri, content, headers = {}, asynchronousPatternEnabled } = request
  try {
    const signal = AbortSignal.timeout(HTTP_TIMEOUT_MS)
    const answer = await fetch(uri, { method, headers, signal, ...(content === undefined ? {} : { body: content }) })
    if (answer.status === 202 && answer.headers.has('location') && asynchronousPatternEnabled) {
      return failedHttp('the answer 202 asks to be polled, which the local host does not do; set enablePolling: false')
    }
    const body = await answer.text()
    const response = { statusCode: answer.status, headers: Object.fromEntries(answer.headers), content: body }
    return { kind: 'completed', result: JSON.stringify(response) }
  } catch (error) {
    return failedHttp(messageOf(error))
  }
}

function failedHttp(message: string): TaskOutcome {
  return { kind: 'failed', reason: `The HTTP call failed: ${message}`, details: `Message: ${message}` }
}
