import { ATTEMPT_MS_MAX } from '../../src/http/idempotency'
import type { OperationStatus } from '../../local/platform-client'
import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { postSurely } from '../harness/post-surely'
import { startTestStack, type TestStack } from '../harness/stack'
import { chatBody, chatPath, post } from '../harness/call'

/** A step, the restart and the rest of the onboarding. */
const ONBOARDED_MS_MAX = 240_000

/** Every step of the checklist but the approval, which only waits, as its status names them. */
const STEPS = [
  'register',
  'storage',
  'data-key',
  'access',
  'models',
  'limits',
  'metering',
  'monitoring',
  'validation',
  'activation',
  'notification',
]
/** Those that make things in Azure, for a tenant that has them alone. */
const MAKING_STEPS = ['storage', 'models']

let stack: TestStack
let backendId: string
beforeAll(async () => {
  stack = await startTestStack()
  backendId = await stack.makeBackend('gpt-4.1-mini')
  await makeStamp(stack)
})
afterAll(() => stack.stop())

const boundariesOf = (steps: readonly string[]) =>
  steps.flatMap((step) => [
    { step, when: 'before' as const },
    { step, when: 'after' as const },
  ])
// A kill that comes before the answer is kept leaves the attempt open, and its key is taken until it counts as dead.
const KILLED_MS_MAX = ATTEMPT_MS_MAX + ONBOARDED_MS_MAX

describe('an onboarding whose host is killed', () => {
  it.each(boundariesOf(STEPS))(
    '$when the step $step goes on after the restart, and nothing is doubled',
    async ({ step, when }) => {
      const { status, tenantId } = await onboardKilled({ step, when }, { aliases: [{ ...chat, ...shared() }] })
      await expectOnce(status, tenantId)
    },
    KILLED_MS_MAX,
  )

  it.each(boundariesOf(MAKING_STEPS))(
    '$when the step $step makes one account, one deployment and one storage account of the tenant’s own',
    async ({ step, when }) => {
      const { status, tenantId } = await onboardKilled(
        { step, when },
        {
          isolation: { models: 'dedicated', data: 'account' },
          aliases: [{ ...chat, deployment: { modelVersion: '2025-04-14', capacity: 1_000 } }],
        },
      )
      await expectOnce(status, tenantId)
      const made = await resourcesOf(stack, tenantId)
      expect(made.map(({ type }) => type).sort()).toEqual([
        'Microsoft.CognitiveServices/accounts',
        'Microsoft.CognitiveServices/accounts/deployments',
        'Microsoft.Storage/storageAccounts',
      ])
    },
    KILLED_MS_MAX,
  )
})

interface Started {
  readonly tenantId: string
  readonly onboardingId: string
}

const chat = { name: 'chat', model: 'gpt-4.1-mini' }
const shared = () => ({ groups: [{ members: [{ backendId }] }] })

async function onboardKilled({ step, when }: { step: string; when: 'before' | 'after' }, tenant: object) {
  const pid = stack.hostPid()
  await stack.killAt({ function: 'onboarding-step', inputHolds: `"step":"${step}"`, when })
  const { tenantId, onboardingId } = await postSurely<Started>(stack, '/tenants', {
    displayName: `Killed ${when} ${step}`,
    contact: { email: 'a@b.example' },
    region: 'swedencentral',
    tier: 'premium',
    ...tenant,
  })
  await stack.restarted(pid)
  return { tenantId, status: await stack.platform.ended(onboardingId) }
}

/** One record, one key that works, and no key of a validation that broke off. */
async function expectOnce(status: OperationStatus, tenantId: string): Promise<void> {
  expect(status).toMatchObject({ state: 'completed' })
  expect(status.steps.filter(({ state }) => !['done', 'skipped'].includes(state))).toEqual([])
  const shown = (await (await fetch(status.credentials?.url ?? '')).json()) as { apiKey: string; keyId: string }
  const answer = await post({ baseUrl: stack.baseUrl, apiKey: shown.apiKey }, chatPath, chatBody())
  expect(answer.status).toBe(200)
  const { body: keys } = await stack.platform.get<{ keys: { keyId: string }[] }>(`/tenants/${tenantId}/keys`)
  expect(keys.keys.map(({ keyId }) => keyId)).toEqual([shown.keyId])
  const { body: tenants } = await stack.platform.get<{ tenants: { tenantId: string }[] }>('/tenants?limit=100')
  expect(tenants.tenants.filter((tenant) => tenant.tenantId === tenantId)).toHaveLength(1)
}
