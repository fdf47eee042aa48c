import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'

export const health = ({ checkHealth }: ControlPlane): HttpTrigger => ({
  name: 'health',
  route: 'api/health',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Tells whether the platform is ready.',
      run: checkHealth,
    }),
  },
})
