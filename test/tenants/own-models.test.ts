import { checkOwnModels } from '../../src/tenants/check-own-models'
import { newRecord, patchedRecord } from '../../src/tenants/edit-record'
import { tenantInput, tenantPatch } from '../../src/tenants/tenant-input'
import type { TenantRecord } from '../../src/tenants/tenant-record'

const tenantId = 'ten_00000000000000000000000001'
const groups = [{ members: [{ backendId: 'bke_00000000000000000000000001' as const, weight: 1 }] }]
const deployment = { modelVersion: '2025-04-14', capacity: 10 }

const recordOf = (more: object) =>
  newRecord(
    tenantId,
    tenantInput.parse({
      displayName: 'Contoso',
      contact: { email: 'ops@contoso.example' },
      region: 'swedencentral',
      ...more,
    }),
    0,
  )
const dedicated = () =>
  recordOf({ isolation: { models: 'dedicated' }, aliases: [{ name: 'chat', model: 'gpt-4.1', deployment }] })
const paths = (next: TenantRecord, current?: TenantRecord) => checkOwnModels(next, current).map(({ path }) => path)

/** As it is once the deployments are there. */
const routed = (record: TenantRecord): TenantRecord => ({
  ...record,
  aliases: record.aliases.map((alias) => ({ ...alias, groups })),
})
const patched = (record: TenantRecord, patch: object) => patchedRecord(record, tenantPatch.parse(patch))

describe('a tenant with models of its own', () => {
  it('is sound when each alias says which deployment to make, by default a global one', () => {
    expect(paths(dedicated())).toEqual([])
    expect(dedicated().aliases[0]?.deployment?.sku).toBe('GlobalStandard')
  })

  it('keeps its routes when its aliases are changed without naming them', () => {
    const current = routed(dedicated())
    const next = patched(current, { aliases: [{ name: 'chat', model: 'gpt-4.1', deployment, outputTokensMax: 99 }] })
    expect(next.aliases[0]).toMatchObject({ groups, outputTokensMax: 99 })
    expect(paths(next, current)).toEqual([])
  })

  it('cannot be led to other backends, another model, or an alias for which nothing is deployed', () => {
    const current = routed(dedicated())
    const other = [{ members: [{ backendId: 'bke_00000000000000000000000002', weight: 1 }] }]
    const change = (alias: object) =>
      paths(patched(current, { aliases: [{ name: 'chat', model: 'gpt-4.1', deployment, ...alias }] }), current)
    expect(change({ groups: other })).toEqual(['aliases.0.groups'])
    expect(change({ model: 'gpt-4o' })).toEqual(['aliases.0.model'])
    expect(change({ deployment: { ...deployment, capacity: 11 } })).toEqual(['aliases.0.model'])
    expect(change({ name: 'more' })).toEqual(['aliases.0.name'])
  })

  it('may do without an alias that it had', () => {
    const current = routed(dedicated())
    expect(paths(patched(current, { aliases: [] }), current)).toEqual([])
  })
})
