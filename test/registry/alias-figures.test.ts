import type { BackendId } from '../../src/base/ids'
import { createAliasFigures } from '../../src/registry/alias-figures'
import { TenantScope } from '../../src/storage/tenant-scope'

const scope = TenantScope.ofPlatform(`ten_${'0'.repeat(26)}`)
const backend: BackendId = `bke_${'1'.repeat(26)}`
const row = (more: object) => ({ alias: 'chat', backend, outcome: 'completed', calls: 1, latencyMs: 10, ...more })

describe('figures of an alias', () => {
  it('are of every row that there is, however far behind those of other aliases', async () => {
    const figuresOf = createAliasFigures(async function* () {
      for (let other = 0; other < 12_000; other++) yield row({ alias: `other-${other}` })
      yield row({ calls: 5, latencyMs: 50 })
      yield row({ outcome: 'failed', calls: 2, latencyMs: 20 })
      yield row({ backend: null, outcome: 'unsettled' })
    })

    expect(await figuresOf(scope, 'chat', { fromMs: 0, toMs: 60_000 })).toEqual([
      { backendId: backend, calls: 5, failed: 0, latencyMs: 50 },
      { backendId: backend, calls: 2, failed: 2, latencyMs: 20 },
    ])
  })
})
