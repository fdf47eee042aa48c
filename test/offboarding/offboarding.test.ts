import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unzipSync } from 'fflate'
import { certificateVerify } from '../../local/certificate-verify'
import { connectStorage } from '../../src/storage/connect'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { testConnectionString } from '../harness/storage'
import { chatBody, chatPath, post } from '../harness/call'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_OFFBOARDING_GRACE_SECONDS: '0' })
}, 60_000)
afterAll(() => stack.stop())

const folder = mkdtempSync(join(tmpdir(), 'tenantry-test-'))
const run = promisify(execFile)
const call = ({ apiKey }: TestTenant) => post({ baseUrl: stack.baseUrl, apiKey }, chatPath, chatBody())
const offboard = ({ tenantId }: TestTenant, query = '') =>
  stack.platform.remove<{ offboardingId: string; statusUrl: string }>(`/tenants/${tenantId}${query}`)

/** What of the account has the tenant's id in a key, a name or a blob's path. */
async function tracesOf({ tenantId }: TestTenant): Promise<string[]> {
  const storage = connectStorage(
    { kind: 'connection-string', connectionString: testConnectionString() },
    stack.storagePrefix,
  )
  const traces: string[] = []
  for (const name of await storage.tableNames())
    if ((await storage.rowsInPartition(name, tenantId)) > 0) traces.push(name)
  for (const name of await storage.containerNames())
    if ((await storage.blobsUnder(name, `${tenantId}/`)) > 0) traces.push(name)
  const names = [...(await storage.tableNames()), ...(await storage.containerNames())]
  return [...traces, ...names.filter((name) => name.includes(tenantId.slice(4)))]
}

describe.each(['logical', 'container'])('offboarding a tenant with its data in a %s place', (data) => {
  it('refuses its calls at once, deletes everything, and certifies it', async () => {
    const tenant = await stack.makeTenant({ isolation: { models: 'shared', data } })
    const other = await stack.makeTenant()
    expect((await call(tenant)).status).toBe(200)
    expect(await tracesOf(tenant)).not.toEqual([])

    const { offboardingId, statusUrl } = await offboard(tenant)
    expect(statusUrl).toBe(`/api/platform/operations/${offboardingId}`)
    const ended = await stack.platform.ended(offboardingId)
    expect(ended).toMatchObject({ state: 'completed', certificateUrl: expect.stringContaining(tenant.tenantId) })
    // Which of the two depends on whether this instance still remembers the key.
    expect([401, 403]).toContain((await call(tenant)).status)
    expect((await call(other)).status).toBe(200)
    // Sums for bills stay, numbers only.
    expect((await tracesOf(tenant)).filter((name) => name !== 'usageminutes')).toEqual([])
    expect((await tracesOf(other)).length).toBeGreaterThan(3)
  }, 60_000)
})

describe('a deletion certificate', () => {
  it('verifies with the published keys, and no longer once a letter of it is changed', async () => {
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
      left: 0,
      dataKeyVersions: [{ version: 1 }],
      removed: { 'table keys': 1 },
      retained: [{ what: expect.stringContaining('Usage sums') }, expect.anything()],
    })
    const [header = '', payload = '', signature = ''] = body.certificate.split('.')
    const forged = Buffer.from(payload, 'base64url').toString().replace('"left":0', '"left":1')
    writeFileSync(file, [header, Buffer.from(forged).toString('base64url'), signature].join('.'))
    expect(await verify()).toBe(1)
  }, 60_000)

  it('is the same one when the offboarding is asked for again', async () => {
    const tenant = await stack.makeTenant()
    const first = await offboard(tenant)
    const again = await fetch(`${stack.baseUrl}/api/platform/tenants/${tenant.tenantId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stack.operatorToken}`, 'if-match': '*' },
    })
    expect(again.status).toBe(202)
    expect(await again.json()).toEqual(first)
    await stack.platform.ended(first.offboardingId)
  }, 60_000)
})

describe('an export', () => {
  it('holds what was the tenant’s, behind a link that shows its key once', async () => {
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
    expect(JSON.parse(text('usage-by-month.json'))).toMatchObject({ totals: { calls: 1 } })
    expect(text('audit.jsonl').split('\n').filter(Boolean).length).toBeGreaterThan(0)
    expect(JSON.parse(text('manifest.json')).files.map(({ name }: { name: string }) => name)).toEqual(
      Object.keys(files).filter((name) => name !== 'manifest.json'),
    )
    await expect(open(Buffer.alloc(32).toString('base64url'))).rejects.toMatchObject({ code: 1 })
  }, 60_000)

  it('is not made where it is not wanted', async () => {
    const tenant = await stack.makeTenant()
    const { steps, facts } = await stack.platform.ended((await offboard(tenant, '?export=false')).offboardingId)
    expect(steps.find(({ id }) => id === 'export')?.state).toBe('skipped')
    expect(facts['exportUrl']).toBeUndefined()
  }, 60_000)
})

describe('an offboarding is refused', () => {
  it.each([
    ['without saying which version', {}, 428],
    ['on a version that is no more', { 'if-match': '"999"' }, 412],
  ])(
    '%s, and the tenant goes on',
    async (_, headers, status) => {
      const tenant = await stack.makeTenant()
      const answer = await fetch(`${stack.baseUrl}/api/platform/tenants/${tenant.tenantId}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${stack.operatorToken}`, ...headers } as Record<string, string>,
      })
      expect(answer.status).toBe(status)
      expect((await call(tenant)).status).toBe(200)
    },
    60_000,
  )

  it('for a tenant that never was', async () => {
    const answer = await fetch(`${stack.baseUrl}/api/platform/tenants/ten_${'2'.repeat(26)}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stack.operatorToken}`, 'if-match': '*' },
    })
    expect(answer.status).toBe(404)
  })
})
