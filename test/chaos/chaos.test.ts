import { request, type IncomingMessage } from 'node:http'
import { connectStorage } from '../../src/storage/connect'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import type { LogLine } from '../../src/metering/log-line'
import { chatBody, chatPath } from '../harness/call'
import { testConnectionString } from '../harness/storage'
import { canaryTenantId } from '../../src/tenants/canary'
import { chatAlias, startTestStack, type LedgerEntry, type TestStack, type TestTenant } from '../harness/stack'
import { linesOf } from '../metering/read-all'

const WORKERS = 24
const LOAD_MS = 12_000
const KILL_EVERY_MS = 3_000
const SEED = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000)

let stack: TestStack
let tenants: TestTenant[]

beforeAll(async () => {
  stack = await startTestStack()
  const [mini, other] = await Promise.all([stack.makeBackend('gpt-4.1-mini'), stack.makeBackend('gpt-4.1')])
  const aliases = [chatAlias('chat', [[mini], [other]])]
  tenants = await Promise.all([1, 2, 3].map(() => stack.makeTenant({ aliases })))
}, 60_000)
afterAll(() => stack.stop())

/** What a client saw of one call. `whole`: it got the answer to its last byte. */
interface Seen {
  readonly callId: string | undefined
  readonly whole: boolean
}

it(`under disconnects, faults and kill -9 every completed call is in the log once, and none twice (seed ${SEED})`, async () => {
  const chance = seeded(SEED)
  const seen: Seen[] = []
  const endAt = Date.now() + LOAD_MS
  const killer = killHostUntil(endAt - 2_000)
  await Promise.all(Array.from({ length: WORKERS }, () => keepCalling(endAt, chance, seen)))
  const kills = await killer
  await new Promise((resolve) => setTimeout(resolve, 1_500))

  const totals = await usageTotals()
  const lines = await logLines()
  const ledger = await stack.ledger()
  const settled = lines.filter((line) => line.kind === 'settled')
  const settledById = new Map(settled.map((line) => [line.intent.callId as string, line]))
  const known = new Set(lines.map((line) => line.intent.callId as string))

  // Enough happened for the rest to mean something.
  expect(kills).toBeGreaterThan(1)
  expect(settled.filter(({ settlement }) => settlement.outcome === 'completed').length).toBeGreaterThan(100)

  // None twice.
  expect(settledById.size).toBe(settled.length)

  // What reached its client is there: settled, or, if the process died right behind the last byte, as unsettled.
  const whole = seen.filter((call) => call.whole)
  expect(whole.filter(({ callId }) => callId === undefined || !known.has(callId))).toEqual([])

  // Every settled call that completed has the provider's own count of its tokens, from the one attempt that served it.
  const served = lastServed(ledger)
  const wrong = settled.filter(({ intent, settlement }) => {
    if (settlement.outcome !== 'completed') return false
    const entry = served.get(intent.callId)
    return entry?.promptTokens !== settlement.usage.promptTokens || entry.outputTokens !== settlement.usage.outputTokens
  })
  expect(wrong.map(({ intent, settlement }) => ({ intent, settlement, entry: served.get(intent.callId) }))).toEqual([])

  // What the provider completed is settled, except for calls that a kill cut off, and those are few and unsettled or never answered.
  const missing = [...served.keys()].filter((callId) => !settledById.has(callId))
  expect(missing.filter((callId) => whole.some((call) => call.callId === callId && !known.has(callId)))).toEqual([])
  expect(missing.length).toBeLessThanOrEqual(kills * WORKERS)

  // The tenants' own figures are the sum of the log, but for the calls by which their onboardings tried them.
  const theirs = settled.filter(({ intent }) => intent.tenantId !== canaryTenantId)
  const unsettled = [...known].filter((callId) => !settledById.has(callId)).length
  expect(totals.unsettled).toBe(unsettled)
  expect(totals.calls).toBe(theirs.length)
  expect(totals.outputTokens).toBe(theirs.reduce((sum, { settlement }) => sum + settlement.usage.outputTokens, 0))
}, 90_000)

it('and nothing stays reserved afterwards', async () => {
  const [tenant] = tenants
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => callOnce(tenant?.apiKey ?? '', chatBody(), undefined)),
  )
  expect(answers.every(({ whole }) => whole)).toBe(true)
}, 40_000)

type SettledLine = Extract<LogLine, { kind: 'settled' }>

async function logLines(): Promise<LogLine[]> {
  const account = connectStorage(
    { kind: 'connection-string', connectionString: testConnectionString() },
    stack.storagePrefix,
  )
  const lines = await linesOf(account.container(usageLogContainer))
  const settled = lines.map(({ line }) => line).filter((line): line is SettledLine => line.kind === 'settled')
  const settledIds = new Set(settled.map(({ intent }) => intent.callId))
  // An intent that was settled has done its duty; what is left are the settled calls and the unsettled ones.
  return [
    ...settled,
    ...lines.map(({ line }) => line).filter((line) => line.kind === 'intent' && !settledIds.has(line.intent.callId)),
  ]
}

/** By our call id, the attempt that served the call to its end. Earlier attempts of the same call were faulted. */
function lastServed(ledger: readonly LedgerEntry[]): Map<string, LedgerEntry> {
  const served = ledger.filter(({ outcome, status }) => outcome === 'completed' && status === 200)
  return new Map(served.map((entry) => [entry.clientRequestId ?? '', entry]))
}

async function usageTotals() {
  const sums = { calls: 0, unsettled: 0, outputTokens: 0 }
  for (const { apiKey } of tenants) {
    const answer = await fetch(`${stack.baseUrl}/api/tenant/usage`, { headers: { 'api-key': apiKey } })
    const { totals } = (await answer.json()) as { totals: typeof sums }
    sums.calls += totals.calls
    sums.unsettled += totals.unsettled
    sums.outputTokens += totals.outputTokens
  }
  return sums
}

async function killHostUntil(endAt: number): Promise<number> {
  let kills = 0
  while (Date.now() + KILL_EVERY_MS < endAt) {
    await new Promise((resolve) => setTimeout(resolve, KILL_EVERY_MS))
    const pid = stack.hostPid()
    if (pid === undefined) continue
    process.kill(pid, 'SIGKILL')
    kills += 1
  }
  await until(async () => (await fetch(`${stack.baseUrl}/api/health`).catch(() => undefined))?.status === 200, 20_000)
  return kills
}

const FAULTS = [
  '',
  '',
  '',
  '',
  '[[fault:status:500@gpt-4.1-mini]]',
  '[[fault:reset@gpt-4.1-mini]]',
  '[[fault:cut]]',
  '[[fault:mid-stream-error]]',
]

async function keepCalling(endAt: number, chance: () => number, seen: Seen[]): Promise<void> {
  while (Date.now() < endAt) {
    const tenant = tenants[Math.floor(chance() * tenants.length)]
    const fault = FAULTS[Math.floor(chance() * FAULTS.length)] ?? ''
    const stream = chance() < 0.5
    const tokens = 1 + Math.floor(chance() * 60)
    const leaveAfterBytes = chance() < 0.2 ? Math.floor(chance() * 4_000) : undefined
    const body = chatBody(
      `[[tokens:${tokens}]] ${stream ? fault : fault.replace(/cut|mid-stream-error/, 'status:503')}`,
      { stream },
    )
    const call = await callOnce(tenant?.apiKey ?? '', body, leaveAfterBytes)
    seen.push(call)
    // A host that is being restarted refuses connections at once; no need to fill the log of this test with that.
    if (call.callId === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** One call over a raw socket; leaves after so many bytes of the answer, if told to. */
function callOnce(apiKey: string, body: object, leaveAfterBytes: number | undefined): Promise<Seen> {
  return new Promise((resolve) => {
    const url = new URL(stack.baseUrl + chatPath)
    const headers = { 'content-type': 'application/json', 'api-key': apiKey }
    const outgoing = request(url, { method: 'POST', headers }, (answer: IncomingMessage) => {
      const callId = answer.headers['x-request-id'] as string | undefined
      let bytes = 0
      let tail = ''
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        tail = (tail + chunk.toString()).slice(-200)
        if (leaveAfterBytes !== undefined && bytes > leaveAfterBytes) outgoing.destroy()
      })
      const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
      answer.on('close', () => {
        const ended = answer.complete && answer.statusCode === 200 && (!isStream || tail.includes('data: [DONE]'))
        resolve({ callId, whole: ended })
      })
    })
    outgoing.on('error', () => resolve({ callId: undefined, whole: false }))
    outgoing.end(JSON.stringify(body))
  })
}

async function until(holds: () => Promise<boolean>, msMax: number): Promise<void> {
  const deadline = Date.now() + msMax
  while (Date.now() < deadline && !(await holds())) await new Promise((resolve) => setTimeout(resolve, 100))
}

/** Park and Miller's generator: the same seed gives the same calls. */
function seeded(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}
