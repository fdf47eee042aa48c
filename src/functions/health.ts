import { z } from 'zod'
import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { ok } from '../http/plain-request'

/** That the process answers, and nothing else: who restarts it must not do so because storage is away. */
export const health = (_: ControlPlane): HttpTrigger => ({
  name: 'health',
  route: 'api/health',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Tells that the platform answers.',
      answer: z.object({ status: z.literal('ok') }),
      needsStorage: false,
      run: async () => ok({ status: 'ok' }),
    }),
  },
})
