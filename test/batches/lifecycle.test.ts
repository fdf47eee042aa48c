import { OpenAI } from 'openai'
import type { KeptThing } from '../../local/simulator/stored/account-store'
import { startTestStack, type TestStack } from '../harness/stack'
import { linesOf } from '../metering/read-all'
import { storageOf, tracesOf } from '../offboarding/traces'
import { eventually } from '../conformance/eventually'
import { batchAlias, endOf, uploadLines } from './batch-stack'

let stack: TestStack
let night: string
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_BATCH_POLL_SECONDS: '1', TENANTRY_OFFBOARDING_GRACE_SECONDS: '0' })
  night = await stack.makeBackend('gpt-4.1-mini-batch')
})
afterAll(() => stack.stop())

const things = async () =>
  ((await (await fetch(`${stack.simulatorUrl}/simulator/stored`)).json()) as { things: KeptThing[] }).things
const running = async () => (await things()).find(({ status }) => status === 'in_progress')
const order = (inputFileId: string) =>
  ({ input_file_id: inputFileId, endpoint: '/v1/chat/completions', completion_window: '24h' }) as const

async function tenantWithBatch(lines: number) {
  const tenant = await stack.makeTenant({ aliases: [batchAlias('night', night)] })
  const client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey, maxRetries: 0 })
  const input = await uploadLines(client, lines)
  const { id } = await client.batches.create({ ...order(input.id), metadata: { secret: 'very' } })
  return { tenant, client, id }
}

describe('a tenant that comes', () => {
  it('with an alias for batches is let in, and its first key runs one', async () => {
    const { apiKey } = await stack.platform.onboard({
      displayName: 'Night work',
      contact: { email: 'a@b.example' },
      tier: 'standard',
      region: 'swedencentral',
      aliases: [batchAlias('night', night)],
    })
    const client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey, maxRetries: 0 })
    const input = await uploadLines(client, 2)
    const { id } = await client.batches.create(order(input.id))
    expect(await endOf(client, id)).toMatchObject({ status: 'completed', request_counts: { completed: 2 } })
    const usage = await fetch(`${stack.baseUrl}/api/tenant/usage?groupBy=operation`, { headers: { 'api-key': apiKey } })
    expect(await usage.text()).toContain('batch.chat.completions')
  })
})

describe('a tenant that goes while its batch runs', () => {
  it('has it called back: nothing of it is left at the account or with the platform, and what was run is metered', async () => {
    await stack.configureSimulator({ batches: { linesPerSecond: 10 } })
    const last = (await stack.ledger()).at(-1)?.n ?? 0
    const { tenant } = await tenantWithBatch(500)
    await eventually('the batch runs', running)
    const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenant.tenantId}`)
    expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })

    const left = (await things()).filter(({ status }) => status !== 'completed')
    expect(left.map(({ collection, status }) => [collection, status])).toEqual([['batches', 'cancelled']])
    expect((await tracesOf(stack, tenant.tenantId)).filter((name) => !name.startsWith('usage'))).toEqual(['exports'])
    const charged = (await stack.ledger()).filter(({ work, n }) => work === 'batch-line' && n > last)
    expect(charged.length).toBeGreaterThan(0)
    expect(charged.length).toBeLessThan(500)
    const log = await linesOf(storageOf(stack.storagePrefix).container('usage-log'))
    const metered = log.flatMap(({ line }) =>
      line.kind === 'settled' && line.intent.tenantId === tenant.tenantId ? [line.settlement.usage.outputTokens] : [],
    )
    expect(metered.toSorted((one, other) => one - other)).toEqual(
      charged.map(({ outputTokens }) => outputTokens).toSorted((one, other) => one - other),
    )
  })
})

describe('a tenant that is suspended', () => {
  it('may make no batch, and the one that runs comes to its end, to be read when the tenant is back', async () => {
    await stack.configureSimulator({ batches: { linesPerSecond: 5 } })
    const { tenant, client, id } = await tenantWithBatch(15)
    await eventually('the batch runs', running)
    const path = `/tenants/${tenant.tenantId}`
    await stack.platform.post(`${path}/suspend`, {})
    await eventually('the batch is over', async () => ((await running()) ? undefined : true))
    await stack.platform.post(`${path}/resume`, {})
    const batch = await eventually('the tenant is let in', () => client.batches.retrieve(id).catch(() => undefined))
    expect(['in_progress', 'finalizing', 'completed']).toContain(batch.status)
    expect(await endOf(client, id)).toMatchObject({ status: 'completed', request_counts: { completed: 15 } })
  })
})
