import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import type { StorageAccount } from '../storage/connect'
import { createBlobCursors } from './blob-cursors'
import { createRecentUsage } from './recent-usage'
import { createKeepLog } from './keep-log'
import { createPeriodReports } from './period-reports'
import type { RollUp } from './run-roll-up'
import { createTenantsWithUsage } from './tenants-with-usage'
import { createUsageDesk } from './usage-desk'
import { createUsageReader } from './usage-reader'
import { writePeriodReports } from './write-period-reports'

/** What there is of usage beyond the roll-up itself, which the data path's budgets need as well. */
export function assembleUsage({
  storage,
  rollUp,
  clock,
  log,
}: {
  storage: StorageAccount
  rollUp: RollUp
  clock: Clock
  log: Log
}) {
  const usageReader = createUsageReader({ storage, clock })
  const tenantsWithUsage = createTenantsWithUsage({ storage, clock })
  const cursors = createBlobCursors(storage)
  const reporting = {
    rollUp,
    reader: usageReader,
    reports: createPeriodReports(storage),
    tenantsWithUsage,
    cursors,
    clock,
    log,
  }
  return {
    usageReader,
    tenantsWithUsage,
    recentUsage: createRecentUsage({ storage, clock, cursors }),
    desk: createUsageDesk({ storage, clock, rollUp, tenantsWithUsage }),
    /** How many there were. */
    writeReports: () => writePeriodReports(reporting),
    keepLog: createKeepLog({ storage, clock }),
  }
}
