import { z } from 'zod'
import { Problem } from '../../base/problem'
import { daysQuery } from '../../capacity/capacity-input'
import { outlookView, shownOutlook } from '../../capacity/capacity-view'
import { deploymentSetting } from '../../capacity/deployment-limits'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { backendParams } from '../../http/request-params'

const etagOf = (version: number) => ({ etag: `"${version}"` })

/** One deployment: its quota, as far as an operator has to say it, and what is expected of it. */
export const platformBackendCapacity = ({ backends, capacity }: ControlPlane): HttpTrigger => ({
  name: 'platform-backend-capacity',
  route: 'api/platform/backends/{backendId}/capacity',
  endpoints: {
    GET: operatorEndpoint('platform.capacity.read', {
      summary: 'Shows the quota that was set for a deployment, and its forecast.',
      params: backendParams,
      query: daysQuery,
      answer: z.object({ quota: deploymentSetting, outlook: shownOutlook }),
      run: async ({ params: { backendId }, query: { days } }) => {
        if (!(await backends.read(backendId))) return notFound
        const [setting, outlook] = await Promise.all([
          capacity.setting(backendId),
          capacity.outlook({ kind: 'deployment', backendId }),
        ])
        return ok({ quota: setting?.value ?? {}, outlook: outlookView(outlook, days) }, etagOf(setting?.version ?? 0))
      },
    }),
    PUT: operatorEndpoint('platform.capacity.manage', {
      summary: 'Sets the quota of a deployment; counts from the next forecast on.',
      params: backendParams,
      body: deploymentSetting,
      answer: deploymentSetting,
      needsIfMatch: true,
      run: async ({ params: { backendId }, body, ifMatch }) => {
        if (!(await backends.read(backendId))) return notFound
        const stored = await capacity.putSetting(backendId, body, ifMatch)
        return stored instanceof Problem ? stored : ok(stored.value, etagOf(stored.version))
      },
    }),
  },
})
