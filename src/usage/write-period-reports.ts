import type { Clock } from '../base/clock'
import { eachOf } from '../base/each-of'
import { describeError, type Log } from '../base/log'
import { TimeBox } from '../base/time-box'
import { HOUR_MS } from '../metering/log-blob-name'
import { TenantScope } from '../storage/tenant-scope'
import type { BlobCursors, Finished } from './blob-cursors'
import { DAY_ROW_AFTER_MS } from './day-rows'
import type { PeriodReport, PeriodReports, PeriodShares } from './period-reports'
import { figuresOf, rowOf, type UsageFigures } from './query-usage'
import { periodAt, periodKinds, type Period, type PeriodKind } from './report-period'
import type { RollUp } from './run-roll-up'
import type { TenantsWithUsage } from './tenants-with-usage'
import { sumUpPages, type UsageSum } from './usage-page'
import { REPORT_ROWS_MAX } from './usage-query'
import type { UsageReader } from './usage-reader'
import { mergeSketches, newSketches } from './usage-sketches'
import { addSums, zeroSums } from './usage-sums'

export interface WritePeriodReportsDeps {
  readonly rollUp: Pick<RollUp, 'run'>
  readonly reader: UsageReader
  readonly reports: PeriodReports
  readonly tenantsWithUsage: TenantsWithUsage
  readonly cursors: Pick<BlobCursors, 'finishedBefore' | 'finish'>
  readonly clock: Clock
  readonly log: Log
}

/** A report is first written so long after its period, when days have their rows. */
export const REPORTED_AFTER_MS = DAY_ROW_AFTER_MS
/** And for good when nothing of it can become known any more: a claim of late usage reaches a day back, and is closed in two hours. */
export const FINAL_AFTER_MS = 27 * HOUR_MS
/** Named ones of each; the others are summed up. */
export const SHARES_MAX = 200
/** Below the half hour that the Functions host gives an invocation; the next run goes on. */
const RUN_MS_MAX = 15 * 60_000
const TENANTS_AT_ONCE = 8

const stages = [
  { isFinal: false, afterMs: REPORTED_AFTER_MS },
  { isFinal: true, afterMs: FINAL_AFTER_MS },
] as const
type Stage = (typeof stages)[number]

/**
 * Writes what is due of every tenant that used anything, on behalf of each by itself (I4); how many reports that were. What is written
 * is not written again, so a run that breaks off is gone on with, and several at once end the same.
 */
export async function writePeriodReports(deps: WritePeriodReportsDeps): Promise<number> {
  const { clock, rollUp } = deps
  const time = new TimeBox(clock, RUN_MS_MAX)
  await rollUp.run({ fresh: true })
  let written = 0
  for (const kind of periodKinds) {
    for (const stage of stages) {
      for await (const period of duePeriods(deps, kind, stage)) {
        const done = await writePeriod(deps, { period, stage, time })
        written += done.written
        if (!done.isWhole) return written
      }
    }
  }
  return written
}

const markOf = (kind: PeriodKind, { isFinal }: Stage): Finished => `${kind}-reports-${isFinal ? 'final' : 'first'}`

/** From where the last run came to; at the very first, the last period that is over. Each is marked when the next is asked for. */
async function* duePeriods({ clock, cursors }: WritePeriodReportsDeps, kind: PeriodKind, stage: Stage) {
  const endMs = clock.now() - stage.afterMs
  const mark = markOf(kind, stage)
  const reachedMs = await cursors.finishedBefore(mark)
  let period = periodAt(kind, reachedMs ?? periodAt(kind, endMs).fromMs - 1)
  while (period.toMs <= endMs) {
    yield period
    await cursors.finish(mark, period.toMs)
    period = periodAt(kind, period.toMs)
  }
}

async function writePeriod(
  deps: WritePeriodReportsDeps,
  { period, stage, time }: { period: Period; stage: Stage; time: TimeBox },
): Promise<{ written: number; isWhole: boolean }> {
  const { reports, tenantsWithUsage, log } = deps
  let written = 0
  let hasFailed = false
  await eachOf(time.within(tenantsWithUsage(period)), TENANTS_AT_ONCE, async (tenantId) => {
    const scope = TenantScope.ofPlatform(tenantId)
    try {
      const known = await reports.get(scope, period)
      if (known && (known.isFinal || !stage.isFinal)) return
      const report = await reportOf(deps, { scope, period, isFinal: stage.isFinal })
      if (!report) return
      await reports.put(scope, report)
      written++
    } catch (error) {
      // The others get theirs, and this one with the next run.
      log.error('a usage report could not be written', { tenantId, period: period.name, error: describeError(error) })
      hasFailed = true
    }
  })
  return { written, isWhole: !hasFailed && !time.hasCutOff }
}

/** Undefined where nothing was used: who is noted for a day need not have used anything in it. */
async function reportOf(
  { reader, clock }: WritePeriodReportsDeps,
  { scope, period, isFinal }: { scope: TenantScope; period: Period; isFinal: boolean },
): Promise<PeriodReport | undefined> {
  const asOf = new Date(clock.now()).toISOString()
  const whole = { groupBy: [], interval: 'none', limit: REPORT_ROWS_MAX, afterKey: '' } as const
  const pages = {
    byDay: { ...whole, interval: 'day' },
    byAlias: { ...whole, groupBy: ['alias'] },
    byKey: { ...whole, groupBy: ['key'] },
  } as const
  const { byDay, byAlias, byKey } = await sumUpPages(pages, reader.read(scope, period, 'day'))
  if (byDay.rows.length === 0) return undefined
  return {
    period: period.name,
    kind: period.kind,
    from: new Date(period.fromMs).toISOString(),
    to: new Date(period.toMs).toISOString(),
    asOf,
    isFinal,
    totals: figuresOf(byDay.total),
    days: period.kind === 'day' ? [] : byDay.rows.map((row) => ({ start: '', ...rowOf(row) })),
    aliases: sharesOf('alias', byAlias.rows),
    keys: sharesOf('key', byKey.rows),
  }
}

/** By cost, then by calls. */
function sharesOf(field: 'alias' | 'key', sums: readonly UsageSum[]): PeriodShares {
  const sorted = [...sums].sort(({ sums: a }, { sums: b }) => b.costMicroUsd - a.costMicroUsd || b.calls - a.calls)
  const rows = sorted.slice(0, SHARES_MAX).map((sum) => ({ name: sum.group[field] ?? '', ...figuresOf(sum) }))
  return { rows, others: together(sorted.slice(SHARES_MAX)) }
}

function together(sums: readonly UsageSum[]): UsageFigures | null {
  if (sums.length === 0) return null
  const total = { sums: zeroSums(), sketches: newSketches() }
  for (const { sums: more, sketches } of sums) {
    addSums(total.sums, more)
    mergeSketches(total.sketches, sketches)
  }
  return figuresOf(total)
}
