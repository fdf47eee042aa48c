import { alertParams, alertView, showAlert } from '../../alerts/alert-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'

export const platformAlert = ({ alerts }: ControlPlane): HttpTrigger => ({
  name: 'platform-alert',
  route: 'api/platform/alerts/{alertId}',
  endpoints: {
    GET: operatorEndpoint('platform.alerts.read', {
      summary: 'Shows an alert with what happened to it.',
      params: alertParams,
      answer: alertView,
      run: async ({ params }) => {
        const alert = await alerts.get(params.alertId)
        return alert ? ok(showAlert(alert)) : notFound
      },
    }),
  },
})
