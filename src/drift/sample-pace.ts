const DAY_MS = 86_400_000
/** A day's samples are given out in so many parts: an instance that dies takes no more than one of them with it. */
const SLICES = 20
/** Of a day's samples that may be given out ahead of its hour: what comes first thing in the morning is measured too. */
const AHEAD = 1 / 8
/** Below what yesterday's calls would take, so that a busier day still is measured to its end. */
const HEADROOM = 0.8

/**
 * The share of calls that are measured: every call as likely as any other, by how many there were yesterday. With nothing known of
 * yesterday it is all of them, until the day's part is used up; then quiet hours weigh more than busy ones, on that day alone.
 */
export function samplingRate({ callsYesterday, perDayMax }: { callsYesterday: number; perDayMax: number }): number {
  return callsYesterday <= 0 ? 1 : Math.min(1, (HEADROOM * perDayMax) / callsYesterday)
}

/**
 * How many more samples an instance may take, of which `claimed` are given out to all instances already; 0 for none at this hour. So a
 * model's samples cost no more than `perDayMax` on a day, however many instances there are. Where nothing is known of yesterday they
 * are given out over the day, lest its first hour takes them all.
 */
export function grantSamples({
  claimed,
  perDayMax,
  isFirstDay,
  nowMs,
}: {
  claimed: number
  perDayMax: number
  isFirstDay: boolean
  nowMs: number
}): number {
  const dayPart = isFirstDay ? (nowMs % DAY_MS) / DAY_MS + AHEAD : 1
  const mayBeOut = Math.floor(perDayMax * Math.min(1, dayPart))
  return Math.max(0, Math.min(Math.ceil(perDayMax / SLICES), mayBeOut - claimed))
}
