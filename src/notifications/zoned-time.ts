/** Wall clocks of the world's time zones, by the rules that the runtime has (ECMA-402), with their summer times. */

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** No clock of the world is changed by more at once than by a day (Samoa, 2011). */
const DAYS_LOOKED = 3
/** Each takes about 10 KB; there are some 600 names. */
const FORMATS_MAX = 700

const formats = new Map<string, Intl.DateTimeFormat>()

export function isTimeZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined
  } catch {
    return false
  }
}

/** `22:30` as minutes of a day; undefined where it is no time of a day. */
export function minutesOf(text: string): number | undefined {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes)
}

/** What the clock on the wall says, in minutes of its day. */
export function localMinutes(timeMs: number, timeZone: string): number {
  return Math.floor((wallMs(timeMs, timeZone) % DAY_MS) / MINUTE_MS)
}

/**
 * The first moment after `afterMs` (Unix milliseconds) at which the clock on the wall comes to `minutes` of its day. Where a summer
 * time skips that, the moment at which it does; where it comes twice, the first.
 */
export function nextLocalTime(afterMs: number, minutes: number, timeZone: string): number {
  const firstDay = Math.floor(wallMs(afterMs, timeZone) / DAY_MS) * DAY_MS
  for (let day = 0; day < DAYS_LOOKED; day++) {
    const momentMs = momentOf(firstDay + day * DAY_MS + minutes * MINUTE_MS, timeZone)
    if (momentMs > afterMs) return momentMs
  }
  throw new Error(`${timeZone} has no ${minutes} minutes past midnight for days`)
}

/** The first moment at which the wall says `wanted` or, where that is skipped, more. */
function momentOf(wanted: number, timeZone: string): number {
  // Whatever the offset is, it is among those of the day before and the day after.
  const offsets = [wanted - DAY_MS, wanted + DAY_MS].map((timeMs) => wallMs(timeMs, timeZone) - timeMs)
  const exact = offsets
    .map((offset) => wanted - offset)
    .filter((moment) => wallMs(moment, timeZone) === wanted)
    .toSorted((one, other) => one - other)
  return exact[0] ?? endOfGap(wanted - Math.max(...offsets), wanted - Math.min(...offsets), { wanted, timeZone })
}

/** Between two moments around a clock's leap forward: the one at which it leaps, to the minute. */
function endOfGap(fromMs: number, toMs: number, { wanted, timeZone }: { wanted: number; timeZone: string }): number {
  let [before, behind] = [Math.floor(fromMs / MINUTE_MS), Math.ceil(toMs / MINUTE_MS)]
  while (behind - before > 1) {
    const middle = Math.floor((before + behind) / 2)
    if (wallMs(middle * MINUTE_MS, timeZone) >= wanted) behind = middle
    else before = middle
  }
  return behind * MINUTE_MS
}

/** The wall's date and time as if it were UTC. */
function wallMs(timeMs: number, timeZone: string): number {
  const whole = Math.floor(timeMs / 1_000) * 1_000
  const part: Record<string, number> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(whole)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) + (timeMs - whole)
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known) return known
  const digits = '2-digit' as const
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: digits,
    day: digits,
    hour: digits,
    minute: digits,
    second: digits,
  })
  if (formats.size >= FORMATS_MAX) formats.clear()
  formats.set(timeZone, made)
  return made
}
