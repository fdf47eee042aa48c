import { compileSnapshot } from '../../src/tenants/compile-snapshot'
import type { AliasSpec, TenantRecord } from '../../src/tenants/tenant-record'
import { tiers } from '../../src/tenants/tiers'
import { tierNames } from '../../src/tenants/snapshot'

const record: TenantRecord = {
  tenantId: 'ten_00000000000000000000000001',
  version: 7,
  state: 'active',
  displayName: 'Contoso',
  contact: { email: 'ops@contoso.example' },
  tier: 'standard',
  region: 'swedencentral',
  residency: ['swedencentral'],
  isolation: { models: 'shared', data: 'logical' },
  aliases: [],
  limitOverrides: {},
  settings: { hidePromptFilterChunk: false },
  createdAt: 0,
  updatedAt: 0,
}
const groups = [{ members: [{ backendId: 'bke_00000000000000000000000001' as const, weight: 1 }] }]
const compileAlias = (alias: Omit<AliasSpec, 'name' | 'groups'>, tier: TenantRecord['tier'] = 'premium') =>
  compileSnapshot({ ...record, tier, aliases: [{ name: 'a', groups, ...alias }] }).aliases['a']

describe('a compiled snapshot', () => {
  it.each(tierNames)('gives a tenant of the %s tier that tier’s limits and weight', (name) => {
    const snapshot = compileSnapshot({ ...record, tier: name })
    expect(snapshot.limits).toEqual(tiers[name].limits)
    expect(snapshot.weight).toBe(tiers[name].weight)
  })

  it('puts the tenant’s own limits in the place of the tier’s, one by one', () => {
    const { limits } = compileSnapshot({ ...record, limitOverrides: { concurrentCalls: 3 } })
    expect(limits).toEqual({ ...tiers.standard.limits, concurrentCalls: 3 })
  })

  it('is the same however often it is compiled, under the record’s version', () => {
    expect(compileSnapshot(record)).toEqual(compileSnapshot(record))
    expect(compileSnapshot(record).version).toBe(7)
  })

  it('never lets an alias exceed what its tier allows in output tokens', () => {
    expect(compileAlias({ model: 'gpt-4.1-mini' }, 'free')?.outputTokensMax).toBe(tiers.free.outputTokensMax)
    expect(compileAlias({ model: 'gpt-4.1-mini', outputTokensMax: 100 }, 'free')?.outputTokensMax).toBe(100)
    expect(compileAlias({ model: 'gpt-4.1-mini' })?.outputTokensMax).toBe(32_768)
  })

  it('sends reasoning models the only field for the cap that they accept', () => {
    expect(compileAlias({ model: 'gpt-5-mini' })?.outputTokensField).toBe('max_completion_tokens')
    expect(compileAlias({ model: 'gpt-4o' })?.outputTokensField).toBe('max_tokens')
    expect(compileAlias({ model: 'gpt-4o', outputTokensField: 'max_completion_tokens' })?.outputTokensField).toBe(
      'max_completion_tokens',
    )
  })

  it('lets embeddings put out no tokens', () => {
    expect(compileAlias({ model: 'text-embedding-3-small' })).toMatchObject({
      capabilities: ['embeddings'],
      outputTokensMax: 0,
    })
  })

  it('takes what a model can do from the alias where the platform does not know the model', () => {
    const alias = compileAlias({ model: 'llama3.2', capabilities: ['chat'] })
    expect(alias).toMatchObject({ capabilities: ['chat'], outputTokensMax: 4_096, outputTokensField: 'max_tokens' })
  })
})
