import { operations } from '../../../../src/inference/operations'
import type { Operation, OperationName } from '../../../../src/inference/operation'
import type { LimitsReport } from '../../../../src/budgets/limits-report'
import { surfaceOf, type Shot } from '../../../chaos/surfaces'
import type { TestStack } from '../../../harness/stack'

/** A tenant with an alias for every surface, named for it, whose limits tell whether a call left something reserved. */
export interface BadInputTenant {
  readonly apiKey: string
  readonly tenantId: string
  /** As a client would ask it, rightly. */
  shot(name: OperationName, more?: { alias?: string; text?: string; stream?: boolean }): Shot
  /** Resolves when nothing of the tenant is reserved or unsettled any more; rejects where something stays. */
  nothingLeft(): Promise<void>
  /** Resolves when the budget counts what the usage log counts. Responses in the background are not told to budgets when they end. */
  countedAsUsed(): Promise<void>
}

export const CONCURRENT_CALLS = 4
const TOKENS_PER_DAY = 500_000_000
const PATIENCE_MS = 240_000
/** A call that hangs is a failure of its own, and is to say which. */
const ANSWER_MS_MAX = 120_000

export async function makeBadInputTenant(stack: TestStack, more: readonly object[] = []): Promise<BadInputTenant> {
  const own = await Promise.all(
    operations.map(async ({ name }) => aliasOf(name, name, [await stack.makeBackend(surfaceOf(name).model)])),
  )
  await stack.configureSimulator({
    deployments: Object.fromEntries(
      operations.map(({ name }) => [
        surfaceOf(name).model,
        { latency: { firstTokenMs: 0, tokensPerSecond: 0, jitter: 0 }, admission: { kind: 'unlimited' } },
      ]),
    ),
  })
  const { apiKey, tenantId } = await stack.makeTenant({
    aliases: [...own, ...more],
    limitOverrides: {
      concurrentCalls: CONCURRENT_CALLS,
      requestsPerMinute: 600_000,
      tokensPerMinute: 100_000_000,
    },
    budgetOverrides: { tokensPerDay: { limit: TOKENS_PER_DAY } },
  })
  const limits = async () => (await stack.platform.get<LimitsReport>(`/tenants/${tenantId}/limits`)).body
  return {
    apiKey,
    tenantId,
    shot: (name, { alias = name, text = 'Hi [[echo:ok]]', stream = false } = {}) =>
      surfaceOf(name).shot({ alias, text, stream }),
    nothingLeft: async () => {
      const full = Array.from({ length: CONCURRENT_CALLS }, () =>
        send(
          stack,
          apiKey,
          operationOf('embeddings'),
          surfaceOf('embeddings').shot({ alias: 'embeddings', text: 'x', stream: false }),
        ),
      )
      expect((await Promise.all(full)).map(({ status }) => status)).toEqual(Array(CONCURRENT_CALLS).fill(200))
      await usedTokens(stack, apiKey)
      const settled = await eventually(limits, ({ budgets: [day] }) => day?.reserved === 0)
      expect(settled.budgets).toMatchObject([{ name: 'tokensPerDay', reserved: 0 }])
      const calls = settled.limits.find(({ name }) => name === 'concurrentCalls')
      expect(calls).toMatchObject({ used: 0 })
    },
    countedAsUsed: async () => {
      const used = await usedTokens(stack, apiKey)
      const { budgets } = await eventually(limits, ({ budgets: [day] }) => day?.used === used)
      expect(budgets).toMatchObject([{ name: 'tokensPerDay', used, reserved: 0 }])
    },
  }
}

export function aliasOf(name: string, operation: OperationName, backendIds: readonly string[]): object {
  const { capability } = operationOf(operation)
  const bounded = capability === 'chat' || capability === 'completions'
  return {
    name,
    model: surfaceOf(operation).model,
    capabilities: [capability],
    groups: backendIds.map((backendId) => ({ members: [{ backendId }] })),
    ...(bounded ? { outputTokensMax: 1_000 } : {}),
  }
}

export function operationOf(name: OperationName): Operation {
  const operation = operations.find((each) => each.name === name)
  if (!operation) throw new Error(`there is no ${name}`)
  return operation
}

export interface Sent {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** By v1 unless another path is given. */
export async function send(
  { baseUrl }: Pick<TestStack, 'baseUrl'>,
  apiKey: string,
  { path }: Pick<Operation, 'path'>,
  { contentType, body }: { contentType?: string; body: string | Uint8Array | ReadableStream<Uint8Array> },
  headers: Record<string, string> = {},
): Promise<Sent> {
  const answer = await fetch(`${baseUrl}/openai/v1${path}`, {
    method: 'POST',
    headers: { 'api-key': apiKey, ...(contentType === undefined ? {} : { 'content-type': contentType }), ...headers },
    body: body as string,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

/** What every SDK can show its user, and nothing that is not the user's to see. */
export function expectClearError({ status, headers, text }: Sent, secrets: readonly string[] = []): ShownError {
  expect(status).toBeGreaterThanOrEqual(400)
  expect(headers.get('content-type')).toMatch(/^application\/json/)
  expect(headers.get('x-request-id')).toMatch(/^call_/)
  const { error } = JSON.parse(text) as { error: ShownError }
  expect(error).toEqual({
    ...error,
    message: expect.stringMatching(/./),
    type: expect.stringMatching(/./),
  })
  // The provider's own errors, which go through as they are, may have none.
  expect(error.code === null || error.code !== '').toBe(true)
  expect(error.param === null || typeof error.param === 'string').toBe(true)
  expectNoSecrets(text, secrets)
  return error
}

export interface ShownError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

/** Frames of a stack trace and paths of modules; `secrets` are what a test put where it could leak. */
export function expectNoSecrets(text: string, secrets: readonly string[]): void {
  expect(text).not.toMatch(/\n\s+at |node:internal|node_modules|\.ts:\d|\.js:\d/)
  for (const secret of secrets) expect(text).not.toContain(secret)
}

async function usedTokens({ baseUrl }: TestStack, apiKey: string): Promise<number> {
  interface Totals {
    readonly unsettled: number
    readonly promptTokens: number
    readonly outputTokens: number
  }
  const read = async () => {
    const answer = await fetch(`${baseUrl}/api/tenant/usage`, { headers: { 'api-key': apiKey } })
    return ((await answer.json()) as { totals: Totals }).totals
  }
  const totals = await eventually(read, ({ unsettled }) => unsettled === 0)
  expect(totals.unsettled).toBe(0)
  return totals.promptTokens + totals.outputTokens
}

/** What instances have not reported yet stands some seconds later. */
async function eventually<T>(read: () => Promise<T>, isRight: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const value = await read()
    if (isRight(value) || Date.now() > deadline) return value
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
