import type { ModelId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import { daysUntil, type DayCounts } from './drift-records'
import type { DriftStore } from './drift-store'
import type { FeatureCounts } from './feature'
import { mergeCounts } from './histogram'

/** What was counted over some days, by all instances. */
export interface DriftWindow {
  readonly calls: number
  readonly samples: number
  readonly counts: FeatureCounts
}

/** Parts of another measure, or topics of another map, are no part of it. */
export interface WindowBasis {
  readonly measure: string
  readonly topicsId: string | undefined
}

export async function readWindow(
  store: Pick<DriftStore, 'dayCounts'>,
  scope: TenantScope,
  { modelId, nowMs, days, basis }: { modelId: ModelId; nowMs: number; days: number; basis: WindowBasis },
): Promise<DriftWindow> {
  let window = emptyWindow
  for (const day of daysUntil(nowMs, days))
    for (const part of await store.dayCounts(scope, modelId, day)) window = withPart(window, part, basis)
  return window
}

export const emptyWindow: DriftWindow = { calls: 0, samples: 0, counts: {} }

/** In whatever order parts come, the window is the same. */
function withPart({ calls, samples, counts }: DriftWindow, part: DayCounts, basis: WindowBasis): DriftWindow {
  if (part.measure !== basis.measure) return { calls: calls + part.calls, samples, counts }
  const { topics: _, ...withoutTopics } = part.counts
  const ofPart = part.topicsId !== undefined && part.topicsId === basis.topicsId ? part.counts : withoutTopics
  return { calls: calls + part.calls, samples: samples + part.samples, counts: mergeCounts(counts, ofPart) }
}
