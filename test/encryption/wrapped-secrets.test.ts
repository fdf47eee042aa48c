import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createWrappedSecrets, secretStorage } from '../../src/encryption/wrapped-secrets'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'

const scope = TenantScope.ofPlatform('ten_00000000000000000000000001')
const other = TenantScope.ofPlatform('ten_00000000000000000000000002')
const storage = freshStorage()
const key = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-keys-')), 'wrapping-key.json'))
const clock = handClock()
const secrets = createWrappedSecrets(tenantTable(storage.table('secrets')), key, clock)
beforeAll(() => storage.ensure(secretStorage), 30_000)

it('a tenant’s secret is read back by its tenant, is nobody else’s, and does not lie in the table in the clear', async () => {
  const value = 'an-api-key-of-the-tenant’s-own-account'
  await secrets.put(scope, 'account-key', value)
  expect(await secrets.get(scope, 'account-key')).toBe(value)
  expect(await secrets.get(other, 'account-key')).toBeUndefined()
  expect(await secrets.list(scope)).toEqual(['account-key'])
  const row = await storage.table('secrets').getEntity(scope.tenantId, 'account-key')
  expect(Buffer.from(String(row['wrapped']), 'base64').toString('latin1')).not.toContain('an-api-key')
  await secrets.remove(scope, 'account-key')
  expect(await secrets.get(scope, 'account-key')).toBeUndefined()
})

it('says when each tenant’s secrets were last given, and nothing of what they are', async () => {
  const [one, two] = [
    TenantScope.ofPlatform('ten_00000000000000000000000003'),
    TenantScope.ofPlatform('ten_00000000000000000000000004'),
  ]
  await secrets.put(one, 'account-key', 'the-first')
  await clock.advance(1_000)
  await secrets.put(two, 'account-key', 'of-another')
  await clock.advance(1_000)
  await secrets.put(one, 'account-key', 'the-second')
  const ages = await Array.fromAsync(
    secrets.ages(async function* () {
      yield one
      yield two
    }),
  )
  expect(ages).toEqual([
    { tenantId: one.tenantId, name: 'account-key', changedAt: clock.now() },
    { tenantId: two.tenantId, name: 'account-key', changedAt: clock.now() - 1_000 },
  ])
})
