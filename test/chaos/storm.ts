import { operations } from '../../src/inference/operations'
import type { OperationName } from '../../src/inference/operation'
import type { TestStack, TestTenant } from '../harness/stack'
import { callOnce, type Seen } from './client'
import { surfaceOf, type Surface } from './surfaces'

const WIDE = { requestsPerMinute: 600_000, tokensPerMinute: 100_000_000, concurrentCalls: 1_000 }
/** The last one has few calls at once: what a call forgot to give back is soon missed there. */
const LIMITS = [WIDE, WIDE, { ...WIDE, concurrentCalls: 12 }]
const PAUSE_AFTER_REFUSED_CONNECTION_MS = 50
const SETTLED_MS = 1_500
const LONGER_MS_MAX = 120_000
const RESTART_MS_MAX = 120_000

/** Where calls come in: the app's processes, each killed in turn. */
export interface Town {
  readonly stack: TestStack
  readonly instances: readonly { readonly baseUrl: string; hostPid(): number | undefined }[]
  readonly tenants: readonly TestTenant[]
}

export interface StormOptions {
  readonly forMs: number
  readonly workers: number
  /** 0 kills nobody. */
  readonly killEveryMs: number
  /** The storm goes on, without kills, until so many calls of every surface were answered whole: a slow machine takes longer. */
  readonly wholeMin?: number
  readonly chance: () => number
  readonly onProgress?: (elapsedMs: number, calls: number) => void
}

export interface Storm {
  readonly seen: readonly Seen[]
  readonly kills: number
  readonly fromMs: number
}

/** The name of the deployment that most faults are for, and of the one beside it. */
const deploymentsOf = (operation: OperationName): readonly [string, string] => [
  `${operation.replace('.', '-')}-a`,
  `${operation.replace('.', '-')}-b`,
]

/** Two deployments for every surface, an alias that leads to both, and tenants that have all of them. */
export async function buildTown(stack: TestStack, instanceCount: number): Promise<Town> {
  const latency = { firstTokenMs: 5, tokensPerSecond: 0, jitter: 0.5 }
  const named = operations.flatMap(({ name }) =>
    deploymentsOf(name).map((deployment) => [deployment, { model: surfaceOf(name).model, latency }] as const),
  )
  await stack.configureSimulator({ deployments: Object.fromEntries(named) })
  const aliases = await Promise.all(
    operations.map(async ({ name }) => {
      const { model, capability } = surfaceOf(name)
      const backends = await Promise.all(deploymentsOf(name).map((deployment) => stack.makeBackend(deployment)))
      const groups = backends.map((backendId) => ({ members: [{ backendId }] }))
      return { name: aliasOf(name), model, capabilities: [capability], groups }
    }),
  )
  const others = await Promise.all(Array.from({ length: instanceCount - 1 }, () => stack.startInstance()))
  const tenants = await Promise.all(LIMITS.map((limitOverrides) => stack.makeTenant({ aliases, limitOverrides })))
  return { stack, instances: [stack, ...others], tenants }
}

const aliasOf = (operation: OperationName) => operation.replace('.', '-')

/** Calls of every surface from many clients at once, some of which leave; faults upstream; and kills of the app. */
export async function storm(town: Town, options: StormOptions): Promise<Storm> {
  const fromMs = Date.now()
  const endAt = fromMs + options.forMs
  const seen: Seen[] = []
  const isOver = () =>
    Date.now() >= endAt && (hasWhole(seen, options.wholeMin ?? 0) || Date.now() >= endAt + LONGER_MS_MAX)
  const killing = killUntil(town, { ...options, endAt })
  const ticking = setInterval(() => options.onProgress?.(Date.now() - fromMs, seen.length), 1_000)
  await Promise.all(Array.from({ length: options.workers }, () => keepCalling(town, { ...options, isOver, seen })))
  const kills = await killing
  clearInterval(ticking)
  // Answers that are still drained for clients that have gone.
  while ((await inFlight(town)) > 0) await pause(SETTLED_MS)
  await pause(SETTLED_MS)
  return { seen, kills, fromMs }
}

/** Of every surface. */
function hasWhole(seen: readonly Seen[], wholeMin: number): boolean {
  const whole = seen.filter((call) => call.whole && call.status === 200)
  return operations.every(({ name }) => whole.filter(({ operation }) => operation === name).length >= wholeMin)
}

async function keepCalling(
  { instances, tenants }: Town,
  { chance, isOver, seen }: StormOptions & { isOver: () => boolean; seen: Seen[] },
): Promise<void> {
  while (!isOver()) {
    const { name: operation } = pick(chance, operations)
    const { baseUrl } = pick(chance, instances)
    const { apiKey } = pick(chance, tenants)
    const surface = surfaceOf(operation)
    const stream = surface.streams && chance() < 0.5
    const text = `${hint(chance, { operation, surface, stream })} [[tokens:${1 + Math.floor(chance() * 60)}]] ${words(chance)}`
    const shot = surface.shot({ alias: aliasOf(operation), text, stream })
    const leaving = chance() < 0.2 ? { afterBytes: Math.floor(chance() * 4_000) } : undefined
    const call = await callOnce({ baseUrl, apiKey }, { operation, shot, leaving })
    seen.push(call)
    // A host that is being restarted refuses connections at once; no need to fill the memory of this test with that.
    if (call.status === 0) await pause(PAUSE_AFTER_REFUSED_CONNECTION_MS)
  }
}

/** What a backend does before a byte of its answer has come: another one serves the call. */
const RECOVERABLE = ['status:500', 'reset', 'status:429:200', 'slow-first-token:40']
const RECOVERABLE_OF_STREAMS = [...RECOVERABLE, 'throttled-stream', 'reset-after-headers']
const RECOVERABLE_OF_PIECES = [...RECOVERABLE, 'wrong-content-length']
/** What spoils an answer that has begun: there is nobody else to ask. */
const FINAL_OF_STREAMS = ['cut', 'mid-stream-error', 'no-done', 'malformed-sse']

/** A fault for half of the calls. */
function hint(
  chance: () => number,
  { operation, surface, stream }: { operation: OperationName; surface: Surface; stream: boolean },
): string {
  const dice = chance()
  if (dice < 0.5) return ''
  if (dice < 0.8 || !(stream || surface.isBytes)) {
    const kinds = stream ? RECOVERABLE_OF_STREAMS : surface.isBytes ? RECOVERABLE : RECOVERABLE_OF_PIECES
    return `[[fault:${pick(chance, kinds)}@${deploymentsOf(operation)[0]}]]`
  }
  return surface.isBytes ? '[[fault:cut]]' : `[[fault:${pick(chance, FINAL_OF_STREAMS)}]]`
}

const words = (chance: () => number) => 'word '.repeat(1 + Math.floor(chance() * 40))

async function killUntil(
  { instances }: Town,
  { killEveryMs, endAt }: StormOptions & { endAt: number },
): Promise<number> {
  let kills = 0
  if (killEveryMs === 0) return 0
  for (let nextAt = Date.now() + killEveryMs; nextAt < endAt; nextAt += killEveryMs) {
    await pause(killEveryMs)
    const pid = instances[kills % instances.length]?.hostPid()
    if (pid === undefined) continue
    process.kill(pid, 'SIGKILL')
    kills += 1
  }
  await Promise.all(instances.map(healthy))
  return kills
}

async function inFlight({ stack }: Town): Promise<number> {
  const answer = await fetch(`${stack.simulatorUrl}/simulator/health`)
  return ((await answer.json()) as { inFlight: number }).inFlight
}

async function healthy({ baseUrl }: { baseUrl: string }): Promise<void> {
  const deadline = Date.now() + RESTART_MS_MAX
  while ((await fetch(`${baseUrl}/api/health`).catch(() => undefined))?.status !== 200) {
    if (Date.now() > deadline) throw new Error(`${baseUrl} has not come back within ${RESTART_MS_MAX / 1_000} s`)
    await pause(100)
  }
}

function pick<T>(chance: () => number, items: readonly T[]): T {
  const item = items[Math.floor(chance() * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Park and Miller's generator: the same seed draws the same calls, though not the same moments. */
export function seeded(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}
