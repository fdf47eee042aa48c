import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unzipSync } from 'fflate'
import { auditVerify } from '../../local/audit-verify'
import { certificateVerify } from '../../local/certificate-verify'
import { makeStamp, resourcesOf } from '../harness/azure-resources'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { chatBody, chatPath, post } from '../harness/call'
import { certificateOf, storageOf, tracesOf } from './traces'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_OFFBOARDING_GRACE_SECONDS: '0' })
})
afterAll(() => stack.stop())

const folder = mkdtempSync(join(tmpdir(), 'tenantry-test-'))
const run = promisify(execFile)
const call = ({ apiKey }: TestTenant, { baseUrl } = stack) => post({ baseUrl, apiKey }, chatPath, chatBody())
const remaining = async ({ tenantId }: TestTenant) => (await tracesOf(stack, tenantId)).sort()
const offboard = ({ tenantId }: TestTenant, query = '') =>
  stack.platform.remove<{ offboardingId: string; statusUrl: string }>(`/tenants/${tenantId}${query}`)

describe.each(['logical', 'container'])('offboarding a tenant with its data in a %s place', (data) => {
  it.concurrent('refuses its calls at once, deletes everything, and certifies it', async () => {
    const tenant = await stack.makeTenant({ isolation: { models: 'shared', data } })
    const other = await stack.makeTenant({ isolation: { models: 'shared', data: 'container' } })
    expect((await call(tenant)).status).toBe(200)
    expect(await remaining(tenant)).toEqual(expect.arrayContaining(['keys', 'limits', 'tenants']))

    const { offboardingId, statusUrl } = await offboard(tenant)
    expect(statusUrl).toBe(`/api/platform/operations/${offboardingId}`)
    const ended = await stack.platform.ended(offboardingId)
    expect(ended).toMatchObject({ state: 'completed', certificateUrl: expect.stringContaining(tenant.tenantId) })
    // Which of the two depends on whether this instance still remembers the key.
    expect([401, 403]).toContain((await call(tenant)).status)
    expect((await call(other)).status).toBe(200)
    // It is for the tenant that went, and tells of no other one.
    const certificate = JSON.stringify(await certificateOf(stack, tenant.tenantId))
    expect(certificate).not.toContain(other.tenantId.slice('ten_'.length))
    // Sums for bills stay, numbers only.
    expect((await remaining(tenant)).filter((name) => name !== 'usageminutes')).toEqual(['exports'])
    expect((await remaining(other)).length).toBeGreaterThan(3)
  })
})

describe('offboarding a tenant with models and storage of its own', () => {
  it.concurrent('deletes its accounts and deployments, and frees their names', async () => {
    await makeStamp(stack)
    const tenant = await stack.platform.onboard({
      displayName: 'Alone',
      contact: { email: 'a@b.example' },
      region: 'swedencentral',
      tier: 'premium',
      isolation: { models: 'dedicated', data: 'account' },
      aliases: [{ name: 'chat', model: 'gpt-4.1-mini', deployment: { modelVersion: '2025-04-14', capacity: 1_000 } }],
    })
    expect(await resourcesOf(stack, tenant.tenantId)).toHaveLength(3)
    const ended = await stack.platform.ended((await offboard(tenant)).offboardingId)
    expect(ended).toMatchObject({ state: 'completed' })
    expect(await resourcesOf(stack, tenant.tenantId)).toEqual([])
    expect(await certificateOf(stack, tenant.tenantId)).toMatchObject({
      removed: { 'backends of its own': expect.any(Number), 'sealed records and blobs': expect.any(Number) },
    })
    expect((await remaining(tenant)).filter((name) => name !== 'usageminutes')).toEqual(['exports'])
  })
})

describe('a deletion certificate', () => {
  it.concurrent('verifies with the published keys, and no longer once a letter of it is changed', async () => {
    const tenant = await stack.makeTenant()
    await stack.platform.ended((await offboard(tenant)).offboardingId)
    const { body } = await stack.platform.get<{ certificate: string }>(
      `/tenants/${tenant.tenantId}/deletion-certificate`,
    )
    const file = join(folder, 'certificate.json')
    writeFileSync(file, JSON.stringify(body))
    const keys = `${stack.baseUrl}/api/.well-known/tenantry-keys.json`
    const lines: string[] = []
    const verify = () =>
      certificateVerify(
        ['--file', file, '--keys', keys, '--json'],
        (line) => lines.push(line),
        () => {},
      )

    expect(await verify()).toBe(0)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      kind: 'tenantry-deletion-certificate',
      tenantId: tenant.tenantId,
      requestedBy: expect.any(String),
      removed: { 'table keys': 1, 'sealed records and blobs': 1 },
      dataKeys: { versions: [{ version: 1, wrappedBy: expect.stringContaining('key-file/') }] },
      swept: {
        found: 0,
        looked: expect.arrayContaining(['table keys', 'container tenant-content', 'table backends']),
      },
      retained: [
        { what: expect.stringContaining('Sums of usage') },
        { what: expect.stringContaining('What the provider counted') },
        { what: expect.stringContaining('Invoices') },
        { what: expect.stringContaining('tombstone') },
        { what: expect.stringContaining('Alerts about it') },
        { what: expect.stringContaining('Shared models') },
        { what: expect.stringContaining('The encrypted export, until ') },
      ],
    })
    const [header = '', payload = '', signature = ''] = body.certificate.split('.')
    const forged = Buffer.from(payload, 'base64url').toString().replace('"found":0', '"found":1')
    writeFileSync(file, [header, Buffer.from(forged).toString('base64url'), signature].join('.'))
    expect(await verify()).toBe(1)
  })

  it.concurrent(
    'comes only when the sweep finds nothing, wherever it lies; asked for again, the offboarding goes on',
    async () => {
      const tenant = await stack.makeTenant()
      const storage = storageOf(stack.storagePrefix)
      await storage.ensure({ tables: ['strays'] })
      await storage.table('strays').createEntity({ partitionKey: tenant.tenantId, rowKey: 'restored' })

      const { offboardingId } = await offboard(tenant)
      const stopped = await stack.platform.ended(offboardingId)
      expect(stopped.state).toBe('failed')
      expect(stopped.certificateUrl).toBeUndefined()
      expect(stopped.steps.find(({ id }) => id === 'sweep')).toMatchObject({
        state: 'failed',
        error: { code: 'offboarding_incomplete', detail: expect.stringContaining('table strays (1 rows)') },
      })
      await expect(certificateOf(stack, tenant.tenantId)).rejects.toThrow('404')

      await storage.table('strays').deleteEntity(tenant.tenantId, 'restored')
      await offboard(tenant)
      expect((await stack.platform.ended(offboardingId)).state).toBe('completed')
      // What the first attempt removed is not forgotten by the second.
      expect(await certificateOf(stack, tenant.tenantId)).toMatchObject({
        removed: { 'table keys': 1, 'versions of the data key': 1 },
        dataKeys: { versions: [{ version: 1 }] },
      })
    },
  )

  it.concurrent(
    'takes with it what the host keeps of its onboarding, its moves and its key rotations, and of no other tenant’s',
    async () => {
      const headers = { authorization: `Bearer ${stack.operatorToken}` }
      const statusOf = async (id: string) =>
        (await fetch(`${stack.baseUrl}/api/platform/operations/${id}`, { headers })).status
      const other = await stack.makeTenant()
      // Side by side: what each waits for is that all instances know of it.
      const goes = async (path: string, body?: object) => {
        const tenant = await stack.makeTenant()
        const { operationId } = await stack.platform.post<{ operationId: string }>(
          `/tenants/${tenant.tenantId}/${path}`,
          body,
        )
        expect((await stack.platform.ended(operationId)).state).toBe('completed')
        const statuses = () => Promise.all([tenant.onboardingId, operationId, other.onboardingId].map(statusOf))
        expect(await statuses()).toEqual([200, 200, 200])
        const { offboardingId } = await offboard(tenant)
        expect((await stack.platform.ended(offboardingId)).state).toBe('completed')
        expect(await statuses()).toEqual([404, 404, 200])
      }
      await Promise.all([goes('move', { data: 'container' }), goes('data-key/rotate')])
    },
  )

  it.concurrent('is the same one when the offboarding is asked for again', async () => {
    const tenant = await stack.makeTenant()
    const first = await offboard(tenant)
    const again = await fetch(`${stack.baseUrl}/api/platform/tenants/${tenant.tenantId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stack.operatorToken}`, 'if-match': '*' },
    })
    expect(again.status).toBe(202)
    expect(await again.json()).toEqual(first)
    await stack.platform.ended(first.offboardingId)
  })
})

describe('an export', () => {
  it.concurrent('holds what was the tenant’s, behind a link that shows its key once', async () => {
    const tenant = await stack.makeTenant({ displayName: 'Leaving Ltd' })
    expect((await call(tenant)).status).toBe(200)
    const { facts } = await stack.platform.ended((await offboard(tenant)).offboardingId)
    const shown = await fetch(facts['exportUrl'] ?? '')
    expect(shown.status).toBe(200)
    const { key, archiveUrl } = (await shown.json()) as { key: string; archiveUrl: string }
    expect((await fetch(facts['exportUrl'] ?? '')).status).toBe(410)

    const archive = join(folder, 'export.zip.enc')
    const zip = join(folder, 'export.zip')
    writeFileSync(archive, Buffer.from(await (await fetch(archiveUrl)).arrayBuffer()))
    const open = (key: string) =>
      run(process.execPath, ['dist/local/export-open.js', '--file', archive, '--key', key, '--out', zip])
    await open(key)
    const files = unzipSync(readFileSync(zip))
    const text = (name: string) => Buffer.from(files[name] ?? []).toString()
    expect(JSON.parse(text('profile.json'))).toMatchObject({ displayName: 'Leaving Ltd' })
    expect(JSON.parse(text('members.json'))).toEqual({ members: [], directories: [] })
    const usage = text('usage-by-day.jsonl').trim().split('\n')
    expect(usage.map((row) => JSON.parse(row))).toEqual([expect.objectContaining({ alias: 'chat', calls: 1 })])
    expect(text('keys.json')).toContain(tenant.keyId)
    expect(text('keys.json')).not.toMatch(/digest|salt/i)
    expect(Object.values(files).some((file) => Buffer.from(file).includes(tenant.apiKey))).toBe(false)
    expect(JSON.parse(text('manifest.json')).files.map(({ name }: { name: string }) => name)).toEqual(
      Object.keys(files).filter((name) => name !== 'manifest.json'),
    )
    const chain = join(folder, 'audit.jsonl')
    writeFileSync(chain, text('audit.jsonl'))
    const lines: string[] = []
    expect(
      await auditVerify(['--file', chain, '--json'], {}, { print: (line) => lines.push(line), note: () => {} }),
    ).toBe(0)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ sound: true })
    await expect(open(Buffer.alloc(32).toString('base64url'))).rejects.toMatchObject({ code: 1 })
  })

  it.concurrent('is not made where it is not wanted', async () => {
    const tenant = await stack.makeTenant()
    const { steps, facts } = await stack.platform.ended((await offboard(tenant, '?export=false')).offboardingId)
    expect(steps.find(({ id }) => id === 'export')?.state).toBe('skipped')
    expect(facts['exportUrl']).toBeUndefined()
    expect(await remaining(tenant)).toEqual([])
    expect(JSON.stringify((await certificateOf(stack, tenant.tenantId))['retained'])).not.toContain('export')
  })
})

describe('an offboarding', () => {
  it.concurrent('takes a suspended tenant too', async () => {
    const tenant = await stack.makeTenant()
    await stack.platform.post(`/tenants/${tenant.tenantId}/suspend`, undefined)
    expect(await stack.platform.ended((await offboard(tenant)).offboardingId)).toMatchObject({ state: 'completed' })
  })

  it.concurrent('refuses a tenant whose onboarding has not ended, and takes it when it has', async () => {
    await stack.platform.put('/registration-settings', {
      mode: 'approval',
      tier: 'free',
      regions: ['swedencentral'],
      aliases: [],
    })
    const answer = await fetch(`${stack.baseUrl}/api/registrations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        displayName: 'Waiting',
        contact: { email: 'a@waiting.example' },
        region: 'swedencentral',
      }),
    })
    const { tenantId, onboardingId } = (await answer.json()) as { tenantId: string; onboardingId: string }
    const status = () => stack.platform.get<{ state: string }>(`/operations/${onboardingId}`)
    while ((await status()).body.state !== 'waiting-for-approval')
      await new Promise((resolve) => setTimeout(resolve, 50))
    await expect(stack.platform.remove(`/tenants/${tenantId}`)).rejects.toThrow('409')
    await stack.platform.post(`/operations/${onboardingId}/decision`, { approved: true })
    expect((await stack.platform.ended(onboardingId)).state).toBe('completed')
    const { offboardingId } = await stack.platform.remove<{ offboardingId: string }>(`/tenants/${tenantId}`)
    expect(await stack.platform.ended(offboardingId)).toMatchObject({ state: 'completed' })
  })
})

describe('an offboarding is refused', () => {
  it.concurrent.each([
    ['without saying which version', {}, 428],
    ['on a version that is no more', { 'if-match': '"999"' }, 412],
  ])('%s, and the tenant goes on', async (_, headers, status) => {
    const tenant = await stack.makeTenant()
    const answer = await fetch(`${stack.baseUrl}/api/platform/tenants/${tenant.tenantId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stack.operatorToken}`, ...headers } as Record<string, string>,
    })
    expect(answer.status).toBe(status)
    expect((await call(tenant)).status).toBe(200)
  })

  it.concurrent('for a tenant that never was', async () => {
    const answer = await fetch(`${stack.baseUrl}/api/platform/tenants/ten_${'2'.repeat(26)}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stack.operatorToken}`, 'if-match': '*' },
    })
    expect(answer.status).toBe(404)
  })
})
