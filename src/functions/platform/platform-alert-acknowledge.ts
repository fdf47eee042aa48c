import { alertNote, alertParams, alertView, showAlert } from '../../alerts/alert-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'

export const platformAlertAcknowledge = ({ alerts }: ControlPlane): HttpTrigger => ({
  name: 'platform-alert-acknowledge',
  route: 'api/platform/alerts/{alertId}/acknowledge',
  endpoints: {
    POST: operatorEndpoint('platform.alerts.manage', {
      summary: 'Says that somebody looks at an open alert. One that is not open stays as it is.',
      params: alertParams,
      body: alertNote,
      answer: alertView,
      run: async ({ operator, params, body }) => {
        const alert = await alerts.acknowledge(params.alertId, { by: operator.name, note: body.note })
        return alert ? ok(showAlert(alert)) : notFound
      },
    }),
  },
})
