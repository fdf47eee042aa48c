import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/functions-adapter'

export const health = ({ checkHealth }: ControlPlane): HttpTrigger => ({
  name: 'health',
  route: 'api/health',
  endpoints: {
    GET: publicEndpoint({ run: checkHealth }),
  },
})
