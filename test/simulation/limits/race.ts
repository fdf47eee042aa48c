import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { limitStorage } from '../../../src/limits/create-limiter'
import type { WindowShape } from '../../../src/limits/window-state'
import type { Limits } from '../../../src/tenants/snapshot'
import { freshStorage, testConnectionString } from '../../harness/storage'
import type { Orders, TenantOrders } from './limiter-process'

const SAMPLES_PER_WINDOW = 240
const WARM_UP_WINDOWS = 1
const DEMAND = 2
const HOLD_MS_MAX = 100

/** Real processes that share the rows of some tenants, all of which want more than their limits. */
export interface RaceOptions {
  /** The bundle of limiter-process.ts. */
  readonly entry: string
  readonly processes: number
  readonly tenants: number
  readonly shape: WindowShape
  readonly forMs: number
  /** One process dies by SIGKILL at this time. */
  readonly killAfterMs?: number
  readonly chance: () => number
}

/** How one tenant's limits held. */
export interface RaceResult {
  readonly processes: number
  readonly killed: boolean
  readonly limits: Limits
  /** The most that any window held. */
  readonly peaks: { readonly requests: number; readonly tokens: number; readonly calls: number }
  readonly admitted: number
  /** What was let through above a limit, as a share of it; 0 or less where it held. */
  readonly over: number
  /** How full the window of the tighter limit was, on average once it had filled. */
  readonly usable: number
  readonly errors: string
}

export async function race(options: RaceOptions): Promise<RaceResult[]> {
  const { entry, processes, killAfterMs, forMs, shape } = options
  const storage = freshStorage()
  await storage.ensure(limitStorage)
  const tenants = Array.from({ length: options.tenants }, (_, i) => drawTenant(options, i))
  const orders: Orders = { connectionString: testConnectionString(), prefix: storage.prefix, shape, tenants, forMs }
  const runners = Array.from({ length: processes }, () => start(entry, orders))
  let killedAtMs = Infinity
  const kill =
    killAfterMs !== undefined &&
    setTimeout(() => {
      killedAtMs = Date.now()
      runners[0]?.child.kill('SIGKILL')
    }, killAfterMs)
  const stories = await Promise.all(runners.map(({ story }) => story()))
  if (kill) clearTimeout(kill)
  return tenants.map(({ tenantId, limits }) => {
    const calls = stories.flatMap(({ output }) => retell(output, tenantId, killedAtMs))
    return {
      processes,
      killed: kill !== false,
      limits,
      errors: stories.map(({ errors }) => errors).join(''),
      ...judge(calls, limits, shape),
    }
  })
}

/** Either its requests or its tokens run out; the tenants of a race differ in size by ten. */
function drawTenant({ chance, processes, shape }: RaceOptions, i: number): TenantOrders {
  const requests = Math.round((shape.windowMs / 200) * 10 ** chance())
  const tokensMax = Math.round(50 * 10 ** chance())
  const byRequests = chance() < 0.5
  // A call reserves three quarters of `tokensMax` on average, and keeps as many of these.
  const tokens = Math.round(requests * tokensMax * (byRequests ? 2 : 0.4))
  const limits = {
    requestsPerMinute: requests,
    tokensPerMinute: tokens,
    concurrentCalls: Math.max(8, Math.ceil(requests / 4)),
  }
  const callsPerMs = (DEMAND * requests) / shape.windowMs / processes
  // A worker makes no call while its last one is held.
  const workers = 3 + Math.ceil(callsPerMs * HOLD_MS_MAX)
  const pauseMs = workers / callsPerMs - HOLD_MS_MAX / 2
  return { tenantId: `ten_${i}`, limits, workers, pauseMs, tokensMax, holdMsMax: HOLD_MS_MAX }
}

function start(entry: string, orders: Orders) {
  const child = spawn(process.execPath, [entry, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const closed = once(child, 'close')
  const story = async () => {
    await closed
    return { output, errors }
  }
  return { child, story }
}

interface Call {
  /** It was let through at some moment between these two. */
  readonly askedMs: number
  readonly toldMs: number
  readonly tokens: number
  settledMs: number
  used: number
}

function retell(output: string, tenantId: string, killedAtMs: number): Call[] {
  const calls = new Map<string, Call>()
  for (const line of output.trim().split('\n')) {
    const [what, whose, call = '', atMs, tokens, askedMs] = line.split(' ')
    if (whose !== tenantId || tokens === undefined) continue
    const known = calls.get(call)
    const [at, amount] = [Number(atMs), Number(tokens)]
    if (what === 'admitted')
      // What a kill cut off is under way no more.
      calls.set(call, { askedMs: Number(askedMs), toldMs: at, tokens: amount, settledMs: killedAtMs, used: amount })
    else if (known) Object.assign(known, { settledMs: at, used: amount })
  }
  return [...calls.values()]
}

function judge(calls: readonly Call[], limits: Limits, { windowMs }: WindowShape) {
  const peaks = { requests: 0, tokens: 0, calls: 0 }
  for (const { toldMs } of calls) {
    const held = heldBy(calls, { fromMs: toldMs - windowMs, toMs: toldMs })
    peaks.requests = Math.max(peaks.requests, held.requests)
    peaks.tokens = Math.max(peaks.tokens, held.tokens)
    peaks.calls = Math.max(peaks.calls, held.calls)
  }
  const over = Math.max(
    peaks.requests / limits.requestsPerMinute,
    peaks.tokens / limits.tokensPerMinute,
    peaks.calls / limits.concurrentCalls,
  )
  const times = calls.map(({ toldMs }) => toldMs)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const levels: number[] = []
  for (let toMs = first + WARM_UP_WINDOWS * windowMs; toMs <= last; toMs += windowMs / SAMPLES_PER_WINDOW) {
    const { requests, tokens } = heldBy(calls, { fromMs: toMs - windowMs, toMs })
    levels.push(Math.max(requests / limits.requestsPerMinute, tokens / limits.tokensPerMinute))
  }
  const usable = levels.reduce((sum, level) => sum + level, 0) / levels.length
  return { peaks, over: over - 1, usable, admitted: calls.length }
}

/**
 * What was let through within a window for sure, and is under way at its end: a process that is held up between a decision and
 * its report must not look like one that let too much through. A call counts with what it reserved until it has settled.
 */
function heldBy(calls: readonly Call[], { fromMs, toMs }: { fromMs: number; toMs: number }) {
  const held = { requests: 0, tokens: 0, calls: 0 }
  for (const call of calls) {
    if (call.toldMs > toMs) continue
    if (call.settledMs > toMs) held.calls++
    if (call.askedMs <= fromMs) continue
    held.requests++
    held.tokens += call.settledMs <= toMs ? call.used : call.tokens
  }
  return held
}
