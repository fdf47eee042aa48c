import { createArm } from '../../../src/azure/arm-client'
import { createOAuthTokens } from '../../../src/azure/oauth-tokens'
import { createSmallHttp } from '../../../src/azure/small-http'
import { systemClock } from '../../../src/base/clock'
import { ensureResource, removeResource } from '../../../src/provisioning/ensure-resource'
import { ensureRole, removeRole, roles } from '../../../src/provisioning/role-assignments'
import { PLATFORM_CLIENT_ID, SIMULATED_SECRET } from '../../../local/simulator/entra/directories'
import { startSimulator } from '../../../local/simulator/simulator'
import { accountBody, accountId, deploymentBody, directoryId, INFERENCE_SCOPE, PLATFORM_PRINCIPAL } from './running-arm'
import { user } from './running'

const VERSION = '2024-10-01'

/** The product's own clients against the simulator, which it cannot tell from Azure. */
async function connected(delayMs: number) {
  const simulator = await startSimulator({ config: { arm: { delayMs } } })
  const http = createSmallHttp()
  const identity = createOAuthTokens({
    authority: `${simulator.url}/entra`,
    application: {
      directoryId: directoryId('platform'),
      clientId: PLATFORM_CLIENT_ID,
      proof: { kind: 'secret', secret: SIMULATED_SECRET },
    },
    http,
    clock: systemClock,
  })
  const arm = createArm({ url: simulator.url, audience: simulator.url, identity, http })
  const close = async () => {
    await http.close()
    await simulator.close()
  }
  return { arm, identity, simulator, [Symbol.asyncDispose]: close }
}

const wanted = (id: string, body: object) => ({ id, apiVersion: VERSION, body, isAsWanted: () => true })

async function until<T>(done: (value: T) => boolean, step: () => Promise<T>): Promise<T> {
  for (;;) {
    const value = await step()
    if (done(value)) return value
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

it('the product makes an account and a deployment, gets a role on it, calls it, and takes all of it away', async () => {
  await using azure = await connected(60)
  const { arm } = azure
  const account = accountId('driven')
  const deployment = `${account}/deployments/chat`
  const isReady = ({ kind }: { kind: string }) => kind === 'ready'

  expect(await arm.put(account, VERSION, accountBody('driven', { disableLocalAuth: true }))).toMatchObject({
    kind: 'under-way',
    againAfterMs: 1_000,
  })
  expect(await arm.put(deployment, VERSION, deploymentBody())).toMatchObject({ kind: 'busy' })
  const made = await until(isReady, () => ensureResource(arm, wanted(account, accountBody('driven'))))
  await until(isReady, () => ensureResource(arm, wanted(deployment, deploymentBody())))
  expect(await arm.principalId()).toBe(PLATFORM_PRINCIPAL)
  expect(await ensureRole(arm, account, roles.openAiUser)).toMatchObject({ kind: 'ready' })

  const endpoint = made.kind === 'ready' ? String(made.resource.properties['endpoint']) : ''
  expect(endpoint).toBe(`${azure.simulator.url}/accounts/driven/`)
  const token = await azure.identity.getToken(INFERENCE_SCOPE)
  const answer = await fetch(`${endpoint}openai/deployments/chat/chat/completions?api-version=2024-10-21`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token?.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(user('hi')),
  })
  expect(answer.status).toBe(200)

  const isGone = (removed: true | object) => removed === true
  await until(isGone, () => removeResource(arm, deployment, VERSION))
  expect(await removeRole(arm, account, roles.openAiUser)).toBe(true)
  await until(isGone, () => removeResource(arm, account, VERSION))
  expect(await arm.put(account, VERSION, accountBody('driven'))).toMatchObject({
    kind: 'refused',
    code: 'FlagMustBeSetForRestore',
  })
})

it('the product learns why what it began has ended badly', async () => {
  await using azure = await connected(20)
  const fault = { kind: 'operation', path: '/accounts/unlucky', code: 'InternalError', message: 'no luck' }
  await fetch(`${azure.simulator.url}/simulator/config`, {
    method: 'PATCH',
    body: JSON.stringify({ arm: { faults: [fault] } }),
  })
  await azure.arm.put(accountId('unlucky'), VERSION, accountBody('unlucky'))
  const ended = await until(
    ({ kind }) => kind !== 'under-way',
    () => azure.arm.get(accountId('unlucky'), VERSION),
  )
  expect(ended).toMatchObject({ kind: 'refused', message: expect.stringContaining('no luck') })
})

it('a storage account and its key are had by the product’s client', async () => {
  await using azure = await connected(20)
  const id = `${accountId('x').split('/providers/')[0]}/providers/Microsoft.Storage/storageAccounts/tntdriven`
  const body = { location: 'swedencentral', kind: 'StorageV2', sku: { name: 'Standard_ZRS' }, properties: {} }
  const made = await until(
    ({ kind }) => kind === 'ready',
    () => ensureResource(azure.arm, wanted(id, body)),
  )
  expect(made).toMatchObject({
    resource: { properties: { primaryEndpoints: { blob: 'http://127.0.0.1:10000/tntdriven/' } } },
  })
  const keys = await azure.arm.post(`${id}/listKeys`, VERSION)
  expect(keys).toMatchObject({ kind: 'ready', resource: { properties: { keys: [{ keyName: 'key1' }] } } })
})
