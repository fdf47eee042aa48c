import type { UpstreamHttp } from '../azure/upstream-http'
import type { Log } from '../base/log'
import type { FairQueue } from '../fairness/fair-queue'
import type { RunningCalls } from './running-calls'
import { loadTokenizer } from './text-tally'

/**
 * The Functions host gives an app 5 s to end (`WorkerTerminateGracePeriodInSeconds` of Azure/azure-functions-host), behind the time in
 * which it has sent no new calls and waited for those under way. Both together leave 1.5 s to write what the calls leave behind.
 */
const GRACE_MS = 2_500
const CUT_MS_MAX = 1_000

interface StopDeps {
  readonly runningCalls: RunningCalls
  readonly fairQueue: Pick<FairQueue, 'close'>
  readonly upstream: Pick<UpstreamHttp, 'cut'>
  readonly log: Log
}

/**
 * Ends the calls of this process: no new ones from now on, those under way have their grace, and what is left is cut off, told so, and
 * stands in the usage log as it was. When it resolves every call is settled.
 */
export async function stopCalls(
  { runningCalls, fairQueue, upstream, log }: StopDeps,
  { graceMs = GRACE_MS, cutMsMax = CUT_MS_MAX } = {},
): Promise<void> {
  runningCalls.close()
  // Streams that are cut off are counted by it: read only then, it would take from the time to write down what they were. Whoever
  // counts meets what fails here again.
  if (runningCalls.count > 0) loadTokenizer().catch(() => {})
  if (await runningCalls.idle(graceMs)) return
  log.warn('calls are cut off', { count: runningCalls.count })
  runningCalls.cut()
  fairQueue.close()
  await upstream.cut()
  if (await runningCalls.idle(cutMsMax)) return
  log.warn('calls that did not end when they were cut off', { count: runningCalls.count })
  runningCalls.end()
}
