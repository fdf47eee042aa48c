import { z } from 'zod'
import { assert } from '../../base/assert'
import { parseMaintenanceId } from '../../base/ids'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { created, ok } from '../../http/plain-request'
import { maintenanceInput } from '../../sla/maintenance'
import { shownMaintenance } from '../../sla/sla-report'
import { maintenanceView } from '../../sla/sla-view'

const DAY_MS = 86_400_000
/** What is shown: some months past, and all that is to come. */
const SHOWN_BACK_MS = 92 * DAY_MS
const SHOWN_AHEAD_MS = 367 * DAY_MS

export const platformMaintenance = ({ sla, ids, clock }: ControlPlane): HttpTrigger => ({
  name: 'platform-maintenance',
  route: 'api/platform/maintenance',
  endpoints: {
    GET: operatorEndpoint('platform.sla.read', {
      summary: 'Lists announced maintenances of the last 92 days and those to come, in order of time.',
      answer: z.object({ maintenance: z.array(shownMaintenance) }),
      run: async () => {
        const nowMs = clock.now()
        const span = { fromMs: nowMs - SHOWN_BACK_MS, toMs: nowMs + SHOWN_AHEAD_MS }
        return ok({ maintenance: (await sla.maintenances.within(span)).map(maintenanceView) })
      },
    }),
    POST: operatorEndpoint('platform.sla.manage', {
      summary: 'Announces a maintenance: calls that come in then do not count for any tenant’s objectives.',
      body: maintenanceInput,
      answer: shownMaintenance,
      problems: ['conflict'],
      newSubject: () => ids.maintenanceId(),
      run: async ({ body, subject }) => {
        const id = parseMaintenanceId(subject)
        assert(id, 'newSubject makes the id of a maintenance')
        const window = await sla.maintenances.announce(id, body)
        if (window instanceof Problem) return window
        return created(maintenanceView(window), { location: `/api/platform/maintenance/${id}` })
      },
    }),
  },
})
