import type { InstanceId } from '../base/ids'
import type { SealedRecords } from '../encryption/sealed-records'
import type { CallForTenant, AnswerForTenant } from '../inference/call-for-tenant'
import type { Problem } from '../base/problem'
import { createDriftStore } from './drift-store'
import { createDriftTap, type DriftTap, type DriftTapDeps } from './drift-tap'
import { createEmbedTexts } from './embed-texts'
import { MEASURE } from './feature'
import type { LanguageDetector } from './language-of'
import { createModelDrift } from './model-drift'
import { createWatchTenants, type WatchTenantsDeps } from './watch-tenants'
import type { Registry } from '../registry/registry'

type Given = Omit<WatchTenantsDeps, 'store' | 'embedTexts' | 'measure' | 'languages' | 'registry'>

export interface DriftParts extends Given {
  readonly records: SealedRecords
  readonly registry: Registry
  /** Calls in the name of a tenant, as `callForTenant` makes them. */
  readonly callForTenant: (call: CallForTenant) => Promise<AnswerForTenant | Problem>
  /** Absent: languages are not among what is measured. */
  readonly languages?: LanguageDetector | undefined
  readonly flushMs: number
  readonly instanceId: InstanceId
}

/** Everything of drift, put together. */
export function assembleDrift(parts: DriftParts) {
  const { records, languages } = parts
  const store = createDriftStore(records)
  const embedTexts = createEmbedTexts(parts)
  const measure = languages ? `${MEASURE}+${languages.name}` : MEASURE
  const shared = { ...parts, store, embedTexts, measure, languages }
  return {
    /** Begins to measure at once; whoever makes one closes it. */
    createTap: (): DriftTap => createDriftTap(shared satisfies DriftTapDeps),
    /** For the timer; how many models were looked at. */
    watch: createWatchTenants(shared),
    ofModel: createModelDrift(shared),
  }
}
