import { createClosing } from '../../src/billing/closing-state'
import type { Columns } from '../../src/storage/partition-table'
import { platformTable } from '../../src/storage/platform-table'
import { platformOwnerId } from '../../src/tenants/platform-owner'
import { billingWorld } from './billing-world'

it('what the platform itself owns is billed to nobody, and does not hold up the month of the others', async () => {
  const world = await billingWorld('2026-03-01T06:00:00Z', { openDay: '2026-02-28' })
  const tenantId = world.newTenant('2026-01-10T00:00:00Z')
  const owner = platformOwnerId(tenantId.slice('ten_'.length))
  world.names.set(owner, 'A shared model')
  const call = { at: '2026-02-28T10:00:00Z', costMicroUsd: 1_500 }
  await world.used([
    { ...call, tenantId },
    { ...call, tenantId: owner },
  ])

  world.at('2026-03-02T06:00:00Z')
  await world.tick()

  expect(await world.rows.invoice(world.scopeOf(tenantId), '2026-02')).toMatchObject({
    made: { totalMicroUsd: 1_500 },
  })
  expect(await world.rows.invoice(world.scopeOf(owner), '2026-02')).toBeUndefined()
  expect((await world.summaries.page('2026-02', { limit: 10 })).invoices.map((one) => one.tenantId)).toEqual([tenantId])
  const closing = createClosing({ rows: platformTable<Columns>(world.storage.table('billing')), clock: world.clock })
  expect((await closing.read()).openPeriod).toBe('2026-03')
  expect(world.published.map((notice) => notice.tenantId)).not.toContain(owner)
})
