import { OpenAI } from 'openai'
import type { KeptThing } from '../../local/simulator/stored/account-store'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { batchAlias, endOf, uploadLines } from './batch-stack'

/** A step, the restart and the rest of the batch. */
const ENDED_MS_MAX = 240_000
const LINES = 4
const STEPS = ['check', 'reserve', 'turn', 'stage', 'run', 'meter', 'collect', 'settle', 'clear']

let stack: TestStack
let tenant: TestTenant
let client: OpenAI
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_BATCH_POLL_SECONDS: '1' })
  const night = await stack.makeBackend('gpt-4.1-mini-batch')
  tenant = await stack.makeTenant({
    aliases: [batchAlias('night', night, { budgets: { tokensPerDay: { limit: 10_000_000 } } })],
  })
  client = new OpenAI({ baseURL: `${stack.baseUrl}/openai/v1`, apiKey: tenant.apiKey, maxRetries: 8 })
})
afterAll(() => stack.stop())

const moments = [
  ...STEPS.flatMap((step) => [
    { name: `the step ${step}`, function: 'batch-step', holds: `"step":"${step}"`, when: 'before' as const },
    { name: `the step ${step}`, function: 'batch-step', holds: `"step":"${step}"`, when: 'after' as const },
  ]),
  { name: 'its beginning', function: 'begin-batch', holds: '"batchId"', when: 'before' as const },
  { name: 'its beginning', function: 'begin-batch', holds: '"batchId"', when: 'after' as const },
]

describe('a batch whose host is killed', () => {
  it.each(moments)(
    '$when $name ends, each line metered once, with nothing left at the account',
    async ({ function: name, holds, when }) => {
      const input = await uploadLines(client, LINES)
      const before = { charged: await charged(), metered: await metered() }
      const pid = stack.hostPid()
      await stack.killAt({ function: name, inputHolds: holds, when })
      const order = { input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
      // The host may die before the answer is out; the batch is there all the same, and must not be made twice.
      const made = await client.batches.create(order, { maxRetries: 0 }).catch(() => undefined)
      await stack.restarted(pid)
      const id = made?.id ?? (await client.batches.list({ limit: 1 })).data[0]?.id ?? ''
      const over = await endOf(client, id)
      expect(over.input_file_id).toBe(input.id)
      expect(over).toMatchObject({ status: 'completed', request_counts: { total: LINES, completed: LINES } })
      await eventually(async () => expect(await leftUpstream()).toEqual([]))
      const after = { charged: await charged(), metered: await metered() }
      expect(after.charged.calls - before.charged.calls).toBe(LINES)
      expect(difference(after.metered, before.metered)).toEqual(difference(after.charged, before.charged))
      const output = await (await client.files.content(over.output_file_id ?? '')).text()
      expect(output.trim().split('\n')).toHaveLength(LINES)
      await client.files.delete(input.id)
    },
    ENDED_MS_MAX,
  )
})

interface Sums {
  readonly calls: number
  readonly prompt: number
  readonly output: number
}

const difference = (after: Sums, before: Sums): Sums => ({
  calls: after.calls - before.calls,
  prompt: after.prompt - before.prompt,
  output: after.output - before.output,
})

/** What the simulator has charged for lines of batches. */
async function charged(): Promise<Sums> {
  const lines = (await stack.ledger()).filter(({ work }) => work === 'batch-line')
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)
  return {
    calls: lines.length,
    prompt: sum(lines.map(({ promptTokens }) => promptTokens)),
    output: sum(lines.map(({ outputTokens }) => outputTokens)),
  }
}

/** What the tenant is shown of its usage. */
async function metered(): Promise<Sums> {
  const answer = await fetch(`${stack.baseUrl}/api/tenant/usage`, { headers: { 'api-key': tenant.apiKey } })
  const { totals } = (await answer.json()) as { totals: Record<string, number> }
  const { calls = 0, promptTokens = 0, outputTokens = 0 } = totals
  return { calls, prompt: promptTokens, output: outputTokens }
}

async function leftUpstream(): Promise<KeptThing[]> {
  const { things } = (await (await fetch(`${stack.simulatorUrl}/simulator/stored`)).json()) as { things: KeptThing[] }
  return things.filter(({ collection, status }) => collection === 'files' || status !== 'completed')
}

const CLEARED_MS_MAX = 240_000

async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + CLEARED_MS_MAX
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
