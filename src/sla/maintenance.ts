import { z } from 'zod'
import type { Clock } from '../base/clock'
import type { MaintenanceId } from '../base/ids'
import { Problem } from '../base/problem'
import { HOUR_MS } from '../metering/log-blob-name'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { regionName } from '../tenants/tenant-input'

/** A time in which the platform, or regions of it, may be out of service, announced so long before that nobody is surprised. */
export interface Maintenance {
  readonly id: MaintenanceId
  readonly title: string
  /** Unix milliseconds, at full hours; `to` is exclusive. */
  readonly from: number
  readonly to: number
  /** Absent: the whole platform. */
  readonly regions?: readonly string[] | undefined
  readonly announcedAt: number
}

export interface Maintenances {
  /** A window that is announced too late, too long, or one too many is an `invalid_request` or a `conflict`. */
  announce(id: MaintenanceId, input: MaintenanceInput): Promise<Maintenance | Problem>
  /** What has not begun is taken back; what has ends with the hour. Undefined where there is none; a `conflict` where it is over. */
  end(id: MaintenanceId): Promise<Maintenance | Problem | undefined>
  /** Those that touch the span, in order of time. */
  within(span: { fromMs: number; toMs: number }): Promise<readonly Maintenance[]>
}

/** What is announced later excludes nothing: a tenant must be able to prepare. */
export const ANNOUNCED_AHEAD_MS = 24 * HOUR_MS
export const MAINTENANCE_MS_MAX = 12 * HOUR_MS
/** A year ahead is a plan and no announcement. */
const AHEAD_MS_MAX = 366 * 24 * HOUR_MS
/** Of those to come; more would leave little of what is promised. */
const TO_COME_MAX = 50
const REGIONS_MAX = 20
const TITLE_CHARACTERS_MAX = 200
const ROWS = 'maintenance-'

const fullHour = z.iso
  .datetime({ offset: true, error: 'Must be a date and time with its zone, at a full hour: 2026-01-31T08:00:00Z' })
  // Usage is kept by the hour for good, so only whole hours can be told apart in a month's report.
  .refine((text) => Number.isNaN(Date.parse(text)) || Date.parse(text) % HOUR_MS === 0, {
    error: 'Must be at a full hour, UTC',
  })

export const maintenanceInput = z.strictObject({
  title: z.string().trim().min(1).max(TITLE_CHARACTERS_MAX).meta({ description: 'Shown to tenants.' }),
  from: fullHour.meta({ description: 'At least 24 hours ahead.' }),
  to: fullHour.meta({ description: 'Exclusive; at most 12 hours after `from`.' }),
  regions: z.array(regionName).min(1).max(REGIONS_MAX).optional().meta({ description: 'Absent: the whole platform.' }),
})
export type MaintenanceInput = z.infer<typeof maintenanceInput>

export function createMaintenances({ rows, clock }: { rows: PartitionTable<Columns>; clock: Clock }): Maintenances {
  const find = async (id: MaintenanceId) => {
    for await (const row of rows.range(ROWS, `${ROWS}~`))
      if (row.rowKey.endsWith(`-${id}`)) return { ...row, window: fromJsonColumns<Maintenance>(row.columns) }
    return undefined
  }
  const within: Maintenances['within'] = async ({ fromMs, toMs }) => {
    const found: Maintenance[] = []
    // No window is longer than this, so those that begin earlier are over.
    for await (const { columns } of rows.range(rowsFrom(fromMs - MAINTENANCE_MS_MAX), rowsFrom(toMs))) {
      const window = fromJsonColumns<Maintenance>(columns)
      if (window.to > fromMs) found.push(window)
    }
    return found
  }
  return {
    announce: async (id, input) => {
      const nowMs = clock.now()
      const [from, to] = [Date.parse(input.from), Date.parse(input.to)]
      const refusal = refusalOf({ from, to, nowMs })
      if (refusal) return refusal
      const toCome = await within({ fromMs: nowMs, toMs: nowMs + AHEAD_MS_MAX + MAINTENANCE_MS_MAX })
      if (toCome.length >= TO_COME_MAX)
        return new Problem('conflict', `There are ${TO_COME_MAX} announced maintenances to come; take one back first.`)
      const { title, regions } = input
      const window: Maintenance = { id, title, from, to, ...(regions ? { regions } : {}), announcedAt: nowMs }
      await rows.put(rowOf(window), toJsonColumns(window))
      return window
    },
    end: async (id) => {
      const found = await find(id)
      if (!found) return undefined
      const nowMs = clock.now()
      const { window, rowKey, etag } = found
      if (window.to <= nowMs)
        return new Problem('conflict', 'This maintenance is over; what it excluded stays excluded.')
      if (window.from > nowMs) {
        await rows.remove(rowKey, etag)
        return { ...window, to: window.from }
      }
      const ended: Maintenance = { ...window, to: Math.ceil(nowMs / HOUR_MS) * HOUR_MS }
      const result = await rows.replace(rowKey, toJsonColumns(ended), etag)
      return result.kind === 'written' ? ended : new Problem('conflict', 'Somebody else changes this maintenance.')
    },
    within,
  }
}

function refusalOf({ from, to, nowMs }: { from: number; to: number; nowMs: number }): Problem | undefined {
  if (from < nowMs + ANNOUNCED_AHEAD_MS)
    return invalid('from', `Must be ${new Date(nowMs + ANNOUNCED_AHEAD_MS).toISOString()} or later: 24 hours ahead`)
  if (from > nowMs + AHEAD_MS_MAX) return invalid('from', 'Must be within a year')
  if (to <= from) return invalid('to', 'Must lie behind "from"')
  if (to - from > MAINTENANCE_MS_MAX) return invalid('to', 'Must be at most 12 hours after "from"')
  return undefined
}

const invalid = (param: string, message: string) =>
  new Problem('invalid_request', `${param}: ${message}`, { param, errors: [{ path: param, message }] })

const TIME_DIGITS = 13
const rowsFrom = (ms: number) => ROWS + String(Math.max(0, ms)).padStart(TIME_DIGITS, '0')
const rowOf = ({ from, id }: Maintenance) => `${rowsFrom(from)}-${id}`

/** Whether calls that came in then, for that region, fall into one of them. */
export const inMaintenance =
  (windows: readonly Maintenance[]) =>
  (startMs: number, region: string | null): boolean =>
    windows.some(
      ({ from, to, regions }) =>
        startMs >= from && startMs < to && (regions === undefined || (region !== null && regions.includes(region))),
    )
