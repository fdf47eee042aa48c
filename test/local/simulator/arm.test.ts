import { SIMULATED_SECRET } from '../../../local/simulator/entra/directories'
import { accountBody, accountId, deploymentBody, directoryId, GROUP, runningArm, SUBSCRIPTION } from './running-arm'

const azure = runningArm()
const { call, putAccount, putDeployment } = azure

describe('Resource Manager lets in', () => {
  const path = `${GROUP}/providers/Microsoft.CognitiveServices/accounts`

  it.each([
    ['no credential', {}, 401, 'AuthenticationFailed'],
    ['no token', { authorization: 'Basic x' }, 401, 'AuthenticationFailedInvalidHeader'],
    ['a forged token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.x' }, 401, 'InvalidAuthenticationToken'],
  ])('nobody with %s', async (_name, headers: Record<string, string>, status, code) => {
    const answer = await fetch(azure.url(`${path}?api-version=2024-10-01`), { headers })
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ error: { code } })
  })

  it('tokens for ARM and for its own address, with a slash or without, and no others', async () => {
    const scopes = [
      'https://management.azure.com/.default',
      'https://management.azure.com//.default',
      `${azure.url('')}/.default`,
    ]
    for (const scope of scopes)
      expect((await call('GET', path, { bearer: await azure.token('platform', scope) })).status).toBe(200)
    const other = await azure.token('platform', 'https://cognitiveservices.azure.com/.default')
    expect(await call('GET', path, { bearer: other })).toMatchObject({ code: 'InvalidAuthenticationTokenAudience' })
  })

  it('nobody of another directory than the subscription’s', async () => {
    const answer = await call('GET', path, { bearer: await azure.token('acorn') })
    expect(answer).toMatchObject({ status: 401, code: 'InvalidAuthenticationTokenTenant' })
  })

  it('nobody who has no role for what is asked', async () => {
    const form = { grant_type: 'password', username: 'olga', password: SIMULATED_SECRET }
    const granted = await fetch(azure.url(`/entra/${directoryId('platform')}/oauth2/v2.0/token`), {
      method: 'POST',
      body: new URLSearchParams({ ...form, scope: 'https://management.azure.com/.default' }),
    })
    const { access_token: bearer } = (await granted.json()) as { access_token: string }
    const answer = await call('PUT', accountId('nope'), { bearer, body: accountBody('nope') })
    expect(answer).toMatchObject({ status: 403, code: 'AuthorizationFailed' })
    expect(answer.body.error?.message).toContain("perform action 'Microsoft.CognitiveServices/accounts/write'")
  })

  it.each([
    [
      'no api-version',
      '',
      `${SUBSCRIPTION}/providers/Microsoft.CognitiveServices/accounts`,
      400,
      'MissingApiVersionParameter',
    ],
    ['an api-version that is no date', 'x', path, 400, 'InvalidApiVersionParameter'],
    ['an unknown subscription', '2024-10-01', '/subscriptions/nowhere/resourceGroups/a', 404, 'SubscriptionNotFound'],
    ['an unknown type', '2024-10-01', `${GROUP}/providers/Microsoft.Web/sites/x`, 404, 'InvalidResourceType'],
  ])('no request with %s', async (_name, version, id, status, code) => {
    expect(await call('GET', id, { version })).toMatchObject({ status, code })
  })
})

describe('accounts', () => {
  it('are made with an endpoint of their own, found in any case, and listed with those that were there', async () => {
    const made = await putAccount('made', {}, { location: 'Sweden Central', tags: { a: 'b' } })
    expect(made).toMatchObject({ status: 201, body: { name: 'made', location: 'swedencentral', tags: { a: 'b' } } })
    expect(made.body.properties).toMatchObject({
      provisioningState: 'Succeeded',
      customSubDomainName: 'made',
      endpoint: azure.url('/accounts/made/'),
    })
    expect(
      (await call('GET', accountId('made').toUpperCase().replace('/SUBSCRIPTIONS', '/subscriptions'))).status,
    ).toBe(200)
    const { body } = await call('GET', `${GROUP}/providers/Microsoft.CognitiveServices/accounts`)
    expect(body.value?.map(({ name }) => name)).toEqual(expect.arrayContaining(['simulator', 'made']))
    expect(await putAccount('made', {}, { tags: { c: 'd' } })).toMatchObject({
      status: 200,
      body: { tags: { c: 'd' } },
    })
  })

  it('have their keys, unless keys are disabled', async () => {
    await putAccount('keyed')
    await putAccount('keyless', { disableLocalAuth: true })
    expect((await call('POST', `${accountId('keyed')}/listKeys`)).body.key1).toMatch(/^[0-9a-f]{32}$/)
    expect((await call('POST', `${accountId('simulator')}/listKeys`)).body.key1).toBe('simulator-key')
    expect(await call('POST', `${accountId('keyless')}/listKeys`)).toMatchObject({ status: 400, code: 'BadRequest' })
  })

  it('are refused where their name is taken, or their place is another', async () => {
    await putAccount('taken')
    const elsewhere = accountId('taken', `${SUBSCRIPTION}/resourceGroups/other`)
    const body = accountBody('taken')
    expect(await call('PUT', elsewhere, { body })).toMatchObject({ status: 409, code: 'CustomDomainInUse' })
    const moved = await putAccount('taken', {}, { location: 'westeurope' })
    expect(moved).toMatchObject({ status: 409, code: 'InvalidResourceLocation' })
    expect(await putAccount('x_')).toMatchObject({ status: 400, code: 'AccountNameInvalid' })
    const content = await call('PUT', accountId('other'), { body: { kind: 'Toaster' } })
    expect(content).toMatchObject({ status: 400, code: 'InvalidRequestContent' })
  })

  it('keep their name and their quota when they are deleted, until they are purged', async () => {
    const deletedId = `${SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/swedencentral/resourceGroups/tenantry/deletedAccounts/short`
    await azure.patch({ arm: { quotas: [{ model: 'gpt-4.1-nano', capacity: 10 }] } })
    await putAccount('short')
    await putDeployment('short', 'all', { model: 'gpt-4.1-nano', capacity: 10 })
    expect((await call('GET', deletedId)).status).toBe(404)
    expect((await call('DELETE', accountId('short'))).status).toBe(202)
    expect((await call('GET', accountId('short'))).status).toBe(404)
    expect((await call('DELETE', accountId('short'))).status).toBe(204)
    expect(await putAccount('short')).toMatchObject({ status: 409, code: 'FlagMustBeSetForRestore' })
    await putAccount('shorter')
    const again = () => putDeployment('shorter', 'all', { model: 'gpt-4.1-nano', capacity: 1 })
    expect(await again()).toMatchObject({ status: 400, code: 'InsufficientQuota' })

    expect((await call('GET', deletedId)).status).toBe(200)
    expect((await call('DELETE', deletedId)).status).toBe(202)
    expect((await call('GET', deletedId)).status).toBe(404)
    expect((await again()).status).toBe(201)
    expect((await putAccount('short')).status).toBe(201)
    expect((await call('GET', `${accountId('short')}/deployments/all`)).status).toBe(404)
  })

  it('come back with their deployments when they are restored', async () => {
    await putAccount('restored')
    await putDeployment('restored', 'chat')
    await call('DELETE', accountId('restored'))
    expect((await putAccount('restored', { restore: true })).status).toBe(201)
    expect((await call('GET', `${accountId('restored')}/deployments/chat`)).status).toBe(200)
  })
})

describe('deployments', () => {
  beforeAll(() => putAccount('models'))

  it('are made, changed, listed and deleted', async () => {
    const id = `${accountId('models')}/deployments/one`
    expect(await putDeployment('models', 'one')).toMatchObject({ status: 201, body: { sku: { capacity: 10 } } })
    expect(await putDeployment('models', 'one', { capacity: 20 })).toMatchObject({ status: 200 })
    expect((await call('GET', id)).body.properties).toMatchObject({
      provisioningState: 'Succeeded',
      model: { name: 'gpt-4.1-mini', version: '2025-04-14' },
      rateLimits: [
        { key: 'request', count: 20 },
        { key: 'token', count: 20_000 },
      ],
    })
    const { body } = await call('GET', `${accountId('models')}/deployments`)
    expect(body.value?.map(({ name }) => name)).toEqual(['one'])
    expect((await call('DELETE', id)).status).toBe(202)
    expect((await call('GET', id)).status).toBe(404)
    expect((await call('DELETE', id)).status).toBe(204)
  })

  it.each([
    ['an unknown model', { model: 'gpt-99' }, 'DeploymentModelNotSupported'],
    ['an unknown version', { version: '1999-01-01' }, 'DeploymentModelNotSupported'],
    ['an unknown sku', { sku: 'Golden' }, 'InvalidResourceProperties'],
    [
      'a sku that the model is not sold by',
      { model: 'gpt-5.4-mini', version: '2026-03-17', sku: 'ProvisionedManaged', capacity: 50 },
      'InvalidResourceProperties',
    ],
    ['too few provisioned units', { model: 'gpt-4.1', sku: 'ProvisionedManaged', capacity: 25 }, 'InvalidCapacity'],
    ['units between two steps', { model: 'gpt-4.1', sku: 'GlobalProvisionedManaged', capacity: 17 }, 'InvalidCapacity'],
    ['no capacity', { capacity: 0 }, 'InvalidRequestContent'],
  ])('are refused with %s', async (_name, options, code) => {
    expect(await putDeployment('models', 'bad', options)).toMatchObject({ status: 400, code })
  })

  it('are refused beyond the quota of region, model and sku, which usages tell', async () => {
    await azure.patch({
      arm: { quotas: [{ region: 'swedencentral', model: 'gpt-4o', sku: 'Standard', capacity: 30 }] },
    })
    const gpt4o = { model: 'gpt-4o', version: '2024-11-20', sku: 'Standard' }
    expect((await putDeployment('models', 'first', { ...gpt4o, capacity: 20 })).status).toBe(201)
    const over = await putDeployment('models', 'second', { ...gpt4o, capacity: 11 })
    expect(over).toMatchObject({ status: 400, code: 'InsufficientQuota' })
    expect(over.body.error?.message).toContain('current available capacity 10')
    expect((await putDeployment('models', 'first', { ...gpt4o, capacity: 30 })).status).toBe(200)
    expect((await putDeployment('models', 'global', { ...gpt4o, sku: 'GlobalStandard', capacity: 500 })).status).toBe(
      201,
    )
    const usages = `${SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/swedencentral/usages`
    expect((await call('GET', usages)).body.value).toContainEqual(
      expect.objectContaining({
        name: expect.objectContaining({ value: 'OpenAI.Standard.gpt-4o' }),
        currentValue: 30,
        limit: 30,
      }),
    )
  })

  it('of the configuration are shown, and changed there only', async () => {
    const id = `${accountId('simulator')}/deployments/chat`
    expect((await call('GET', id)).body.properties).toMatchObject({ model: { name: 'gpt-4.1-mini' } })
    expect((await call('PUT', id, { body: deploymentBody() })).status).toBe(400)
    expect((await call('DELETE', id)).status).toBe(400)
  })
})

describe('what takes its time', () => {
  beforeAll(() => azure.patch({ arm: { delayMs: 1_000 } }))
  afterAll(() => azure.patch({ arm: { delayMs: 0, faults: [] } }))
  const state = async (id: string) => (await call('GET', id)).body.properties?.['provisioningState']
  const until = async (id: string, wanted: string | undefined) => {
    while ((await state(id)) !== wanted) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const polled = async (headers: Headers) => {
    const url = new URL(headers.get('azure-asyncoperation') ?? '')
    return (await call('GET', url.pathname)).body
  }

  it('is Creating first, then Succeeded, which its operation tells too', async () => {
    const made = await putAccount('slow')
    expect(made).toMatchObject({ status: 201, body: { properties: { provisioningState: 'Creating' } } })
    expect(Number(made.headers.get('retry-after'))).toBe(1)
    expect(await polled(made.headers)).toMatchObject({ status: 'InProgress' })
    expect(await putDeployment('slow', 'early')).toMatchObject({ status: 409, code: 'AccountProvisioningStateInvalid' })
    await until(accountId('slow'), 'Succeeded')
    expect(await polled(made.headers)).toMatchObject({ status: 'Succeeded' })
  })

  it('is one deployment of an account at a time', async () => {
    await putAccount('busy')
    await until(accountId('busy'), 'Succeeded')
    const id = `${accountId('busy')}/deployments/one`
    await putDeployment('busy', 'one')
    expect(await putDeployment('busy', 'two')).toMatchObject({ status: 409, code: 'RequestConflict' })
    expect(await call('DELETE', id)).toMatchObject({ status: 409, code: 'RequestConflict' })
    await until(id, 'Succeeded')
    expect((await call('DELETE', id)).status).toBe(202)
    expect(await state(id)).toBe('Deleting')
    await until(id, undefined)
    expect((await putDeployment('busy', 'two')).status).toBe(201)
  })

  it('can be told to end badly, and requests to be refused', async () => {
    await azure.patch({
      arm: {
        faults: [
          { path: '/accounts/faulty', retryAfterSeconds: 7, next: 1 },
          { kind: 'operation', path: '/accounts/faulty', code: 'InternalError', message: 'no luck' },
        ],
      },
    })
    const throttled = await putAccount('faulty')
    expect(throttled).toMatchObject({ status: 429, code: 'TooManyRequests' })
    expect(throttled.headers.get('retry-after')).toBe('7')
    const made = await putAccount('faulty')
    expect(made.status).toBe(201)
    await until(accountId('faulty'), 'Failed')
    expect(await polled(made.headers)).toMatchObject({ status: 'Failed', error: { code: 'InternalError' } })
  })
})

describe('a reset', () => {
  it('leaves what there was at the start', async () => {
    await putAccount('forgotten')
    await fetch(azure.url('/simulator/reset'), { method: 'POST' })
    expect((await call('GET', accountId('forgotten'))).status).toBe(404)
    expect((await call('GET', accountId('simulator'))).status).toBe(200)
  })
})
