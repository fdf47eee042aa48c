import { addCounted, countedFields, nothingCounted, type CountedField, type CountedUse } from './counted-use'

/** What is remembered of one hour to judge a deployment by. */
export interface ComparedHour {
  /** Its start, Unix milliseconds. */
  readonly hourMs: number
  readonly theirs: CountedUse
  readonly ours: CountedUse
  /** The part of the drift that nothing known accounts for, signed. */
  readonly unexplained: CountedUse
}

export type DriftVerdict =
  | { readonly kind: 'within' }
  /** More than the least, and less than the share: it raises no alert, and ends none, so that what is past is not forgotten by mere use. */
  | { readonly kind: 'small' }
  /** The fields that are past the threshold, and what is unexplained in all of the window. */
  | {
      readonly kind: 'past'
      readonly fields: readonly CountedField[]
      readonly unexplained: CountedUse
      readonly theirs: CountedUse
      readonly ours: CountedUse
      readonly hours: number
    }

/** Judged together, so that calls which begin in one hour and end in the next cancel out. The least that keeps the final look at an hour. */
export const WINDOW_HOURS = 48
/** Of the larger of both counts. Azure states no accuracy for its metrics; a loss of one call in a hundred is worth a look. */
export const DRIFT_SHARE_MAX = 0.01
/** Below these a drift is not worth an operator’s time, however large its share. */
export const DRIFT_LEAST: CountedUse = { requests: 3, promptTokens: 1_000, outputTokens: 1_000 }

const HOUR_MS = 3_600_000

/** The hours that are kept of a deployment once this one is known: the same hour anew takes the place of what it was. In order of time. */
export function withHour(hours: readonly ComparedHour[], compared: ComparedHour): readonly ComparedHour[] {
  const others = hours.filter(({ hourMs }) => hourMs !== compared.hourMs)
  const all = [...others, compared].sort((one, other) => one.hourMs - other.hourMs)
  const newestMs = all.at(-1)?.hourMs ?? compared.hourMs
  return all.filter(({ hourMs }) => hourMs > newestMs - WINDOW_HOURS * HOUR_MS)
}

/** Pure. A field is past the threshold where both its share and its amount are. */
export function judgeDrift(hours: readonly ComparedHour[]): DriftVerdict {
  const sum = (of: (hour: ComparedHour) => CountedUse) =>
    hours.reduce((total, hour) => addCounted(total, of(hour)), nothingCounted)
  const [theirs, ours, unexplained] = [
    sum((hour) => hour.theirs),
    sum((hour) => hour.ours),
    sum((hour) => hour.unexplained),
  ]
  const large = countedFields.filter((field) => Math.abs(unexplained[field]) >= DRIFT_LEAST[field])
  const fields = large.filter(
    (field) => Math.abs(unexplained[field]) > DRIFT_SHARE_MAX * Math.max(theirs[field], ours[field]),
  )
  if (fields.length > 0) return { kind: 'past', fields, unexplained, theirs, ours, hours: hours.length }
  return { kind: large.length > 0 ? 'small' : 'within' }
}
