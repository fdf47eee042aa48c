import { randomUUID } from 'node:crypto'
import type { TenantId } from '../../src/base/ids'
import { validationLimitsId } from '../../src/tenants/canary'
import { startTestStack, type TestStack } from '../harness/stack'
import { chatBody, chatPath, post } from '../harness/call'
import { storageOf } from '../offboarding/traces'

let stack: TestStack
let backendId: string
beforeAll(async () => {
  stack = await startTestStack()
  backendId = await stack.makeBackend('gpt-4.1-mini')
})
afterAll(() => stack.stop())

interface Started {
  readonly tenantId: TenantId
  readonly onboardingId: string
  readonly statusUrl: string
}

const tenant = (more: object = {}) => ({
  displayName: 'Onboarded',
  contact: { email: 'admin@onboarded.example' },
  region: 'swedencentral',
  aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId }] }] }],
  ...more,
})

const operate = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
  const answer = await fetch(stack.baseUrl + path, {
    method,
    headers: { authorization: `Bearer ${stack.operatorToken}`, 'content-type': 'application/json', ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: (text ? JSON.parse(text) : undefined) as never }
}

const settle = (onboardingId: string) => stack.platform.ended(onboardingId)

describe('an onboarding', () => {
  it('answers 202 with where to watch it, and ends with a tenant that serves', async () => {
    const { status, body } = await operate('POST', '/api/platform/tenants', tenant())
    const { tenantId, onboardingId, statusUrl } = body as Started
    expect(status).toBe(202)
    expect(statusUrl).toBe(`/api/platform/operations/${onboardingId}`)

    const ended = await settle(onboardingId)
    expect(ended).toMatchObject({
      state: 'completed',
      tenantId,
      facts: { requestsPerMinute: '600', unpricedModels: 'none', validationCalls: '2' },
    })
    for (const step of ended.steps)
      expect(step).toMatchObject({ startedAt: expect.any(String), endedAt: expect.any(String) })
    expect(ended.steps.filter(({ state }) => state === 'skipped').map(({ id }) => id)).toContain('approval')
  })

  it('tries every alias by the smallest call of its kind, and none that would cost more than next to nothing', async () => {
    const kinds = [
      ['instruct', 'gpt-35-turbo-instruct', 'completions'],
      ['draw', 'gpt-image-1', 'images'],
      ['ear', 'gpt-4o-transcribe', 'transcription'],
      ['voice', 'gpt-4o-mini-tts', 'speech'],
    ] as const
    const aliases = await Promise.all(
      kinds.map(async ([name, model, capability]) => {
        const members = [{ backendId: await stack.makeBackend(model) }]
        return { name, model, capabilities: [capability], groups: [{ members }] }
      }),
    )
    const before = (await stack.ledger()).length
    const { body } = await operate('POST', '/api/platform/tenants', tenant({ aliases }))
    const ended = await settle((body as Started).onboardingId)
    // The completion, and again under a limit that bites.
    expect(ended).toMatchObject({ state: 'completed', facts: { validationCalls: '2' } })
    const asked = (await stack.ledger()).slice(before).map(({ operation }) => operation)
    expect(new Set(asked)).toEqual(new Set(['completions']))
  })

  it('shows the first key once, with what a newcomer needs to call', async () => {
    const { onboardingId, tenantId } = await stack.platform.post<Started>('/tenants', tenant())
    const { credentials } = await settle(onboardingId)
    const shown = await fetch(credentials?.url ?? '')
    expect(shown.headers.get('cache-control')).toBe('no-store')
    const first = (await shown.json()) as { apiKey: string; baseUrl: string; aliases: string[]; example: string }
    expect(first).toMatchObject({ tenantId, baseUrl: `${stack.baseUrl}/openai/v1`, aliases: ['chat'] })
    expect(first.example).toContain(first.apiKey)
    expect((await post({ baseUrl: stack.baseUrl, apiKey: first.apiKey }, chatPath, chatBody())).status).toBe(200)

    const again = await fetch(credentials?.url ?? '')
    expect(again.status).toBe(410)
    expect(await again.json()).toMatchObject({ code: 'link_used_up' })
  })

  it('gives the key to one of many who open the link at once', async () => {
    const { onboardingId } = await stack.platform.post<Started>('/tenants', tenant())
    const { credentials } = await settle(onboardingId)
    const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(credentials?.url ?? '')))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 410)).toHaveLength(7)
  })

  it('does not tell made-up links from any other unknown address', async () => {
    const { onboardingId } = await stack.platform.post<Started>('/tenants', tenant())
    const { credentials } = await settle(onboardingId)
    const madeUp = `${(credentials?.url ?? '').slice(0, -5)}AAAAA`
    expect((await fetch(madeUp)).status).toBe(404)
    expect((await fetch(`${stack.baseUrl}/api/credentials/x`)).status).toBe(404)
  })

  it('is the same one when it is asked for twice under one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const first = await operate('POST', '/api/platform/tenants', tenant(), headers)
    const again = await operate('POST', '/api/platform/tenants', tenant(), headers)
    expect(again.body).toEqual(first.body)
    expect((await settle((first.body as Started).onboardingId)).state).toBe('completed')
  })

  it('does not count its own calls as the tenant’s, and leaves no key behind', async () => {
    const { tenantId, apiKey } = await stack.platform.onboard(tenant())
    const usage = await fetch(`${stack.baseUrl}/api/tenant/usage`, { headers: { 'api-key': apiKey } })
    expect(await usage.json()).toMatchObject({ totals: { calls: 0, unsettled: 0 } })
    const { body } = await stack.platform.get<{ keys: unknown[] }>(`/tenants/${tenantId}/keys`)
    expect(body.keys).toHaveLength(1)
  })
})

describe('the limits that a validation spends from', () => {
  const spentFrom = (tenantId: TenantId) =>
    storageOf(stack.storagePrefix).rowsInPartition('limits', validationLimitsId(tenantId))
  /** An instance renews what it leases every two seconds, and gives it back after five without a call. */
  const untilLeasesAreGivenBack = () => new Promise((resolve) => setTimeout(resolve, 9_000))

  it('are gone with the end of the onboarding, and an instance that still leases of them does not bring them back', async () => {
    const { tenantId, onboardingId } = await stack.platform.post<Started>('/tenants', tenant())
    expect((await settle(onboardingId)).state).toBe('completed')
    expect(await spentFrom(tenantId)).toBe(0)
    await untilLeasesAreGivenBack()
    expect(await spentFrom(tenantId)).toBe(0)
  })

  it('are gone with all else of an onboarding that was undone', async () => {
    const missing = await stack.makeBackend('no-such-deployment')
    const works = { name: 'works', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId }] }] }
    const fails = { name: 'zz-fails', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId: missing }] }] }
    const { tenantId, onboardingId } = await stack.platform.post<Started>(
      '/tenants',
      tenant({ aliases: [works, fails] }),
    )
    expect((await settle(onboardingId)).state).toBe('undone')
    await untilLeasesAreGivenBack()
    expect(await spentFrom(tenantId)).toBe(0)
  })
})

describe('an onboarding that cannot succeed', () => {
  it('is undone, and says which call failed why', async () => {
    const missing = await stack.makeBackend('no-such-deployment')
    const aliases = [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId: missing }] }] }]
    const { onboardingId, tenantId } = await stack.platform.post<Started>('/tenants', tenant({ aliases }))
    const ended = await settle(onboardingId)
    expect(ended.state).toBe('undone')
    const states = Object.fromEntries(ended.steps.map(({ id, state }) => [id, state]))
    expect(states).toMatchObject({ register: 'undone', access: 'undone', validation: 'failed', activation: 'pending' })
    expect(ended.steps.find(({ id }) => id === 'validation')?.error?.detail).toContain("alias 'chat'")
    expect(ended.credentials).toBeUndefined()
    expect((await operate('GET', `/api/platform/tenants/${tenantId}`)).status).toBe(404)
  })

  it('makes nothing where its input is wrong as a whole', async () => {
    const before = await stack.platform.get<{ tenants: unknown[] }>('/tenants?limit=100')
    const answer = await operate(
      'POST',
      '/api/platform/tenants',
      tenant({ tier: 'free', limitOverrides: { concurrentCalls: 9_999 } }),
    )
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'limitOverrides.concurrentCalls' }] } })
    const after = await stack.platform.get<{ tenants: unknown[] }>('/tenants?limit=100')
    expect(after.body.tenants).toHaveLength(before.body.tenants.length)
  })
})

describe('registration', () => {
  const settings = (mode: string) => ({
    mode,
    tier: 'free',
    regions: ['swedencentral'],
    aliases: [{ name: 'chat', model: 'gpt-4.1-mini', groups: [{ members: [{ backendId }] }], outputTokensMax: 256 }],
  })
  const register = (more: object = {}) =>
    fetch(`${stack.baseUrl}/api/registrations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        displayName: 'Walk-in',
        contact: { email: 'me@walkin.example' },
        region: 'swedencentral',
        ...more,
      }),
    })
  const statusOf = async (statusUrl: string) =>
    (await (await fetch(stack.baseUrl + statusUrl)).json()) as { state: string; credentials?: { url: string } }

  const until = async (statusUrl: string, state: string) => {
    for (;;) {
      const status = await statusOf(statusUrl)
      if (status.state === state) return status
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  it('does not exist until an operator opens it', async () => {
    expect((await register()).status).toBe(404)
  })

  it('starts at once where it is open, with the tier and aliases that operators have set', async () => {
    await stack.platform.put('/registration-settings', settings('open'))
    const answer = await register()
    expect(answer.status).toBe(202)
    const { statusUrl, tenantId } = (await answer.json()) as Started
    const status = await until(statusUrl, 'completed')
    expect(status.credentials?.url).toContain('/api/credentials/crd_')
    const { body } = await stack.platform.get<object>(`/tenants/${tenantId}`)
    expect(body).toMatchObject({ tier: 'free', state: 'active', aliases: [{ name: 'chat', outputTokensMax: 256 }] })
  })

  it('waits for an operator where it needs approval, and tells the registrant what became of it', async () => {
    await stack.platform.put('/registration-settings', settings('approval'))
    const approved = (await (await register()).json()) as Started
    const rejected = (await (await register()).json()) as Started
    await until(approved.statusUrl, 'waiting-for-approval')
    await until(rejected.statusUrl, 'waiting-for-approval')

    const decide = (id: string, body: object) => operate('POST', `/api/platform/operations/${id}/decision`, body)
    expect((await decide(approved.onboardingId, { approved: true })).status).toBe(204)
    expect((await decide(rejected.onboardingId, { approved: false, reason: 'Unknown company' })).status).toBe(204)
    await until(approved.statusUrl, 'completed')
    expect(JSON.stringify(await until(rejected.statusUrl, 'undone'))).toContain('Unknown company')
    expect((await decide(approved.onboardingId, { approved: false })).status).toBe(409)
  })

  it('shows a registration to nobody without its token', async () => {
    const { statusUrl } = (await (await register()).json()) as Started
    const [path] = statusUrl.split('?')
    expect((await fetch(`${stack.baseUrl}${path}?token=guess`)).status).toBe(404)
    expect((await fetch(`${stack.baseUrl}${path}`)).status).toBe(400)
  })

  it.each([
    ['a region that is not offered', { region: 'westeurope' }, 'region'],
    ['a tier of one’s own choice', { tier: 'premium' }, 'tier'],
    ['no address to write to', { contact: { email: 'nobody' } }, 'contact.email'],
  ])('refuses %s', async (_, more, param) => {
    const answer = await register(more)
    expect(answer.status).toBe(400)
    const { param: single, errors } = (await answer.json()) as { param?: string; errors?: { path: string }[] }
    expect(errors?.[0]?.path ?? single).toBe(param)
  })
})
