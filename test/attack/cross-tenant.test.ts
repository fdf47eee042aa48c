import { createIdMaker } from '../../src/base/ids'
import { systemChance } from '../../src/base/chance'
import { modelIdOf } from '../../src/registry/model-version'
import { AUDIENCE, startEntraIssuer, type EntraIssuer } from '../access/entra-issuer'
import { createBackend, createKey, createStamp, createTenant, expectStatus } from '../functions/control-plane-fixtures'
import {
  operatorToken,
  serveControlPlane,
  type ControlPlaneServer,
  type Reply,
} from '../functions/control-plane-server'
import { keepDataset, openUpload } from '../functions/dataset-fixtures'
import { newSubscriptionId } from '../../src/notifications/subscription'
import { promisedTenant } from '../sla/promised-tenant'
import { notifiedTenant } from '../notifications/notification-fixtures'
import { sharedModelOf } from '../shared-models/shared-fixtures'
import { evaluatedModel, keepJob, sealingScope } from '../functions/tuned-fixtures'
import { documentedOperations, kindsInText, type DocumentedOperation } from './documented-operations'

/**
 * Tenant B tries every route of the API's own document with every kind of id of tenant A. What it gets must be what it gets
 * for an id that never existed, to the letter. A route or a kind of id that is new here fails until it is thought of.
 */
const DIRECTORY_A = 'aaaaaaaa-0000-4000-8000-00000000000a'
const DIRECTORY_B = 'bbbbbbbb-0000-4000-8000-00000000000b'
const ANN = '99999999-0000-4000-8000-0000000000a1'
const BOB = '99999999-0000-4000-8000-0000000000b1'

interface Operation extends DocumentedOperation {
  readonly params: readonly string[]
}

let issuer: EntraIssuer
let server: ControlPlaneServer
let operations: readonly Operation[]
let real: Readonly<Record<string, string>>
let unknown: Readonly<Record<string, string>>
let keyOfB: string
let tokenOfB: string
let keyOfA: string
let stateOfA: string

beforeAll(async () => {
  issuer = await startEntraIssuer()
  server = await serveControlPlane({ entra: { authority: issuer.authority, audiences: [AUDIENCE] } })
  const [a, b] = [await createTenant(server, { displayName: 'A' }), await createTenant(server, { displayName: 'B' })]
  keyOfA = a.apiKey
  keyOfB = b.apiKey
  for (const [tenant, directoryId, objectId] of [
    [a, DIRECTORY_A, ANN],
    [b, DIRECTORY_B, BOB],
  ] as const) {
    const path = `/api/platform/tenants/${tenant.tenantId}`
    expectStatus(await server.operate('POST', `${path}/directories`, { directoryId }), 201)
    expectStatus(await server.operate('POST', `${path}/members`, { directoryId, objectId, role: 'owner' }), 201)
  }
  expectStatus(
    await server.operate('PUT', `/api/platform/tenants/${a.tenantId}/secrets/account-key`, { value: 'of-a' }),
    204,
  )
  tokenOfB = await issuer.token(DIRECTORY_B, { oid: BOB })
  const ids = createIdMaker({ clock: server.clock, chance: systemChance() })
  const scopeOfA = await sealingScope(server, a.tenantId)
  real = {
    tenantId: a.tenantId,
    keyId: (await createKey(server, a.apiKey)).keyId,
    memberId: `${DIRECTORY_A}~${ANN}`,
    directoryId: DIRECTORY_A,
    backendId: await createBackend(server),
    stampId: await createStamp(server),
    operationId: `onb_${a.tenantId.slice('ten_'.length)}`,
    name: 'account-key',
    // A month is nobody's: both are before either tenant was there.
    period: '2025-02',
    jobId: (await keepJob(server, scopeOfA)).id,
    ...(await notifiedTenant(server, scopeOfA, a.apiKey)),
    ...(await promisedTenant(server, scopeOfA)),
    datasetId: await keepDataset(server, scopeOfA),
    uploadId: await openUpload(server, scopeOfA),
    ...(await evaluatedModel(server, scopeOfA)),
    ...(await sharedModelOf(server, scopeOfA)),
  }
  unknown = {
    tenantId: ids.tenantId(),
    keyId: ids.keyId(),
    memberId: 'cccccccc-0000-4000-8000-00000000000c~99999999-0000-4000-8000-0000000000c1',
    directoryId: 'cccccccc-0000-4000-8000-00000000000c',
    backendId: ids.backendId(),
    stampId: ids.stampId(),
    operationId: ids.operationId('onb'),
    name: 'no-such-key',
    period: '2025-01',
    jobId: ids.tuningJobId(),
    datasetId: ids.datasetId(),
    uploadId: ids.linkUploadId(),
    modelId: modelIdOf(ids.tuningJobId()),
    evaluationId: ids.operationId('evl'),
    sharedModelId: ids.operationId('shm'),
    purposeId: 'no-such-purpose',
    alias: 'no-such-alias',
    incidentId: `inc_${'0'.repeat(26)}`,
    maintenanceId: ids.maintenanceId(),
    subscriptionId: newSubscriptionId({ clock: server.clock, chance: systemChance() }),
    alertId: 'no-such-alert',
    deadLetterId: `dead-${'0'.repeat(13)}-${ids.tenantId()}-dlv_${'0'.repeat(40)}`,
  }
  const documented = documentedOperations(expectStatus(await server.send('GET', '/api/openapi.json'), 200).body)
  operations = documented.map((operation) => ({ ...operation, params: kindsInText(operation.path) }))
  stateOfA = await look()
})
afterAll(async () => {
  await server.close()
  await issuer.close()
})

/** Everything of A that a change would show in. */
async function look(): Promise<string> {
  const { jobId = '', modelId = '', datasetId = '', uploadId = '' } = real
  const data = [`datasets/${datasetId}`, `datasets/${datasetId}/report`, `datasets/uploads/${uploadId}`]
  const tuned = [`tuning/jobs/${jobId}`, `models/${modelId}`, `models/${modelId}/drift`]
  const told = ['invoices', 'alerts', 'notifications/subscriptions', 'incidents', 'sla?month=2025-12']
  const lists = [...told, 'keys', 'members', 'secrets', 'audit?limit=1000', ...tuned, ...data]
  const paths = ['/api/tenant', ...lists.map((list) => `/api/tenant/${list}`)]
  const replies = await Promise.all(paths.map((path) => server.send('GET', path, { apiKey: keyOfA })))
  // The audit of A has A's own reads; nothing else may come to it.
  return JSON.stringify(
    replies.map(({ status, body }) => [
      status,
      body.entries
        ? body.entries.filter(({ actor }: { actor: { id: string } }) => !keyOfA.includes(actor.id.slice(4, 20)))
        : body,
    ]),
  )
}

/** What may differ between two answers: nothing but what names the request and what it asked for. */
function comparable({ status, text, headers }: Reply, names: Readonly<Record<string, string>>): string {
  let shown = `${status} ${headers.get('content-type')} ${headers.get('etag')} ${headers.get('location')} ${text}`
  for (const [kind, name] of Object.entries(names)) shown = shown.replaceAll(name, `{${kind}}`)
  return shown.replaceAll(/req_[0-9a-z]+/g, '{request}')
}

const fill = ({ path }: Operation, names: Readonly<Record<string, string>>) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? `{${name}}`)

async function attack(operation: Operation, credential: Record<string, string>) {
  const ask = (names: Readonly<Record<string, string>>) =>
    server.send(operation.method, fill(operation, names), {
      body: operation.body,
      headers: { 'if-match': '*', ...credential },
    })
  return {
    onReal: comparable(await ask(real), real),
    onUnknown: comparable(await ask(unknown), unknown),
  }
}

describe('with B’s credentials', () => {
  it('every kind of id in the API’s document is tried', () => {
    const kinds = new Set(operations.flatMap(({ params }) => params))
    expect(operations.length).toBeGreaterThan(20)
    // A token of a link is a credential itself: whoever has it may use it.
    expect([...kinds].filter((kind) => kind !== 'token' && !(kind in real))).toEqual([])
  })

  it.each([
    ['an API key', () => ({ 'api-key': keyOfB })],
    ['an owner’s Entra token', () => ({ authorization: `Bearer ${tokenOfB}` })],
  ])('by %s, a thing of A answers like one that never existed, on every route', async (_, credential) => {
    const different: string[] = []
    for (const operation of operations.filter(({ params }) => params.length > 0 && !params.includes('token'))) {
      const { onReal, onUnknown } = await attack(operation, credential())
      if (onReal !== onUnknown) different.push(`${operation.method} ${operation.path}\n${onReal}\n${onUnknown}`)
    }
    expect(different).toEqual([])
  })

  it('no route of operators opens', async () => {
    const opened: string[] = []
    for (const operation of operations.filter(({ path }) => path.startsWith('/api/platform'))) {
      const { status } = await server.send(operation.method, fill(operation, real), {
        body: operation.body,
        headers: { 'if-match': '*', 'api-key': keyOfB, authorization: `Bearer ${keyOfB}` },
      })
      if (status !== 401) opened.push(`${operation.method} ${operation.path}: ${status}`)
    }
    expect(opened).toEqual([])
  })

  it('nothing of A has changed after all that', async () => {
    expect(await look()).toBe(stateOfA)
  })
})

it('a route that names a tenant opens to operators, so that the attempts above meant something', async () => {
  const headers = { authorization: `Bearer ${operatorToken}` }
  expectStatus(await server.send('GET', `/api/platform/tenants/${real['tenantId']}`, { headers }), 200)
  expectStatus(await server.send('DELETE', `/api/tenant/keys/${real['keyId']}`, { apiKey: keyOfA }), 204)
})
