import { OpenAI } from 'openai'
import type { KeptThing } from '../../local/simulator/stored/account-store'
import type { LogLine } from '../../src/metering/log-line'
import { eventually } from '../conformance/eventually'
import { startTestStack, type LedgerEntry, type TestStack, type TestTenant } from '../harness/stack'
import { linesOf } from '../metering/read-all'
import { storageOf, tracesOf } from '../offboarding/traces'

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_OFFBOARDING_GRACE_SECONDS: '0' })
})
afterAll(() => stack.stop())

const clientOf = ({ apiKey }: TestTenant) =>
  new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey, maxRetries: 0 })
const inBackground = (tenant: TestTenant, input: string) =>
  clientOf(tenant).responses.create({ model: 'chat', input, background: true })

type Settled = Extract<LogLine, { kind: 'settled' }>

/** What the log has of a tenant, its background responses apart. */
async function logOf({ tenantId }: TestTenant) {
  const lines = await linesOf(storageOf(stack.storagePrefix).container('usage-log'))
  const settled = lines.map(({ line }) => line).filter((line): line is Settled => line.kind === 'settled')
  const own = settled.filter(({ intent }) => intent.tenantId === tenantId)
  const isLate = ({ intent }: Settled) => intent.operation === 'responses.background'
  return { late: own.filter(isLate), calls: own.filter((line) => !isLate(line)) }
}

const background = async (): Promise<LedgerEntry[]> =>
  (await stack.ledger()).filter((entry) => (entry as LedgerEntry & { work: string }).work === 'background')

async function followUp(): Promise<void> {
  const started = await fetch(`${stack.baseUrl}/admin/functions/follow-up-responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":""}',
  })
  expect(started.status).toBe(202)
}

const tokensOf = ({ settlement: { usage } }: Settled) => [usage.promptTokens, usage.outputTokens]
const ledgerTokens = ({ promptTokens, outputTokens }: LedgerEntry) => [promptTokens, outputTokens]

describe('a response in the background', () => {
  it('that nobody asks for again is metered once, as the provider counts it, while its call stands without tokens', async () => {
    const tenant = await stack.makeTenant()
    const before = (await background()).length
    await inBackground(tenant, 'Think [[tokens:40]]')
    const entry = await eventually('it is over', async () => (await background())[before])
    await followUp()
    await followUp()
    const { late, calls } = await eventually('it is metered', async () => {
      const log = await logOf(tenant)
      return log.late.length > 0 ? log : undefined
    })
    expect(late.map(tokensOf)).toEqual([ledgerTokens(entry)])
    expect(calls.map(tokensOf)).toEqual([[0, 0]])
    expect(late[0]?.settlement).toMatchObject({ outcome: 'completed', estimated: false })
    expect(late[0]?.settlement.costMicroUsd).toBeGreaterThan(0)
  })

  it('is metered once before its first reader hears of its end, however many read at the same time', async () => {
    const tenant = await stack.makeTenant()
    const client = clientOf(tenant)
    const before = (await background()).length
    const { id } = await inBackground(tenant, 'Think [[tokens:30]]')
    const entry = await eventually('it is over', async () => (await background())[before])
    const read = Array.from({ length: 8 }, () => client.responses.retrieve(id))
    await Promise.all([followUp(), ...read])
    const { late } = await logOf(tenant)
    expect(late.map(tokensOf)).toEqual([ledgerTokens(entry)])
  })

  it('of a process that is killed while it runs is metered once by another', async () => {
    await stack.configureSimulator({ deployments: { 'gpt-4.1-mini': { latency: { tokensPerSecond: 40 } } } })
    const tenant = await stack.makeTenant()
    const before = (await background()).length
    const made = await inBackground(tenant, 'Think [[tokens:60]]')
    const pid = stack.hostPid()
    if (pid === undefined) throw new Error('no host')
    process.kill(pid, 'SIGKILL')
    await stack.restarted(pid)
    await stack.configureSimulator({ deployments: { 'gpt-4.1-mini': { latency: { tokensPerSecond: 0 } } } })
    const entry = await eventually('it is over', async () => (await background())[before])
    // The follow-up dies behind its work, before the host has noted that it ran, and is run again.
    const next = stack.hostPid()
    await stack.killAt({ function: 'follow-up-responses', inputHolds: '', when: 'after' })
    await followUp().catch(() => undefined)
    await stack.restarted(next)
    await followUp()
    expect(await clientOf(tenant).responses.retrieve(made.id)).toMatchObject({ status: 'completed' })
    expect((await logOf(tenant)).late.map(tokensOf)).toEqual([ledgerTokens(entry)])
  })

  it('that is called off or deleted while it runs is metered once all the same, by our count of its prompt', async () => {
    await stack.configureSimulator({ responses: { queuedMs: 3_600_000 } })
    const tenant = await stack.makeTenant()
    const client = clientOf(tenant)
    const [off, gone] = await Promise.all([inBackground(tenant, 'one'), inBackground(tenant, 'two')])
    expect(await client.responses.cancel(off.id)).toMatchObject({ id: off.id, status: 'cancelled' })
    await client.responses.delete(gone.id)
    await stack.configureSimulator({ responses: { queuedMs: 0 } })
    const { late } = await logOf(tenant)
    expect(late.map(({ settlement }) => [settlement.outcome, settlement.estimated])).toEqual([
      ['interrupted', true],
      ['interrupted', true],
    ])
    await expect(client.responses.retrieve(gone.id)).rejects.toMatchObject({ status: 404 })
  })

  it('streamed is metered once, and its client can leave and come back', async () => {
    const tenant = await stack.makeTenant()
    const client = clientOf(tenant)
    const before = (await background()).length
    const stream = await client.responses.create({
      model: 'chat',
      input: 'Think [[tokens:50]]',
      background: true,
      stream: true,
    })
    let id = ''
    let seen = 0
    for await (const event of stream) {
      if (event.type === 'response.created') id = event.response.id
      seen = event.sequence_number
      if (event.type === 'response.output_text.delta') break
    }
    const entry = await eventually('it is over', async () => (await background())[before])
    const rest = await Array.fromAsync(await client.responses.retrieve(id, { stream: true, starting_after: seen }))
    expect(rest[0]?.sequence_number).toBe(seen + 1)
    expect(rest.at(-1)).toMatchObject({ type: 'response.completed', response: { id } })
    expect((await logOf(tenant)).late.map(tokensOf)).toEqual([ledgerTokens(entry)])
  })
})

describe('what responses of every kind use', () => {
  it('is in the log as in the provider’s ledger', async () => {
    const tenant = await stack.makeTenant()
    const client = clientOf(tenant)
    const last = (await stack.ledger()).at(-1)?.n ?? 0
    const first = await client.responses.create({ model: 'chat', input: 'one [[tokens:11]]' })
    await client.responses.create({ model: 'chat', input: '[[tokens:12]]', previous_response_id: first.id })
    await Array.fromAsync(await client.responses.create({ model: 'chat', input: '[[tokens:13]]', stream: true }))
    await client.responses.create({ model: 'chat', input: '[[tokens:14]]', store: false })
    let seen = await inBackground(tenant, '[[tokens:15]]')
    while (seen.status !== 'completed') seen = await client.responses.retrieve(seen.id)
    const { late, calls } = await logOf(tenant)
    const used = [...late, ...calls].map(tokensOf).filter(([, output]) => output)
    // The creation of one in the background has an entry at the provider too, without tokens.
    const charged = (await stack.ledger()).filter(({ n, outputTokens }) => n > last && outputTokens > 0)
    expect(used.toSorted(byOutput)).toEqual(charged.map(ledgerTokens).toSorted(byOutput))
    expect(used).toHaveLength(5)
  })
})

const byOutput = ([, one = 0]: number[], [, other = 0]: number[]) => one - other

describe('a tenant that goes', () => {
  it('leaves no response with the platform or at the account, running or not, and what they used is in the log', async () => {
    const things = async () =>
      ((await (await fetch(`${stack.simulatorUrl}/simulator/stored`)).json()) as { things: KeptThing[] }).things
        .filter(({ collection }) => collection === 'responses')
        .map(({ id }) => id)
    const before = new Set(await things())
    const tenant = await stack.makeTenant()
    const client = clientOf(tenant)
    await client.responses.create({ model: 'chat', input: 'one' })
    await Array.fromAsync(await client.responses.create({ model: 'chat', input: 'two', stream: true }))
    await stack.configureSimulator({ responses: { queuedMs: 3_600_000 } })
    await inBackground(tenant, 'three')
    await stack.configureSimulator({ responses: { queuedMs: 0 } })
    expect((await things()).filter((id) => !before.has(id)).length).toBeGreaterThanOrEqual(3)
    expect(await tracesOf(stack, tenant.tenantId)).toContain('responses')

    const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenant.tenantId}`)
    expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })
    expect((await things()).filter((id) => !before.has(id))).toEqual([])
    expect((await tracesOf(stack, tenant.tenantId)).filter((name) => !name.startsWith('usage'))).toEqual(['exports'])
    const { late, calls } = await logOf(tenant)
    expect([late.length, calls.length]).toEqual([1, 3])
  })
})
