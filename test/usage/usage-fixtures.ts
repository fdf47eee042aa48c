import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock, type Clock } from '../../src/base/clock'
import { Problem } from '../../src/base/problem'
import type { TenantId } from '../../src/base/ids'
import { hourPrefix, usageLogContainer } from '../../src/metering/log-blob-name'
import type { StorageAccount } from '../../src/storage/connect'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { queryUsage, type UsageReport } from '../../src/usage/query-usage'
import { createRollUp, usageStorage, type RollUp } from '../../src/usage/run-roll-up'
import type { UsageColumns } from '../../src/usage/usage-columns'
import { readStored } from '../../src/usage/usage-rows'
import { usageTable } from '../../src/usage/usage-tables'
import { freshStorage } from '../harness/storage'
import { silentLog } from '../metering/read-all'
import { appendLines, linesOfCall, type History } from './histories'

/** Stands at a wall time that the test sets; waits take real time. */
export interface SetClock extends Clock {
  nowMs: number
}

export function setClock(nowMs: number): SetClock {
  return {
    nowMs,
    now() {
      return this.nowMs
    },
    monotonicMs: () => systemClock.monotonicMs(),
    after: systemClock.after,
    sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => {}),
  }
}

export async function freshUsage(nowMs: number) {
  const storage = freshStorage()
  await storage.ensure(usageStorage)
  const clock = setClock(nowMs)
  return { storage, clock, container: storage.container(usageLogContainer), log: silentLog }
}

export type FreshUsage = Awaited<ReturnType<typeof freshUsage>>

export const blobName = (hourMs: number, blob: number) => `${hourPrefix(hourMs)}ins_test${blob}-000001.log`

/** Puts the calls into the log, each into its own blob of the hour. */
export async function writeHistories({ container }: FreshUsage, calls: readonly History[], hourMs: number) {
  for (const blob of new Set(calls.map((call) => call.blob))) {
    await appendLines(
      container,
      blobName(hourMs, blob),
      calls.filter((call) => call.blob === blob).flatMap(linesOfCall),
    )
  }
}

export async function report(
  usage: Omit<FreshUsage, 'storage'> & { storage: StorageAccount },
  tenantId: TenantId,
  raw: Record<string, string>,
  rollUp: Pick<RollUp, 'run'> = createRollUp(usage),
): Promise<UsageReport> {
  const answer = await queryUsage({ ...usage, rollUp }, TenantScope.ofPlatform(tenantId), raw)
  if (answer instanceof Problem) throw new Error(`the query was refused: ${answer.public}`)
  return answer
}

/** Every row of the tenant, as stored. */
export async function storedRows({ storage }: FreshUsage, tenantId: TenantId) {
  const rows = tenantTable<UsageColumns>(storage.table(usageTable)).partition(TenantScope.ofPlatform(tenantId))
  return (await Array.fromAsync(rows.range('', '~~'))).map((row) => ({ ...row, usage: readStored(row) }))
}
