import { accountId, INFERENCE_SCOPE, OPENAI_USER, PLATFORM_PRINCIPAL, runningArm, SUBSCRIPTION } from './running-arm'
import { KEY, user } from './running'

const azure = runningArm()
const { call, putAccount, putDeployment, recorded } = azure
const CHAT = '/openai/deployments/chat/chat/completions?api-version=2024-10-21'

const chat = async (account: string, headers: Record<string, string>, body: object = user('hi'), path = CHAT) => {
  const answer = await fetch(azure.url(`${account === '' ? '' : `/accounts/${account}`}${path}`), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const parsed = (await answer.json()) as { model?: string; error?: { code: string } }
  return { status: answer.status, headers: answer.headers, model: parsed.model, code: parsed.error?.code }
}
const bearer = async (directory: string) => ({
  authorization: `Bearer ${await azure.token(directory, INFERENCE_SCOPE)}`,
})
const keyOf = async (account: string) => ({
  'api-key': (await call('POST', `${accountId(account)}/listKeys`)).body.key1 ?? '',
})

describe('an account that was made through ARM', () => {
  beforeAll(async () => {
    await putAccount('alpha')
    await putAccount('beta')
    await putDeployment('alpha', 'chat', { capacity: 100 })
    await putDeployment('beta', 'other')
  })

  it('serves its own deployments with its own keys, on every family of addresses', async () => {
    const key = await keyOf('alpha')
    const answer = await chat('alpha', key)
    expect(answer).toMatchObject({ status: 200, model: 'gpt-4.1-mini-2025-04-14' })
    expect(answer.headers.get('x-ms-region')).toBe('swedencentral')
    const body = { model: 'chat', ...user('hi') }
    expect((await chat('alpha', key, body, '/openai/v1/chat/completions')).status).toBe(200)
  })

  it('serves nobody else’s deployments, and takes nobody else’s keys', async () => {
    expect(await chat('beta', await keyOf('beta'))).toMatchObject({ status: 404, code: 'DeploymentNotFound' })
    expect(await chat('alpha', await keyOf('beta'))).toMatchObject({ status: 401 })
    expect(await chat('alpha', { 'api-key': KEY })).toMatchObject({ status: 401 })
    expect(await chat('', await keyOf('alpha'))).toMatchObject({ status: 401 })
    expect(await chat('gamma', await keyOf('alpha'))).toMatchObject({ status: 404 })
  })

  it('lets in as much as its sku’s capacity', async () => {
    const body = { ...user('hi'), max_tokens: 700 }
    const { last } = await azure.ledger()
    await putDeployment('alpha', 'narrow', { capacity: 1 })
    const path = CHAT.replace('/chat/chat/', '/narrow/chat/')
    const key = await keyOf('alpha')
    expect((await chat('alpha', key, body, path)).status).toBe(200)
    expect((await chat('alpha', key, body, path)).status).toBe(429)
    const records = await recorded(last, 2)
    expect(records.map(({ account, deployment, status }) => [account, deployment, status])).toEqual([
      ['alpha', 'narrow', 200],
      ['alpha', 'narrow', 429],
    ])
  })

  it('has provisioned deployments that say how full they are', async () => {
    await putDeployment('beta', 'units', { model: 'gpt-4.1', sku: 'GlobalProvisionedManaged', capacity: 15 })
    const answer = await chat('beta', await keyOf('beta'), user('hi'), CHAT.replace('/chat/chat/', '/units/chat/'))
    expect(answer.headers.get('azure-openai-deployment-utilization')).toMatch(/%$/)
  })

  it('answers a token whose bearer has a role on it or above it, and no other', async () => {
    const token = await bearer('platform')
    expect(await chat('alpha', token)).toMatchObject({ status: 401, code: 'PermissionDenied' })
    const role = `${accountId('alpha')}/providers/Microsoft.Authorization/roleAssignments/11111111-2222-4333-8444-555555555555`
    const roleDefinitionId = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${OPENAI_USER}`
    const properties = { roleDefinitionId, principalId: PLATFORM_PRINCIPAL }
    await call('PUT', role, { body: { properties } })
    expect((await chat('alpha', token)).status).toBe(200)
    expect((await chat('beta', token)).status).toBe(401)
    const arm = { authorization: `Bearer ${await azure.token('platform')}` }
    expect((await chat('alpha', arm)).status).toBe(401)
    await azure.patch({ arm: { roleDelayMs: 60_000 } })
    expect(await chat('alpha', token)).toMatchObject({ code: 'PermissionDenied' })
    await azure.patch({ arm: { roleDelayMs: 0 } })
    await call('DELETE', role)
    expect(await chat('alpha', token)).toMatchObject({ code: 'PermissionDenied' })
  })

  it('refuses keys where they are disabled, and everybody where it is closed', async () => {
    await putAccount('locked')
    const key = await keyOf('locked')
    await putAccount('locked', { disableLocalAuth: true })
    expect(await chat('locked', key)).toMatchObject({ status: 403, code: 'AuthenticationTypeDisabled' })
    await putAccount('locked', { publicNetworkAccess: 'Disabled' })
    expect(await chat('locked', key)).toMatchObject({ status: 403, code: '403' })
  })

  it('answers no more once it is deleted', async () => {
    await putAccount('gone')
    await putDeployment('gone', 'chat')
    const key = await keyOf('gone')
    expect((await chat('gone', key)).status).toBe(200)
    await call('DELETE', accountId('gone'))
    expect((await chat('gone', key)).status).toBe(404)
  })

  it('does not serve a deployment that is not ready, and goes on serving one that is changed', async () => {
    const key = await keyOf('beta')
    await azure.patch({ arm: { delayMs: 60_000 } })
    await putDeployment('beta', 'chat')
    expect(await chat('beta', key)).toMatchObject({ code: 'DeploymentNotFound' })
    await azure.patch({ arm: { delayMs: 0 } })
    expect((await putAccount('epsilon')).status).toBe(201)
    await putDeployment('epsilon', 'chat')
    await azure.patch({ arm: { delayMs: 60_000 } })
    expect((await putDeployment('epsilon', 'chat', { capacity: 20 })).body.properties).toMatchObject({
      provisioningState: 'Creating',
    })
    expect((await chat('epsilon', await keyOf('epsilon'))).status).toBe(200)
    await azure.patch({ arm: { delayMs: 0 } })
  })
})

describe('the account of the root', () => {
  it('serves what was made in it at both of its addresses', async () => {
    await putDeployment('simulator', 'fresh', { model: 'gpt-4.1' })
    const path = CHAT.replace('/chat/chat/', '/fresh/chat/')
    for (const place of ['', 'simulator'])
      expect(await chat(place, { 'api-key': KEY }, user('hi'), path)).toMatchObject({
        status: 200,
        model: 'gpt-4.1-2025-04-14',
      })
    expect((await chat('simulator', await bearer('platform'))).status).toBe(200)
    const models = await fetch(azure.url('/compatible/v1/models'), { headers: { 'api-key': KEY } })
    expect(JSON.stringify(await models.json())).toContain('"fresh"')
  })
})

describe('a customer’s own account', () => {
  it('answers the platform’s application by a token of the customer’s directory only', async () => {
    const path = CHAT.replace('/chat/chat/', '/contoso-chat/chat/')
    for (const [directory, status] of [
      ['contoso', 200],
      ['platform', 401],
      ['birch', 401],
    ] as const)
      expect((await chat('contoso-owned', await bearer(directory), user('hi'), path)).status).toBe(status)
  })
})

it('an application is known only to the directories that consented to it', async () => {
  expect(await azure.token('birch')).toEqual(expect.any(String))
  expect(await azure.token('cedar')).toBeUndefined()
})
