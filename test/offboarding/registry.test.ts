import { storageNeeds } from '../../src/storage-needs'
import { tenantPartitions } from '../../src/offboarding/tenant-stores'

/** Tables and containers that offboarding empties by a step of its own, keeps on purpose, or that hold nothing of a tenant. */
const elsewhere = {
  tables: {
    tenants: 'the step remove-record',
    tenantdirectory: 'the step remove-record',
    tenantplaces: 'the step remove-record',
    datakeys: 'the step destroy-key',
    content: 'the place of the tenant’s data',
    usageminutes: 'retained: numbers for bills',
    usageblobs: 'positions in the usage log, by blob',
    offboardings: 'retained: the tombstone',
    directories: 'links to Entra directories',
    backends: 'the platform’s own',
    registrations: 'the platform’s own settings',
    signingkeys: 'the platform’s own',
  } as Record<string, string>,
  containers: {
    'usage-log': 'retained: numbers for bills',
    'tenant-content': 'the place of the tenant’s data',
    exports: 'what the tenant takes along, until it expires',
  } as Record<string, string>,
}

describe('offboarding knows what to do about', () => {
  const tables = storageNeeds.flatMap((need) => need.tables ?? [])
  it.each([...new Set(tables)])('the table %s', (table) => {
    const known = (tenantPartitions as readonly string[]).includes(table) || elsewhere.tables[table] !== undefined
    expect(known).toBe(true)
  })

  it.each(storageNeeds.flatMap((need) => need.containers ?? []))('the container %s', (container) => {
    expect(elsewhere.containers[container]).toBeDefined()
  })
})
