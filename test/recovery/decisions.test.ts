import type { BackendId, StampId, TenantId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { readConfig } from '../../src/config'
import { inPlaceOf, withBehind, without } from '../../src/recovery/lead-aliases'
import { leftOutOf } from '../../src/recovery/left-out'
import { accountsFor } from '../../src/recovery/region-accounts'
import { digestOf, readMarks, withMarks, withoutMarks } from '../../src/recovery/replica-row'
import type { Stamp } from '../../src/stamps/stamp'

const shared = { models: 'shared', data: 'logical' } as const

describe('a tenant', () => {
  it.each([
    { what: 'bound to no region is replicated', record: {}, out: undefined },
    { what: 'bound to the paired region too is replicated', record: { residency: ['a', 'b'] }, out: undefined },
    { what: 'that is suspended is replicated', record: { state: 'suspended' as const }, out: undefined },
    { what: 'bound to other regions is left out', record: { residency: ['a'] }, out: 'residency' },
    { what: 'that is being deleted is left out', record: { state: 'offboarding' as const }, out: 'not-active' },
    {
      what: 'with a storage account of its own is left out',
      record: { isolation: { ...shared, data: 'account' as const } },
      out: 'own-account',
    },
  ])('$what', ({ record, out }) => {
    expect(leftOutOf({ state: 'active', residency: [], isolation: shared, ...record }, 'b')).toBe(out)
  })
})

const tenantId: TenantId = 'ten_01m7zb7y92y8rsh2zdsmp8kyvb'
const stamp = (region: string, more: Partial<Stamp> = {}): Stamp => {
  const id: StampId = 'stm_01m7zb7y92y8rsh2zdsmp8kyvb'
  const modelAccountIds = [`/accounts/${region}`]
  return {
    id,
    name: region,
    region,
    resourceGroupId: '/g',
    modelAccountIds,
    acceptsTenants: true,
    reservedFor: null,
    ...more,
  }
}
const record = { tenantId, isolation: shared, residency: [] as string[] }

describe('the accounts that a model may be taken to', () => {
  it('are those of the region’s stamps, but for the one it comes from in whatever case', () => {
    const stamps = [stamp('one'), stamp('two'), stamp('two', { modelAccountIds: ['/accounts/two', '/accounts/three'] })]
    expect(accountsFor(record, stamps, { wanted: { region: 'two' }, but: '/Accounts/TWO' })).toEqual([
      '/accounts/three',
    ])
  })

  it('are never those of a stamp that is reserved for another, nor of a region that the tenant is not bound to', () => {
    const others = stamp('two', { reservedFor: 'ten_01m7zb7y92y8rsh2zdsmp8kyvc' })
    expect(accountsFor(record, [others], { wanted: { region: 'two' }, but: undefined })).toMatchObject({
      code: 'no_stamp',
    })
    const bound = { ...record, residency: ['one'] }
    expect(accountsFor(bound, [stamp('two')], { wanted: { region: 'two' }, but: undefined })).toBeInstanceOf(Problem)
    const wanted = { accountId: '/accounts/two' }
    expect(accountsFor(bound, [stamp('two')], { wanted, but: undefined })).toMatchObject({ code: 'no_stamp' })
  })

  it.each(['dedicated', 'tenant-owned'] as const)('are none for a tenant whose models are %s', (models) => {
    const own = { ...record, isolation: { ...shared, models } }
    expect(accountsFor(own, [stamp('two')], { wanted: {}, but: undefined })).toMatchObject({ code: 'conflict' })
  })
})

const [model, copy, other] = ['v', 'w', 'x'].map((end): BackendId => `bke_01m7zb7y92y8rsh2zdsmp8kyv${end}`) as [
  BackendId,
  BackendId,
  BackendId,
]
const group = (...ids: BackendId[]) => ({ members: ids.map((backendId) => ({ backendId, weight: 2 })) })

describe('an alias', () => {
  it('leads to a copy behind everything else, once, and only where it leads to the model', () => {
    const groups = [group(model, other), group(other)]
    const led = withBehind(groups, model, copy)
    expect(led).toEqual([...groups, { members: [{ backendId: copy, weight: 1 }] }])
    expect(withBehind(led, model, copy)).toBe(led)
    expect(withBehind([group(other)], model, copy)).toEqual([group(other)])
    expect(without(led, copy)).toEqual(groups)
  })

  it('leads to a rebuilt model in the place of the lost one, with its weight, and back', () => {
    const groups = [group(model, other)]
    expect(inPlaceOf(groups, model, copy)).toEqual([group(copy, other)])
    expect(inPlaceOf(inPlaceOf(groups, model, copy), copy, model)).toEqual(groups)
  })
})

describe('a row of the replica', () => {
  it('is told from a changed one by its digest, whatever column or byte of its blob was changed', () => {
    const columns = { sealed: Buffer.from('abc'), bytes: true, madeAt: 1_767_225_600_000 }
    const blob = Buffer.from('blob')
    const digests = [
      digestOf(columns, undefined),
      digestOf({ ...columns, sealed: Buffer.from('abd') }, undefined),
      digestOf({ ...columns, bytes: 'true' }, undefined),
      digestOf({ ...columns, more: '' }, undefined),
      digestOf(columns, blob),
      digestOf(columns, Buffer.from('blot')),
    ]
    expect(new Set(digests).size).toBe(digests.length)
    const marked = withMarks(columns, { sourceTag: 'tag', digest: 'digest', goneAtMs: 7 })
    expect(withoutMarks(marked)).toEqual(columns)
    expect(readMarks(marked)).toEqual({ sourceTag: 'tag', digest: 'digest', goneAtMs: 7 })
  })
})

describe('the settings', () => {
  const base = {
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    TENANTRY_KEY_PEPPER: 'x'.repeat(32),
    TENANTRY_OPERATOR_TOKEN_HASHES: 'a'.repeat(64),
  }

  it('replicate nothing where they name no account, and by identity where they name one', () => {
    expect(readConfig(base).recovery).toBeUndefined()
    const settings = { TENANTRY_RECOVERY_REGION: 'norwayeast', TENANTRY_RECOVERY_STORAGE__accountName: 'paired' }
    expect(readConfig({ ...base, ...settings }).recovery).toEqual({
      storage: {
        kind: 'identity',
        blobUrl: 'https://paired.blob.core.windows.net',
        queueUrl: 'https://paired.queue.core.windows.net',
        tableUrl: 'https://paired.table.core.windows.net',
      },
      region: 'norwayeast',
      goneKeptMs: 72 * 3_600_000,
      lagMsMax: 3_600_000,
    })
  })

  it.each([{ TENANTRY_RECOVERY_REGION: 'norwayeast' }, { TENANTRY_RECOVERY_STORAGE: 'UseDevelopmentStorage=true' }])(
    'are refused where only half of them is there: %j',
    (half) => {
      expect(() => readConfig({ ...base, ...half })).toThrow(/TENANTRY_RECOVERY_REGION and TENANTRY_RECOVERY_STORAGE/)
    },
  )
})
