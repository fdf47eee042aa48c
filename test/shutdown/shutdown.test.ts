import { auditVerify } from '../../local/audit-verify'
import type { CallLine } from '../../src/metering/log-line'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import { connectStorage } from '../../src/storage/connect'
import { chatPath, eventsOf, post } from '../harness/call'
import { chatAlias, startTestStack, type LedgerEntry, type TestStack, type TestTenant } from '../harness/stack'
import { testConnectionString } from '../harness/storage'
import { linesOf } from '../metering/read-all'

/** How long the host waits by itself; behind it the app has 2.5 s of its own for calls. */
const HOST_GRACE_MS = 2_500
const TOKENS_PER_SECOND = 10

/**
 * By when a call's answer is whole: within the host's grace, only within the app's, and long after both. Ten of each as streams and
 * ten as whole answers.
 */
const LENGTHS = { short: 8, middle: 30, long: 600 } as const
type Length = keyof typeof LENGTHS
const EACH = 10

interface Seen {
  readonly length: Length
  readonly stream: boolean
  readonly status: number
  readonly callId: string
  readonly retryAfter: string | null
  readonly text: string
}

type Settled = Extract<CallLine, { kind: 'settled' }>

let stack: TestStack
let tenant: TestTenant
let seen: Seen[]
let refused: { status: number; retryAfter: string | null } | 'no connection'
/** As the next process shows them before it has served anything. */
let limits: { limits: { name: string; reserved: number }[]; budgets: { name: string; reserved: number }[] }
let lines: CallLine[]
let ledger: Map<string, LedgerEntry>

beforeAll(async () => {
  stack = await startTestStack({}, undefined, ['--stop-grace', String(HOST_GRACE_MS)])
  const latency = { firstTokenMs: 50, tokensPerSecond: TOKENS_PER_SECOND, jitter: 0 }
  await stack.configureSimulator({ deployments: { 'gpt-4.1': { latency } } })
  const paced = await stack.makeBackend('gpt-4.1')
  tenant = await stack.makeTenant({
    aliases: [chatAlias('chat', [[paced]])],
    limitOverrides: { concurrentCalls: 200 },
    budgetOverrides: { tokensPerMonth: { limit: 50_000_000, stop: true } },
  })

  const before = (await stack.ledger()).length
  const lengths = Object.keys(LENGTHS) as Length[]
  const calls = lengths.flatMap((length) => Array.from({ length: 2 * EACH }, (_, i) => call(length, i % 2 === 0)))
  await underWay(calls.length, before)
  await runTimer('roll-up-usage')
  const pid = stack.hostPid()
  if (pid === undefined) throw new Error('there is no host')
  process.kill(pid, 'SIGTERM')
  await untilTold()
  refused = await latecomer()
  seen = await Promise.all(calls)
  await stack.restarted(pid)
  const shown = await fetch(`${stack.baseUrl}/api/tenant/limits`, { headers: { 'api-key': tenant.apiKey } })
  limits = (await shown.json()) as typeof limits

  const account = connectStorage(
    { kind: 'connection-string', connectionString: testConnectionString() },
    stack.storagePrefix,
  )
  const all = await linesOf(account.container(usageLogContainer))
  const ours = new Set(seen.map(({ callId }) => callId))
  lines = all.map(({ line }) => line).filter(({ intent }) => ours.has(intent.callId))
  ledger = new Map((await stack.ledger()).map((entry) => [entry.clientRequestId ?? '', entry]))
})
afterAll(() => stack.stop())

describe('a host that is told to stop while thirty streams and thirty whole calls are under way', () => {
  it('lets every stream that can end within its grace end whole', () => {
    for (const { length, status, text } of seen.filter(({ stream, length }) => stream && length !== 'long')) {
      expect({ length, status, end: eventsOf(text).at(-1) }).toEqual({ length, status: 200, end: '[DONE]' })
    }
  })

  it('lets every whole call that can end within its grace be answered', () => {
    const answered = seen.filter(({ stream, length }) => !stream && length !== 'long')
    expect(answered).toHaveLength(2 * EACH)
    expect(new Set(answered.map(({ status }) => status))).toEqual(new Set([200]))
  })

  it('ends the other streams with an error event that says why, behind what had come', () => {
    const cut = seen.filter(({ stream, length }) => stream && length === 'long')
    expect(cut).toHaveLength(EACH)
    for (const { text } of cut) {
      const events = eventsOf(text)
      expect(events.length).toBeGreaterThan(2)
      expect(events.at(-1)).toMatchObject({ error: { code: 'shutting_down' } })
    }
  })

  it('answers the other whole calls with 503 and when to try again', () => {
    const cut = seen.filter(({ stream, length }) => !stream && length === 'long')
    expect(cut).toHaveLength(EACH)
    for (const { status, retryAfter, text } of cut) {
      expect({ status, retryAfter }).toEqual({ status: 503, retryAfter: '1' })
      expect(text).toContain('shutting_down')
    }
  })

  it('takes no new call', () => {
    if (refused !== 'no connection') expect(refused).toEqual({ status: 503, retryAfter: '1' })
  })

  it('ends by itself, with code 0, before anybody has to kill it', () => {
    expect(stack.lines.filter((line) => line.startsWith('host: ended'))).toEqual([expect.stringMatching('(code 0)')])
  })
})

describe('what it leaves behind', () => {
  it('has every call in the usage log, settled once', () => {
    const settled = lines.filter((line): line is Settled => line.kind === 'settled')
    const ids = settled.map(({ intent }) => intent.callId).sort()
    expect(ids).toEqual(seen.map(({ callId }) => callId).sort())
  })

  it('has those that were answered as the provider counted them', () => {
    for (const { callId, length } of seen.filter(({ length }) => length !== 'long')) {
      const served = ledger.get(callId)
      expect(served).toMatchObject({ outcome: 'completed', outputTokens: LENGTHS[length] })
      expect(settlementOf(callId)).toMatchObject({
        outcome: 'completed',
        estimated: false,
        usage: { promptTokens: served?.promptTokens, outputTokens: served?.outputTokens },
      })
    }
  })

  it('has streams that were cut off as interrupted, with what had come', () => {
    for (const { callId, stream } of seen.filter(({ length }) => length === 'long')) {
      const settlement = settlementOf(callId)
      expect(settlement).toMatchObject({ outcome: stream ? 'interrupted' : 'failed', code: 'shutting_down' })
      if (stream) expect(settlement?.usage.outputTokens).toBeGreaterThan(0)
    }
  })

  it('holds nothing of limits and budgets, so the next process admits at once', async () => {
    const held = [...limits.limits, ...limits.budgets].filter(({ reserved }) => reserved > 0)
    expect(held).toEqual([])
    const { status } = await post({ ...stack, ...tenant }, chatPath, body('short', false))
    expect(status).toBe(200)
  })

  it('has all of it in the figures of the timer that ran then, and of the next', async () => {
    const answer = await fetch(`${stack.baseUrl}/api/tenant/usage?groupBy=outcome`, {
      headers: { 'api-key': tenant.apiKey },
    })
    const { totals } = (await answer.json()) as { totals: { calls: number; unsettled: number } }
    expect(totals).toMatchObject({ unsettled: 0 })
    expect(totals.calls).toBeGreaterThanOrEqual(seen.length - EACH)
  })

  it('has a sound audit chain', async () => {
    const args = ['--url', stack.baseUrl, '--operator', stack.operatorToken]
    const quiet = { print: () => {}, note: () => {} }
    expect(await auditVerify([...args, '--platform'], {}, quiet)).toBe(0)
    expect(await auditVerify([...args, '--tenant', tenant.tenantId], {}, quiet)).toBe(0)
  })
})

const settlementOf = (id: string) =>
  lines.find((line): line is Settled => line.kind === 'settled' && line.intent.callId === id)?.settlement

const body = (length: Length, stream: boolean) => ({
  model: 'chat',
  messages: [{ role: 'user', content: `Go on [[tokens:${LENGTHS[length]}]]` }],
  stream,
})

async function call(length: Length, stream: boolean): Promise<Seen> {
  const answer = await post({ ...stack, ...tenant }, chatPath, body(length, stream))
  const { status, headers, text } = answer
  return {
    length,
    stream,
    status,
    text,
    callId: headers.get('x-request-id') ?? '',
    retryAfter: headers.get('retry-after'),
  }
}

/** Streams and whole calls alike: all of them have reached the provider, which on a slow machine has answered some by then. */
async function underWay(count: number, before: number): Promise<void> {
  for (;;) {
    const answered = (await stack.ledger()).length - before
    const answer = await fetch(`${stack.simulatorUrl}/simulator/health`)
    const { inFlight } = (await answer.json()) as { inFlight: number }
    if (answered + inFlight >= count) return
    await pause(20)
  }
}

/** As a load balancer sees it: it says so, or listens no more. */
/** The host takes no new connection from the signal on, but serves those that are open until its own grace is over. */
async function untilTold(): Promise<void> {
  while (!stack.lines.some((line) => line.includes('invocations were still running'))) await pause(20)
}

async function latecomer(): Promise<typeof refused> {
  try {
    const { status, headers } = await post({ ...stack, ...tenant }, chatPath, body('short', false), {
      connection: 'close',
    })
    return { status, retryAfter: headers.get('retry-after') }
  } catch {
    return 'no connection'
  }
}

async function runTimer(name: string): Promise<void> {
  const answer = await fetch(`${stack.baseUrl}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  })
  expect(answer.status).toBe(202)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
