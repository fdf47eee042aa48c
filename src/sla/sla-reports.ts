import type { Clock } from '../base/clock'
import type { BackendId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Backend } from '../routing/backend'
import type { TenantScope } from '../storage/tenant-scope'
import type { UsageReader } from '../usage/usage-reader'
import { MINUTE_MS } from '../usage/usage-rows'
import { inMaintenance, type Maintenances } from './maintenance'
import { makeReport } from './make-report'
import { monthEndMs, monthOf, monthStartMs } from './month'
import { ownAccountsOf } from './own-accounts'
import { objectivesAt, type Policies } from './policies'
import type { SlaReport } from './sla-report'
import type { SlaStore } from './sla-store'

export interface SlaReportsDeps {
  readonly store: Pick<Policies, 'policy'> & Pick<SlaStore, 'incidentsIn' | 'report' | 'freeze'>
  readonly reader: UsageReader
  /** Before a month under way is summed. */
  readonly rollUp: { run(options: { fresh: true }): Promise<void> }
  readonly maintenances: Pick<Maintenances, 'within'>
  readonly backends: () => ReadonlyMap<BackendId, Backend> | Promise<ReadonlyMap<BackendId, Backend>>
  readonly clock: Clock
}

export interface SlaReports {
  /**
   * The frozen report, or one of what is known by now. A month that has not begun, or lies before any usage that there can be, is an
   * `invalid_request` problem.
   */
  of(scope: TenantScope, month: string | undefined): Promise<SlaReport | Problem>
  /** Makes the final report and keeps it; the one that is kept already stays. */
  freeze(scope: TenantScope, month: string): Promise<SlaReport>
}

/** A call has ended by then, or its process has died: the longest takes 20 minutes, and its settlement is in the log seconds later. */
const ENDED_AFTER_MS = 30 * MINUTE_MS
const FIRST_MONTH = '2024-01'
const MONTH = /^\d{4}-(?:0[1-9]|1[0-2])$/

export function createSlaReports(deps: SlaReportsDeps): SlaReports {
  const { store, reader, rollUp, maintenances, backends, clock } = deps
  const make = async (scope: TenantScope, month: string, state: SlaReport['state']) => {
    const nowMs = clock.now()
    const fromMs = monthStartMs(month)
    const toMs = Math.min(monthEndMs(month), Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS)
    const maintenance = await maintenances.within({ fromMs, toMs: monthEndMs(month) })
    // Those of the month's last moment: what is promised once it is over is not what was promised in it.
    const objectives = objectivesAt(await store.policy(scope), monthEndMs(month) - 1)
    return makeReport({
      tenantId: scope.tenantId,
      month,
      toMs,
      state,
      objectives,
      pieces: fromMs < toMs ? reader.read(scope, { fromMs, toMs }, 'hour') : [],
      circumstances: {
        isOwnAccount: ownAccountsOf(await backends(), scope.tenantId),
        isMaintenance: inMaintenance(maintenance),
        endedBeforeMs: nowMs - ENDED_AFTER_MS,
      },
      incidents: await store.incidentsIn(scope, { fromMs, toMs }),
      maintenance,
      madeAtMs: nowMs,
    })
  }
  return {
    of: async (scope, asked) => {
      const present = monthOf(clock.now())
      const month = asked ?? present
      const refusal = refusalOf(month, present)
      if (refusal) return refusal
      const frozen = await store.report(scope, month)
      if (frozen) return frozen
      await rollUp.run({ fresh: true })
      return make(scope, month, 'provisional')
    },
    freeze: async (scope, month) =>
      (await store.report(scope, month)) ?? store.freeze(scope, await make(scope, month, 'final')),
  }
}

function refusalOf(month: string, present: string): Problem | undefined {
  if (!MONTH.test(month)) return invalid('Must be a month, such as 2026-11')
  if (month > present) return invalid(`Must be ${present} or earlier: this month has not begun`)
  return month < FIRST_MONTH ? invalid(`Must be ${FIRST_MONTH} or later`) : undefined
}

const invalid = (message: string) =>
  new Problem('invalid_request', `month: ${message}`, { param: 'month', errors: [{ path: 'month', message }] })
