import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditVerify } from '../../local/audit-verify'
import { TenantScope } from '../../src/storage/tenant-scope'
import { createKey, createTenant } from '../functions/control-plane-fixtures'
import { operatorToken, serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import { chainOf, event } from './audit-fixtures'

let server: ControlPlaneServer
let folder: string
beforeAll(async () => {
  server = await serveControlPlane()
  folder = mkdtempSync(join(tmpdir(), 'audit-verify-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.close()
})

async function run(...args: string[]) {
  const printed: string[] = []
  const noted: string[] = []
  const output = { print: (line: string) => void printed.push(line), note: (line: string) => void noted.push(line) }
  const code = await auditVerify(args, {}, output)
  return { code, printed: printed.join('\n'), noted: noted.join('\n') }
}

const fileOf = (entries: readonly unknown[]) => {
  const file = join(folder, 'entries.jsonl')
  writeFileSync(file, entries.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry))).join('\n'))
  return file
}
const headText = ({ sequence, hash }: { sequence: number; hash: string }) => `${sequence}:${hash}`

describe('the verify command on the running platform', () => {
  it('finds a tenant’s chain sound, over more than one page, with the tenant’s key and with an operator’s token', async () => {
    const { tenantId, apiKey } = await createTenant(server)
    const scope = TenantScope.ofPlatform(tenantId as `ten_${string}`)
    await Promise.all(Array.from({ length: 1_500 }, (_, i) => server.parts.audit.append(scope, event(`req_${i}`))))
    const own = await run('--url', server.url, '--key', apiKey)
    expect(own).toMatchObject({ code: 0, printed: expect.stringMatching(/is sound: 150\d entries/) })
    const known = /head is (\S+)/.exec(own.printed)?.[1] ?? ''
    await createKey(server, apiKey)
    const later = await run(
      '--url',
      `${server.url}/`,
      '--operator',
      operatorToken,
      '--tenant',
      tenantId,
      '--head',
      known,
    )
    expect(later.code).toBe(0)
    expect((await run('--url', server.url, '--operator', operatorToken, '--platform')).code).toBe(0)
  })

  it('names the entry whose row somebody changed, and the one whose row somebody removed', async () => {
    const { tenantId, apiKey } = await createTenant(server)
    for (let i = 0; i < 5; i++) await createKey(server, apiKey)
    const { head } = (await server.send('GET', '/api/tenant/audit', { apiKey })).body
    const rows = server.storage.table('audit')
    const keyOf = (sequence: number) => String(sequence).padStart(15, '0')
    const row = await rows.getEntity<{ entry: string }>(tenantId, keyOf(3))
    await rows.updateEntity({
      partitionKey: tenantId,
      rowKey: keyOf(3),
      entry: row.entry.replace('keys.manage', 'tenant.read'),
    })
    await rows.deleteEntity(tenantId, keyOf(5))
    const found = await run('--url', server.url, '--key', apiKey, '--json')
    expect(found.code).toBe(1)
    expect(JSON.parse(found.printed)).toMatchObject({
      sound: false,
      faults: [
        { kind: 'changed', sequence: 3 },
        { kind: 'missing', sequence: 5, last: 5 },
      ],
    })
    expect(head.sequence).toBeGreaterThan(5)
  })

  it('ends with 2 where it may not read, or nobody answers', async () => {
    expect(await run('--url', server.url, '--key', 'tnk_wrong')).toMatchObject({
      code: 2,
      noted: expect.stringContaining('401'),
    })
    expect((await run('--url', 'http://127.0.0.1:9', '--key', 'x')).code).toBe(2)
    expect((await run('--url', `${server.url}/nothing`, '--key', 'x')).code).toBe(2)
  })
})

describe('the verify command on a file', () => {
  const chain = chainOf(20)
  const end = headText({ sequence: 20, hash: chain[19]?.hash ?? '' })

  it('finds a sound chain sound, and says where it ends', async () => {
    expect(await run('--file', fileOf(chain), '--end', end)).toEqual({
      code: 0,
      printed: `The chain is sound: 20 entries.\nIts head is ${end}`,
      noted: '',
    })
  })

  it.each([
    ['removed', chain.toSpliced(4, 1), 'Entry 5 is missing.'],
    ['changed', chain.with(4, { ...chain[4], target: 'x' } as never), 'Entry 5 was changed'],
    ['moved', chain.toSpliced(4, 2, chain[5] as never, chain[4] as never), 'Entry 5 stands behind later ones.'],
    ['put in twice', chain.toSpliced(4, 0, chain[4] as never), 'Entry 5 is there more than once'],
    ['cut off', chain.slice(0, 17), 'Entries 18 to 20 are missing: the chain was cut off there.'],
    ['spoilt', chain.with(4, '{"sequence":' as never), 'What was read as number 5 is no entry.'],
  ])('names what was %s', async (_, entries, text) => {
    const found = await run('--file', fileOf(entries), '--end', end)
    expect(found.code).toBe(1)
    expect(found.printed).toContain(text)
    expect(found.printed).toContain('NOT sound')
  })

  it('tells its progress on a long chain, beside the result', async () => {
    const found = await run('--file', fileOf(chainOf(25_000)))
    expect(found).toMatchObject({ code: 0, noted: '10000 entries so far …\n20000 entries so far …' })
  })
})

describe('the verify command', () => {
  it('explains itself', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, printed: expect.stringContaining('npm run audit:verify') })
  })

  it.each([
    [[]],
    [['--url', 'http://x', '--file', 'y']],
    [['--url', 'http://x']],
    [['--url', 'http://x', '--tenant', 'ten_1']],
    [['--file', 'there/is/none']],
    [['--file', 'x', '--head', '7']],
    [['--unknown']],
  ])('ends with 2 and says why for %j', async (args) => {
    const { code, noted, printed } = await run(...args)
    expect({ code, printed }).toEqual({ code: 2, printed: '' })
    expect(noted).toMatch(/could not be verified: ./)
  })
})
