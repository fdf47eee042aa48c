import type { BackendId, ModelId } from '../base/ids'
import type { BackendGroup, ModelAlias } from './snapshot'

/** A tuned model of a tenant's whose deployment was taken away while nobody used it, and how far its coming back is. */
export interface AsleepBackend {
  /** Of the model; it is in aliases' groups all the while, and not among the platform's backends. */
  readonly backendId: BackendId
  readonly modelId: ModelId
  /** When it was last said that it goes, or comes: another time for each sleep. Unix milliseconds. */
  readonly sinceMs: number
  /** From being asked for to its first answer: as long as it took before. */
  readonly wakeMs: number
  readonly waking?: Waking | undefined
  /** The last attempt failed: nobody tries again before `untilMs` (Unix milliseconds). */
  readonly refused?: { readonly code: string; readonly untilMs: number } | undefined
}

export interface Waking {
  /** Unix milliseconds. */
  readonly sinceMs: number
  /** `trying`: the deployment is there, and does not answer calls yet. */
  readonly stage: 'making' | 'trying'
}

/** What leads an alias nowhere at present; undefined where any backend of it is awake. */
export function asleepOf(groups: readonly BackendGroup[], asleep: readonly AsleepBackend[]): AsleepBackend | undefined {
  if (asleep.length === 0) return undefined
  const members = groups.flatMap((group) => group.members)
  const first = asleep.find(({ backendId }) => backendId === members[0]?.backendId)
  const isAllAsleep = members.every((member) => asleep.some(({ backendId }) => backendId === member.backendId))
  return isAllAsleep ? first : undefined
}

/** An attempt that takes longer than those before is asked about again after this share of what it has taken. */
const SHARE_BEYOND = 1 / 4
const WAIT_MS_MIN = 1_000
/** A deployment that is there answers within seconds. */
const TRYING_MS = 5_000

/** When the model answers, as far as its own earlier times and its progress tell; pure. Milliseconds from `nowMs`. */
export function wakeWaitMs({ wakeMs, waking, refused }: AsleepBackend, nowMs: number): number {
  if (refused && refused.untilMs > nowMs) return refused.untilMs - nowMs + wakeMs
  if (!waking) return Math.max(WAIT_MS_MIN, wakeMs)
  const passedMs = Math.max(0, nowMs - waking.sinceMs)
  const leftMs = passedMs < wakeMs ? wakeMs - passedMs : passedMs * SHARE_BEYOND
  return Math.max(WAIT_MS_MIN, waking.stage === 'trying' ? Math.min(leftMs, TRYING_MS) : leftMs)
}

/** Whose answers may stand in for the alias's: another one of the same model that can do the same (`checkStandIns`). */
export const mayStandIn = (
  { name, model, capabilities }: Pick<ModelAlias, 'name' | 'model' | 'capabilities'>,
  other: Pick<ModelAlias, 'name' | 'model' | 'capabilities'>,
): boolean =>
  other.name !== name &&
  other.model === model &&
  capabilities.every((capability) => other.capabilities.includes(capability))
