import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAlerts } from '../../src/alerts/alerts'
import { systemChance } from '../../src/base/chance'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createTenantKeys } from '../../src/encryption/tenant-keys'
import { createWrappedSecrets } from '../../src/encryption/wrapped-secrets'
import { createHousekeepingStore } from '../../src/housekeeping/housekeeping-store'
import { createRotationTally, DUE_NAMED_MAX, dueAfterDays, isRotationDue } from '../../src/housekeeping/rotation-report'
import { createWatchRotation, type HeldSecret } from '../../src/housekeeping/watch-rotation'
import type { Notice } from '../../src/notifications/notice'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable, type Columns } from '../../src/storage/tenant-table'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { silentLog } from '../metering/read-all'

const DAY_MS = 86_400_000
const tenantId = 'ten_00000000000000000000000001' as const
const scope = TenantScope.ofPlatform(tenantId)
const KEY: HeldSecret = { kind: 'backend-key', name: 'AZURE_OPENAI_API_KEY', value: 'the-key-of-an-account' }

/** One tenant with a data key, real rows, and a key file that a test may rotate. */
async function rotationWorld() {
  const storage = freshStorage()
  await storage.ensure({ tables: ['housekeeping', 'alerts', 'datakeys', 'secrets'] })
  const clock = handClock()
  const chance = systemChance()
  const file = join(mkdtempSync(join(tmpdir(), 'tenantry-rotation-')), 'wrapping-key.json')
  const store = createHousekeepingStore(platformTable<Columns>(storage.table('housekeeping')))
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const notices: Notice[] = []
  const tenantIds = async function* () {
    yield tenantId
  }
  const inProcess = () => {
    const wrappingKey = keyFileWrappingKey(file)
    const keyring = createTenantKeys({
      table: tenantTable(storage.table('datakeys')),
      wrappingKey,
      clock,
      chance,
      log: silentLog,
    })
    const secrets = createWrappedSecrets(tenantTable(storage.table('secrets')), wrappingKey, clock)
    const watch = (held: readonly HeldSecret[] = [KEY]) =>
      createWatchRotation({
        held,
        pepper: 'p'.repeat(32),
        wrappingKey,
        keyring,
        secrets,
        tenantIds,
        store,
        alerts,
        notifications: { publish: async (notice) => void notices.push(notice) },
        clock,
        chance,
        log: silentLog,
      })()
    return { keyring, secrets, watch }
  }
  return {
    clock,
    notices,
    inProcess,
    report: () => store.report(),
    rows: () => Array.fromAsync(platformTable<Columns>(storage.table('housekeeping')).range('', '~')),
    alert: async (kind: string) => (await alerts.get(`rotation-due/${kind}`))?.state,
    rotateWrappingKey() {
      const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys: Record<string, string> }
      const made = Buffer.from(chance.bytes(32)).toString('base64')
      writeFileSync(file, JSON.stringify({ current: '2', keys: { ...keys, '2': made } }))
    },
  }
}

it('a key in the settings is due so many days after the platform first saw it, and not once it is another', async () => {
  const { clock, inProcess, alert, report } = await rotationWorld()
  expect(await inProcess().watch()).toBe(0)
  await clock.jump(dueAfterDays['backend-key'] * DAY_MS - 1)
  expect(await inProcess().watch()).toBe(0)
  expect(await alert('backend-key')).toBeUndefined()
  await clock.jump(1)
  expect(await inProcess().watch()).toBe(1)
  expect(await alert('backend-key')).toBe('open')
  expect(await report()).toMatchObject({ due: [{ kind: 'backend-key', name: KEY.name }] })
  expect(await inProcess().watch([{ ...KEY, value: 'another-key' }])).toBe(0)
  expect(await alert('backend-key')).toBe('resolved')
})

it('nothing of a secret is stored but a keyed fingerprint', async () => {
  const { inProcess, rows } = await rotationWorld()
  await inProcess().watch()
  expect(JSON.stringify(await rows())).not.toContain(KEY.value)
})

it('a tenant’s data key is due after a year, and not once it has a new version', async () => {
  const { clock, inProcess, alert, report } = await rotationWorld()
  const { keyring, watch } = inProcess()
  await keyring.create(scope)
  await watch([])
  await clock.jump(365 * DAY_MS)
  await watch([])
  expect(await alert('data-key')).toBe('open')
  expect((await report())?.due).toContainEqual(
    expect.objectContaining({ kind: 'data-key', tenantId, name: 'version 1' }),
  )
  await keyring.addVersion(scope, 'rot_1')
  await watch([])
  expect(await alert('data-key')).toBe('resolved')
})

it('a data key that an older wrapping key wraps is due a month after the newer one was seen, until it is rewrapped', async () => {
  const { clock, inProcess, alert, rotateWrappingKey } = await rotationWorld()
  const before = inProcess()
  await before.keyring.create(scope)
  await before.watch([])
  rotateWrappingKey()
  const after = inProcess()
  await after.watch([])
  await clock.jump(30 * DAY_MS - 1)
  await after.watch([])
  expect(await alert('wrapping')).toBeUndefined()
  await clock.jump(1)
  await after.watch([])
  expect(await alert('wrapping')).toBe('open')
  await after.keyring.rewrap(scope)
  await after.watch([])
  expect(await alert('wrapping')).toBe('resolved')
})

it('tenants are told of old credentials of their own, operators are not', async () => {
  const { clock, notices, inProcess, alert } = await rotationWorld()
  const { secrets, watch } = inProcess()
  await secrets.put(scope, 'account-key', 'of-the-tenant’s-account')
  await clock.jump(180 * DAY_MS)
  await watch([])
  expect(notices).toMatchObject([{ audience: 'tenant', tenantId, kind: 'secret-age', data: { secret: 'account-key' } }])
  expect(JSON.stringify(notices)).not.toContain('of-the-tenant')
  expect(await alert('tenant-secret')).toBeUndefined()
  await secrets.put(scope, 'account-key', 'a-new-one')
  notices.length = 0
  await watch([])
  expect(notices).toEqual([])
})

it('what nobody noted the age of is not due, and what is named stays within its bound, the oldest first', () => {
  const nowMs = 10_000 * DAY_MS
  const aged = (sinceMs: number | undefined) => ({ kind: 'data-key', name: 'version 1', tenantId, sinceMs }) as const
  expect(isRotationDue(aged(undefined), nowMs)).toBe(false)
  const tally = createRotationTally(nowMs)
  for (let n = 0; n < 3 * DUE_NAMED_MAX; n++) tally.add(aged(3 * DUE_NAMED_MAX - n))
  const { counts, due } = tally.report(true)
  expect(counts['data-key']).toEqual({ looked: 3 * DUE_NAMED_MAX, due: 3 * DUE_NAMED_MAX })
  expect(due.map(({ sinceMs }) => sinceMs)).toEqual(Array.from({ length: DUE_NAMED_MAX }, (_, n) => n + 1))
})
