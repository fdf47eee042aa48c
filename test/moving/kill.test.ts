import { ATTEMPT_MS_MAX } from '../../src/http/idempotency'
import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { chatBody, chatPath, post } from '../harness/call'
import { postSurely } from '../harness/post-surely'
import { startTestStack, type TestStack } from '../harness/stack'

/** A step, the restart and the rest of the move. */
const MOVED_MS_MAX = 240_000

let stack: TestStack
let backendId: string
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_MOVING_DRAIN_SECONDS: '1' })
  backendId = await stack.makeBackend('gpt-4.1-mini')
  await makeStamp(stack)
})
afterAll(() => stack.stop())

const STEPS = ['prepare', 'make-models', 'switch-models', 'record', 'drain', 'remove-old-models', 'empty-old-place']
const deployment = { modelVersion: '2025-04-14', capacity: 50_000 }

interface Moved {
  readonly operationId: string
}

describe('a move of a tenant’s models whose host is killed', () => {
  it.each(
    STEPS.flatMap((step) => [
      { step, when: 'before' as const },
      { step, when: 'after' as const },
    ]),
  )(
    '$when the step $step goes on after the restart, and leaves one set of models',
    async ({ step, when }) => {
      const { tenantId, apiKey } = await stack.platform.onboard({
        displayName: `Moved ${when} ${step}`,
        contact: { email: 'a@b.example' },
        region: 'swedencentral',
        tier: 'premium',
        isolation: { models: 'own-deployment' },
        aliases: [{ name: 'chat', model: 'gpt-4.1-mini', deployment }],
      })
      const pid = stack.hostPid()
      await stack.killAt({ function: 'moving-step', inputHolds: `"step":"${step}"`, when })
      const { operationId } = await postSurely<Moved>(stack, `/tenants/${tenantId}/move`, {
        models: { isolation: 'dedicated' },
      })
      await stack.restarted(pid)
      expect(await stack.platform.ended(operationId)).toMatchObject({ state: 'completed' })

      const made = await resourcesOf(stack, tenantId)
      expect(made.map(({ type }) => type).sort()).toEqual([
        'Microsoft.CognitiveServices/accounts',
        'Microsoft.CognitiveServices/accounts/deployments',
      ])
      expect((await post({ baseUrl: stack.baseUrl, apiKey }, chatPath, chatBody())).status).toBe(200)
      const { body } = await stack.platform.get<{ backends: { ownerTenantId?: string }[] }>('/backends?limit=500')
      expect(body.backends.filter(({ ownerTenantId }) => ownerTenantId === tenantId)).toHaveLength(1)
    },
    ATTEMPT_MS_MAX + MOVED_MS_MAX,
  )
})

const CALL_PAUSE_MS = 20

describe('a move of a tenant in use', () => {
  it('fails no call and meters each once', async () => {
    const { tenantId, apiKey } = await stack.platform.onboard({
      displayName: 'In use',
      limitOverrides: { requestsPerMinute: 600_000, tokensPerMinute: 100_000_000 },
      contact: { email: 'a@b.example' },
      region: 'swedencentral',
      tier: 'premium',
      aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId }] }] }],
    })
    const over = new AbortController()
    const statuses: string[] = []
    // What is reserved for a call without a bound of its own is the alias's cap, of which a minute holds too few.
    const body = chatBody('Hi', { max_tokens: 50 })
    const caller = async () => {
      while (!over.signal.aborted) {
        const { status, json } = await post({ baseUrl: stack.baseUrl, apiKey }, chatPath, body)
        statuses.push(status === 200 ? '200' : `${status} ${json.error?.code}: ${json.error?.message}`)
        // A deployment takes only so many requests a minute, and a fast machine would send more.
        await new Promise((resolve) => setTimeout(resolve, CALL_PAUSE_MS))
      }
    }
    const callers = [caller(), caller(), caller()]
    const moves = [
      { models: { isolation: 'own-deployment', aliases: [{ name: 'chat', deployment }] } },
      { models: { isolation: 'dedicated' } },
      { models: { isolation: 'shared', aliases: [{ name: 'chat', groups: [{ members: [{ backendId }] }] }] } },
    ]
    const ended: string[] = []
    for (const move of moves) {
      const { operationId } = await stack.platform.post<Moved>(`/tenants/${tenantId}/move`, move)
      ended.push((await stack.platform.ended(operationId)).state)
    }
    over.abort()
    await Promise.all(callers)
    expect(ended).toEqual(['completed', 'completed', 'completed'])
    expect(new Set(statuses)).toEqual(new Set(['200']))
    const usage = await fetch(`${stack.baseUrl}/api/tenant/usage`, { headers: { 'api-key': apiKey } })
    const { totals } = (await usage.json()) as { totals: { calls: number; unsettled: number } }
    expect(totals).toMatchObject({ calls: statuses.length, unsettled: 0 })
    expect(await resourcesOf(stack, tenantId)).toEqual([])
  })
})
