import { randomUUID } from 'node:crypto'
import { ATTEMPT_MS_MAX } from '../../src/http/idempotency'
import { startTestStack, type TestStack } from '../harness/stack'
import { chatBody, chatPath, post } from '../harness/call'

/** A step, the restart and the rest of the onboarding. */
const ONBOARDED_MS_MAX = 60_000

/** Every step of a checklist that only configures, as its status names them. */
const STEPS = ['register', 'access', 'limits', 'metering', 'monitoring', 'validation', 'activation', 'notification']

let stack: TestStack
let backendId: string
beforeAll(async () => {
  stack = await startTestStack()
  backendId = await stack.makeBackend('gpt-4.1-mini')
}, 60_000)
afterAll(() => stack.stop())

const boundaries = STEPS.flatMap((step) => [
  { step, when: 'before' as const },
  { step, when: 'after' as const },
])

describe('an onboarding whose host is killed', () => {
  it.each(boundaries)(
    '$when the step $step goes on after the restart, and nothing is doubled',
    async ({ step, when }) => {
      const pid = stack.hostPid()
      await stack.killAt({ function: 'onboarding-step', inputHolds: `"step":"${step}"`, when })
      const started = await registerSurely({
        displayName: `Killed ${when} ${step}`,
        contact: { email: 'a@b.example' },
        region: 'swedencentral',
        tier: 'premium',
        aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId }] }] }],
      })
      await stack.restarted(pid)
      const status = await stack.platform.ended(started.onboardingId)

      expect(status).toMatchObject({ state: 'completed' })
      expect(status.steps.filter(({ state }) => !['done', 'skipped'].includes(state))).toEqual([])
      const shown = (await (await fetch(status.credentials?.url ?? '')).json()) as { apiKey: string; keyId: string }
      const answer = await post({ baseUrl: stack.baseUrl, apiKey: shown.apiKey }, chatPath, chatBody())
      expect(answer.status).toBe(200)
      // One record, one key, and no key of a validation that broke off.
      const { body: keys } = await stack.platform.get<{ keys: { keyId: string }[] }>(
        `/tenants/${started.tenantId}/keys`,
      )
      expect(keys.keys.map(({ keyId }) => keyId)).toEqual([shown.keyId])
      const { body: tenants } = await stack.platform.get<{ tenants: { tenantId: string }[] }>('/tenants?limit=100')
      expect(tenants.tenants.filter(({ tenantId }) => tenantId === started.tenantId)).toHaveLength(1)
    },
    // A kill that comes before the answer is kept leaves the attempt open, and its key is taken until it counts as dead.
    ATTEMPT_MS_MAX + ONBOARDED_MS_MAX,
  )
})

/**
 * As a client does whose connection may break: the same request under the same key until it is answered. The first step may begin,
 * and the host be killed, before the request that started the onboarding has been answered.
 */
async function registerSurely(body: object): Promise<{ tenantId: string; onboardingId: string }> {
  const headers = {
    authorization: `Bearer ${stack.operatorToken}`,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
  }
  for (;;) {
    const answer = await fetch(`${stack.baseUrl}/api/platform/tenants`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => undefined)
    if (answer?.status === 202) return JSON.parse(answer.text) as { tenantId: string; onboardingId: string }
    // 409: the attempt that broke off still holds the key.
    if (answer && answer.status !== 409) throw new Error(`${answer.status}: ${answer.text}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
