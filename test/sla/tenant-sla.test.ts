import type { TenantId } from '../../src/base/ids'
import { createTenantSla } from '../../src/sla/tenant-sla'
import { TenantScope } from '../../src/storage/tenant-scope'
import { keepIncidents } from './promised-tenant'
import { slaWorld } from './sla-world'

it('a tenant that goes takes its incidents along, out of operators’ list too, and no other tenant’s', async () => {
  const world = await slaWorld()
  const other = TenantScope.ofPlatform(`ten_${'2'.repeat(26)}` satisfies TenantId)
  await keepIncidents(world, world.scope, 3)
  const [kept] = await keepIncidents(world, other, 1)
  const { incidents } = world.instance().controlPlane
  expect((await incidents.page({ limit: 10 })).incidents).toHaveLength(4)
  const stores = createTenantSla(world.storage)
  // Its state, and three incidents.
  expect(await stores.census(world.scope)).toBe(4)

  await stores.remove(world.scope)
  expect(await stores.census(world.scope)).toBe(0)
  expect((await incidents.page({ limit: 10 })).incidents).toEqual([kept])
  // A repeated step finds nothing and minds nothing.
  expect(await stores.remove(world.scope)).toEqual({ kind: 'removed' })
  expect(await stores.census(other)).toBe(2)
})
