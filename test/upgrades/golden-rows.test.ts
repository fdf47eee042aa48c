import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLogLine } from '../../src/metering/log-line'
import { createBackend, createKey, createStamp, createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import { controlPlaneStorage } from '../functions/wire-control-plane'
import { freshStorage } from '../harness/storage'
import { putRows, rowsOf, WRITES_FIXTURES, type StoredRow } from './fixtures'

const FILE = join(__dirname, 'fixtures', 'rows-1.json')
const LINES = join(__dirname, 'fixtures', 'usage-log-lines.txt')

interface Golden {
  readonly rows: readonly StoredRow[]
  readonly apiKey: string
  /** What was answered when the rows were written, by method, path and whose credential it was. */
  readonly answers: readonly { readonly path: string; readonly as: 'operator' | 'tenant'; readonly body: object }[]
}

const platformPaths = (tenantId: string) => [
  '/api/platform/backends',
  '/api/platform/stamps',
  '/api/platform/tenants',
  `/api/platform/tenants/${tenantId}`,
  `/api/platform/tenants/${tenantId}/keys`,
  `/api/platform/tenants/${tenantId}/members`,
  '/api/platform/alerts',
  '/api/platform/registration-settings',
]
const tenantPaths = ['/api/tenant', '/api/tenant/keys', '/api/tenant/limits']

async function write(): Promise<void> {
  await using server = await serveControlPlane()
  await createBackend(server)
  await createStamp(server)
  const { tenantId, apiKey } = await createTenant(server)
  await createKey(server, apiKey)
  const any = { 'if-match': '*' }
  expectStatus(await server.operate('PATCH', `/api/platform/tenants/${tenantId}`, { displayName: 'Golden' }, any), 200)
  await server.parts.controlPlane.alerts.raise({
    id: 'an-alert',
    kind: 'backend-refuses',
    severity: 'warning',
    tenantId: undefined,
    title: 'An alert',
    detail: 'Of the golden rows.',
  })
  const rows = await rowsOf(server.storage)
  const asked = [
    ...platformPaths(tenantId).map((path) => ({ path, as: 'operator' as const })),
    ...tenantPaths.map((path) => ({ path, as: 'tenant' as const })),
  ]
  const answers = []
  for (const one of asked) {
    const { status, body } = await ask(server, one, apiKey)
    if (status === 200) answers.push({ ...one, body })
  }
  writeFileSync(FILE, `${JSON.stringify({ apiKey, answers, rows } satisfies Golden, null, 1)}\n`)
}

const ask = (server: ControlPlaneServer, { path, as }: { path: string; as: string }, apiKey: string) =>
  as === 'operator' ? server.operate('GET', path) : server.send('GET', path, { apiKey })

if (WRITES_FIXTURES && !existsSync(FILE)) beforeAll(write)

describe('rows that an earlier release has written', () => {
  it('are read as they were meant: every answer is what it was', async () => {
    const { rows, answers, apiKey } = JSON.parse(readFileSync(FILE, 'utf8')) as Golden
    const storage = freshStorage()
    await storage.ensure(controlPlaneStorage)
    await putRows(storage, rows)
    await using server = await serveControlPlane({ storage })
    expect(answers.length).toBeGreaterThan(8)
    for (const { body, ...asked } of answers) {
      const answer = expectStatus(await ask(server, asked, apiKey), 200)
      expect({ ...asked, body: untimed(answer.body) }).toEqual({ ...asked, body: untimed(body) })
    }
  })

  it('take changes', async () => {
    const { rows, apiKey } = JSON.parse(readFileSync(FILE, 'utf8')) as Golden
    const storage = freshStorage()
    await storage.ensure(controlPlaneStorage)
    await putRows(storage, rows)
    await using server = await serveControlPlane({ storage })
    await createKey(server, apiKey, { name: 'of a later release' })
    const { keys } = expectStatus(await server.send('GET', '/api/tenant/keys', { apiKey }), 200).body
    expect(keys.map(({ name }: { name: string }) => name)).toContain('of a later release')
  })
})

it('lines of the usage log of every version so far are read', () => {
  const lines = readFileSync(LINES, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const read = lines.map((line) => parseLogLine(line))
  expect(read.map((line) => line?.kind)).toEqual(['intent', 'settled', 'intent', 'settled', 'tally'])
  expect(read[1]).toMatchObject({ settlement: { outcome: 'completed', usage: { promptTokens: 12, outputTokens: 7 } } })
  expect(read[3]).toMatchObject({ settlement: { queuedMs: 40, throttledAttempts: 1, servedAs: { alias: 'spare' } } })
})

/** But for the moment of asking. */
const untimed = (body: object) => ({ ...body, asOf: undefined })
