import { TenantScope } from '../../../src/storage/tenant-scope'
import { createPeriodReports } from '../../../src/usage/period-reports'
import { percentilesOf } from '../../../src/usage/usage-percentiles'
import { newSketches } from '../../../src/usage/usage-sketches'
import { zeroSums } from '../../../src/usage/usage-sums'
import type { Baseline } from './baselines'
import type { World } from './world'

const period = '2026-01'

/** Of what is told of usage. */
export const usageBaselines: Readonly<Record<string, Baseline>> = {
  'GET /api/tenant/usage/reports/{period}': { params: () => ({ period }), prepare: keepReport },
}

/** A report as the timer writes it. */
async function keepReport({ server, tenantId }: World): Promise<void> {
  const none = { rows: [], others: null }
  await createPeriodReports(server.storage).put(TenantScope.ofPlatform(tenantId), {
    period,
    kind: 'month',
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
    asOf: '2026-02-01T03:00:00.000Z',
    isFinal: false,
    totals: { ...zeroSums(), ...percentilesOf(newSketches()) },
    days: [],
    aliases: none,
    keys: none,
  })
}
