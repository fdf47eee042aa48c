import { chatAlias, startTestStack, type TestStack } from '../../harness/stack'

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

interface UsageRow {
  readonly outcome: string
  readonly calls: number
  readonly unsettled: number
  readonly callerFaults: number
  readonly promptTokens: number
  readonly outputTokens: number
}

const PATIENCE_MS = 240_000

/** A client that reads the first piece of a long answer and goes; then how the simulator and the usage log tell it. */
async function leaveInTheMiddle(settings: object, tokens: number) {
  const deployment = 'gpt-4.1'
  // A hundred in a second, so that the client's going is in the middle.
  await stack.configureSimulator({
    deployments: { [deployment]: { latency: { firstTokenMs: 0, tokensPerSecond: 100, jitter: 0 } } },
  })
  const backend = await stack.makeBackend(deployment)
  const { apiKey } = await stack.makeTenant({ settings, aliases: [chatAlias('chat', [[backend]])] })
  const before = (await stack.ledger()).length
  const going = new AbortController()
  const answer = await fetch(`${stack.baseUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'chat',
      stream: true,
      messages: [{ role: 'user', content: `[[tokens:${tokens}]]` }],
    }),
    signal: going.signal,
  })
  await answer.body?.getReader().read()
  going.abort()

  const entry = await until(async () => (await stack.ledger())[before])
  const usage = await until(async () => {
    const read = await fetch(`${stack.baseUrl}/api/tenant/usage?groupBy=outcome`, { headers: { 'api-key': apiKey } })
    const { rows } = (await read.json()) as { rows: UsageRow[] }
    return rows.find(({ calls }) => calls > 0)
  })
  return { entry, usage }
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error('it did not happen')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('a client that goes in the middle of a stream', () => {
  it('has its answer read to the end, and metered as the provider counts it', async () => {
    const { entry, usage } = await leaveInTheMiddle({}, 400)
    expect(entry).toMatchObject({ outcome: 'completed', outputTokens: 400 })
    expect(usage).toMatchObject({ outcome: 'completed', calls: 1, unsettled: 0 })
    expect(usage.outputTokens).toBe(entry.outputTokens)
    expect(usage.promptTokens).toBe(entry.promptTokens)
  })

  it('ends the call at the provider where its tenant says so, and what came is metered', async () => {
    const { entry, usage } = await leaveInTheMiddle({ clientGone: 'cancel' }, 1_000)
    expect(entry.outcome).toBe('client-gone')
    // Nobody but the client broke it off, which no objective of the platform's is measured by.
    expect(usage).toMatchObject({ outcome: 'interrupted', calls: 1, unsettled: 0, callerFaults: 1 })
    expect(usage.promptTokens).toBeGreaterThan(0)
    expect(usage.outputTokens).toBeGreaterThan(0)
    expect(usage.outputTokens).toBeLessThan(1_000)
  })
})
