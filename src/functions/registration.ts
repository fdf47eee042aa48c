import { z } from 'zod'
import { operationView } from '../checklists/operation-view'
import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { notFound, ok } from '../http/plain-request'
import { operationParams } from '../http/request-params'

const TOKEN_CHARACTERS_MAX = 200

/** The status of a registration, for whoever holds the token that it was answered with. */
export const registration = ({ registrationTokens }: ControlPlane): HttpTrigger => ({
  name: 'registration',
  route: 'api/registrations/{operationId}',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Shows how far a registration has come.',
      params: operationParams,
      query: z.strictObject({ token: z.string().min(1).max(TOKEN_CHARACTERS_MAX) }),
      answer: operationView.schema,
      run: async ({ params, query, orchestrations }) => {
        if (!registrationTokens.isOf(params.operationId, query.token)) return notFound
        const found = await orchestrations.status(params.operationId)
        return found ? ok(operationView.of(params.operationId, found, { links: ['credentials'] })) : notFound
      },
    }),
  },
})
