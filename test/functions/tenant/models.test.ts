import type { ModelEvaluation, ModelVersion } from '../../../src/registry/model-version'
import type { TenantScope } from '../../../src/storage/tenant-scope'
import { chatAlias, createBackend, createKey, createTenant, expectStatus } from '../control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../control-plane-server'
import { registerModel, sealingScope, UPSTREAM, UPSTREAM_ACCOUNT } from '../tuned-fixtures'

let server: ControlPlaneServer
let base: string
beforeAll(async () => {
  server = await serveControlPlane()
  base = await createBackend(server)
})
afterAll(() => server.close())

async function tuned() {
  const { tenantId, apiKey } = await createTenant(server, { aliases: [chatAlias(base)] })
  const scope = await sealingScope(server, tenantId)
  return { scope, tenantId, apiKey, model: await register(scope) }
}

const register = (scope: TenantScope, change: Partial<ModelVersion> = {}) => registerModel(server, scope, change)

const groupsOf = async (scope: TenantScope) => (await server.parts.tenants.get(scope))?.aliases[0]?.groups
const backendOf = ({ deployment }: ModelVersion) => (deployment.kind === 'none' ? '' : deployment.plan.backendId)

describe('a tenant’s tuned models', () => {
  it('are listed page by page and shown with where they come from, and nothing of the account they lie at', async () => {
    const { apiKey, scope, model } = await tuned()
    const second = await register(scope, { deployment: { kind: 'none' } })
    const first = expectStatus(await server.send('GET', '/api/tenant/models?limit=1', { apiKey }), 200)
    expect(first.body).toMatchObject({ models: [{ id: model.id, version: 1 }], next: model.id })
    const rest = await server.send('GET', `/api/tenant/models?limit=1&after=${first.body.next}`, { apiKey })
    expect(expectStatus(rest, 200).body).toMatchObject({ models: [{ id: second.id, version: 2 }] })
    expect(rest.body.next).toBeUndefined()
    const asleep = await server.send('GET', '/api/tenant/models?state=none', { apiKey })
    expect(asleep.body.models.map(({ id }: { id: string }) => id)).toEqual([second.id])

    const { body, text } = expectStatus(await server.send('GET', `/api/tenant/models/${model.id}`, { apiKey }), 200)
    expect(body).toMatchObject({
      lineage: { hyperparameters: { n_epochs: 3 } },
      training: { metrics: { train_loss: 0.5 } },
    })
    for (const secret of [UPSTREAM, UPSTREAM_ACCOUNT, backendOf(model)]) expect(text + first.text).not.toContain(secret)
  })

  it('are promoted to an alias and rolled back to exactly what it was', async () => {
    const { apiKey, scope, model } = await tuned()
    const before = await groupsOf(scope)
    const promote = `/api/tenant/models/${model.id}/promote`
    const led = await server.send('POST', promote, { apiKey, body: { alias: 'chat' } })
    expect(expectStatus(led, 202).body).toMatchObject({ state: 'led', percent: 100, alias: 'chat' })
    expect(await groupsOf(scope)).toEqual([{ members: [{ backendId: backendOf(model), weight: 1 }] }])
    expect(led.text).not.toContain(backendOf(model))
    const shown = await server.send('GET', `/api/tenant/models/${model.id}`, { apiKey })
    expect(shown.body.promotions).toMatchObject([{ alias: 'chat' }])
    expect(shown.text).not.toContain(base)

    const back = await server.send('POST', `/api/tenant/models/${model.id}/rollback`, { apiKey })
    expect(expectStatus(back, 200).body.promotions).toMatchObject([{ state: 'returned', percent: 0 }])
    expect(await groupsOf(scope)).toEqual(before)
    expectStatus(await server.send('POST', `/api/tenant/models/${model.id}/rollback`, { apiKey }), 409)
  })

  it('are archived and restored only where nothing of them is deployed', async () => {
    const { apiKey, scope, model } = await tuned()
    expectStatus(await server.send('POST', `/api/tenant/models/${model.id}/archive`, { apiKey }), 409)
    const idle = await register(scope, { deployment: { kind: 'none' } })
    const archive = () => server.send('POST', `/api/tenant/models/${idle.id}/archive`, { apiKey })
    const archived = expectStatus(await archive(), 200)
    expect(archived.body.history).toMatchObject([{ event: 'registered' }, { event: 'archived' }])
    expect(expectStatus(await archive(), 200).body).toEqual(archived.body)
    const restored = await server.send('POST', `/api/tenant/models/${idle.id}/restore`, { apiKey })
    expect(expectStatus(restored, 200).body.archivedAt).toBeUndefined()
  })

  it('are compared by the same held-out set only', async () => {
    const { apiKey, scope } = await tuned()
    const scored = (datasetHash: 'sha256:aa' | 'sha256:bb', score: number): ModelEvaluation => ({
      id: `evl_${String(score).replace('.', '').padEnd(26, '0')}`,
      atMs: 0,
      fileId: `file-${'0'.repeat(26)}`,
      datasetHash,
      sampleHash: 'sha256:cc',
      examples: 10,
      unanswered: 0,
      tuned: { token_f1: score },
      base: { token_f1: 0.5 },
      gains: { token_f1: { mean: score - 0.5, low: 0, high: 1 } },
      baseAlias: 'chat',
    })
    const one = await register(scope, { evaluations: [scored('sha256:aa', 0.9), scored('sha256:bb', 0.1)] })
    const two = await register(scope, { evaluations: [scored('sha256:aa', 0.6)] })
    const other = await register(scope, { evaluations: [{ ...scored('sha256:aa', 0.7), sampleHash: 'sha256:dd' }] })
    const compared = (id: string) => server.send('GET', `/api/tenant/models/${one.id}/compare?with=${id}`, { apiKey })
    const { evaluation } = expectStatus(await compared(two.id), 200).body
    expect(evaluation).toMatchObject({
      datasetHash: 'sha256:aa',
      scores: [{ metric: 'token_f1', value: 0.9, other: 0.6 }],
    })
    expect(evaluation.scores[0].difference).toBeCloseTo(0.3)
    expect(expectStatus(await compared(other.id), 200).body.evaluation).toBeUndefined()
  })

  it.each([
    ['GET', ''],
    ['POST', '/promote'],
    ['POST', '/rollback'],
    ['POST', '/archive'],
    ['POST', '/restore'],
    ['GET', '/compare'],
  ])('of another tenant answer %s %s as ones that never were, and stay as they are', async (method, path) => {
    const mine = await tuned()
    const stranger = await tuned()
    const body = path === '/promote' ? { body: { alias: 'chat' } } : {}
    const at = (id: string) => `/api/tenant/models/${id}${path}${path === '/compare' ? `?with=${mine.model.id}` : ''}`
    const answered = async (id: string) => {
      const { status, text } = await server.send(method, at(id), { apiKey: mine.apiKey, ...body })
      return { status, text: text.replaceAll(id, 'ID').replace(/req[\w-]+|"[0-9a-f-]{20,}"/g, '') }
    }
    const foreign = await answered(stranger.model.id)
    expect(foreign.status).toBe(404)
    const unknown = await answered(`mdl_${'0'.repeat(26)}`)
    const shape = ({ text }: { text: string }) => ({ ...JSON.parse(text), instance: '', requestId: '' })
    expect(shape(foreign)).toEqual(shape(unknown))
    const { registry } = server.parts.controlPlane
    expect(await registry.get(stranger.scope, stranger.model.id)).toEqual(stranger.model)
    expect(await groupsOf(mine.scope)).toEqual([{ members: [{ backendId: base, weight: 1 }] }])
  })

  it('are shown to operators, and changed by nobody who may not', async () => {
    const { apiKey, tenantId, model } = await tuned()
    const path = `/api/platform/tenants/${tenantId}/models`
    expect(expectStatus(await server.operate('GET', path), 200).body.models).toMatchObject([{ id: model.id }])
    expectStatus(await server.operate('GET', `${path}/${model.id}`), 200)
    const reader = await createKey(server, apiKey, { scopes: ['read-only'] })
    expectStatus(await server.send('GET', '/api/tenant/models', { apiKey: reader.apiKey }), 200)
    const refused = await server.send('POST', `/api/tenant/models/${model.id}/promote`, {
      apiKey: reader.apiKey,
      body: { alias: 'chat' },
    })
    expectStatus(refused, 403)
  })

  it.each([
    [
      {
        alias: 'chat',
        percentages: [
          { percent: 50, forMinutes: 5 },
          { percent: 50, forMinutes: 5 },
        ],
      },
      'percentages.1.percent',
    ],
    [{ alias: 'chat', percentages: [{ percent: 0, forMinutes: 5 }] }, 'percentages.0.percent'],
    [{ alias: 'chat', percentages: [] }, 'percentages'],
    [{ alias: 'chat', rollBackOn: { errorRate: 0.1 } }, 'rollBackOn'],
    [{ alias: 'chat', percentages: [{ percent: 5, forMinutes: 5 }], rollBackOn: { p95: 1 } }, 'rollBackOn'],
    [{}, 'alias'],
  ])('are not promoted by %j, and the fault is named', async (body, param) => {
    const { apiKey, model } = await tuned()
    const reply = await server.send('POST', `/api/tenant/models/${model.id}/promote`, { apiKey, body })
    expect(expectStatus(reply, 400).text).toContain(param)
  })
})
