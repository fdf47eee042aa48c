import type { ControlPlane } from '../http/control-plane'
import { z } from 'zod'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'

const shownHealth = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  storage: z.enum(['reachable', 'unreachable']),
})

export const health = ({ checkHealth }: ControlPlane): HttpTrigger => ({
  name: 'health',
  route: 'api/health',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Tells whether the platform is ready.',
      answer: shownHealth,
      run: checkHealth,
    }),
  },
})
