import type { BackendId } from '../../src/base/ids'
import { baseAliases, tunedBackends, type IsTuned } from '../../src/evaluation/base-alias'
import type { ModelVersion } from '../../src/registry/model-version'
import type { ModelAlias } from '../../src/tenants/snapshot'

const RELEASE = 'gpt-4.1-mini-2025-04-14'
const TUNED: BackendId = 'bke_tuned'
const SHARED: BackendId = 'bke_shared'

const alias = (name: string, members: readonly BackendId[], more: Partial<ModelAlias> = {}): ModelAlias => ({
  name,
  model: 'gpt-4.1-mini',
  capabilities: ['chat'],
  groups: [{ members: members.map((backendId) => ({ backendId, weight: 1 })) }],
  outputTokensMax: 1_000,
  outputTokensField: 'max_tokens',
  ...more,
})

let isTuned: IsTuned
beforeAll(async () => {
  isTuned = await tunedBackends(models(), new Map([[SHARED, { sharedWith: ['ten_1'] }]]))
})

async function* models(): AsyncGenerator<Pick<ModelVersion, 'deployment'>> {
  yield { deployment: { kind: 'none' } }
  const plan = { accountId: 'a', name: 'tuned', sku: 'Standard', capacity: 1, backendId: TUNED } as const
  yield { deployment: { kind: 'asleep', plan, sinceMs: 0 } }
}

const chosen = (...aliases: readonly ModelAlias[]) =>
  baseAliases({ aliases: Object.fromEntries(aliases.map((each) => [each.name, each])) }, RELEASE, isTuned)

describe('the base that a tuned model is put beside', () => {
  it('is behind an alias of its family that serves chats, the first by name', () => {
    const found = chosen(
      alias('other', ['bke_1'], { model: 'gpt-4.1' }),
      alias('vectors', ['bke_1'], { capabilities: ['batch'] }),
      alias('support', ['bke_2']),
      alias('chat', ['bke_1']),
    )
    expect(found.map(({ name }) => name)).toEqual(['chat', 'support'])
  })

  it('is never a tuned model: neither one under its own name nor one that an alias was promoted to', () => {
    const own = alias(`${RELEASE}.ft-${'0'.repeat(26)}`, ['bke_1'])
    expect(chosen(own, alias('promoted', [TUNED]), alias('adopted', [SHARED]))).toEqual([])
    const [half] = chosen(alias('half', [TUNED, 'bke_1']))
    expect(half?.groups).toEqual([{ members: [{ backendId: 'bke_1', weight: 1 }] }])
    expect(chosen(alias('a-half', [TUNED, 'bke_1']), alias('whole', ['bke_2']))[0]?.name).toBe('whole')
  })

  it('has nobody to answer in its place: fallback and hedge stay behind, limits and budgets do not', () => {
    const limits = { tokensPerMinute: 10 }
    const [found] = chosen(alias('chat', ['bke_1'], { fallback: 'other', hedge: { afterMs: 1, shareMax: 1 }, limits }))
    expect(found).toEqual(alias('chat', ['bke_1'], { limits }))
    const asleep = { backendId: 'bke_1', modelId: 'mdl_1', sinceMs: 0, wakeMs: 1, answeredBy: 'other' } as const
    expect(chosen(alias('chat', ['bke_1'], { asleep }))[0]?.asleep?.answeredBy).toBeUndefined()
  })

  it('leaves out members that get no calls', () => {
    const idle = { members: [{ backendId: 'bke_1' as const, weight: 0 }] }
    expect(chosen(alias('chat', [], { groups: [idle] }))).toEqual([])
  })
})
