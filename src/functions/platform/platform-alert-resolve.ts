import { alertNote, alertParams, alertView, showAlert } from '../../alerts/alert-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'

export const platformAlertResolve = ({ alerts }: ControlPlane): HttpTrigger => ({
  name: 'platform-alert-resolve',
  route: 'api/platform/alerts/{alertId}/resolve',
  endpoints: {
    POST: operatorEndpoint('platform.alerts.manage', {
      summary: 'Says that an alert is over. What is still wrong raises it again, as another episode.',
      params: alertParams,
      body: alertNote,
      answer: alertView,
      run: async ({ operator, params, body }) => {
        const alert = await alerts.close(params.alertId, { by: operator.name, note: body.note })
        return alert ? ok(showAlert(alert)) : notFound
      },
    }),
  },
})
