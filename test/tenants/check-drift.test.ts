import { checkDrift } from '../../src/tenants/check-drift'
import type { DriftSettings } from '../../src/tenants/snapshot'
import type { AliasSpec } from '../../src/tenants/tenant-record'

const alias = (name: string, model: string): AliasSpec => ({ name, model, groups: [] })
const aliases = [alias('chat', 'gpt-4.1-mini'), alias('embed', 'text-embedding-3-small')]
const faultsOf = (drift: DriftSettings) =>
  checkDrift({ aliases, settings: { hidePromptFilterChunk: false, drift } }).map(({ path }) => path)

describe('how drift is watched', () => {
  it('is sound with its defaults, and with an alias that makes embeddings', () => {
    expect(faultsOf({ watch: true })).toEqual([])
    expect(faultsOf({ watch: true, topicsAlias: 'embed', warnAt: 0.25, alarmAt: 0.25 })).toEqual([])
  })

  it('may not warn above the alarm, be it the default one', () => {
    expect(faultsOf({ watch: true, warnAt: 0.4, alarmAt: 0.3 })).toEqual(['settings.drift.warnAt'])
    expect(faultsOf({ watch: true, warnAt: 0.26 })).toEqual(['settings.drift.warnAt'])
    expect(faultsOf({ watch: true, alarmAt: 0.05 })).toEqual(['settings.drift.warnAt'])
  })

  it('may not tell topics by an alias that makes no embeddings; one that is not there means nothing', () => {
    expect(faultsOf({ watch: true, topicsAlias: 'chat' })).toEqual(['settings.drift.topicsAlias'])
    expect(faultsOf({ watch: true, topicsAlias: 'gone' })).toEqual([])
  })
})
