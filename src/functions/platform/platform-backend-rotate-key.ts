import { z } from 'zod'
import { assert } from '../../base/assert'
import { parseOperationId } from '../../base/ids'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { backendParams } from '../../http/request-params'

const operationStarted = z.object({ operationId: z.string(), statusUrl: z.string() })

export const platformBackendRotateKey = ({ backends, keyRotations, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-backend-rotate-key',
  route: 'api/platform/backends/{backendId}/rotate-key',
  endpoints: {
    POST: operatorEndpoint('platform.backends.manage', {
      summary: 'Gives the account of a backend two new keys, one after the other, while it is in use.',
      params: backendParams,
      answer: operationStarted,
      answerStatus: 202,
      problems: ['conflict'],
      newSubject: () => ids.operationId('krt'),
      run: async ({ params, subject, orchestrations }) => {
        const stored = await backends.read(params.backendId)
        if (!stored) return notFound
        const operationId = parseOperationId(subject)
        assert(operationId !== undefined, 'newSubject made it')
        const started = await keyRotations.start(stored.backend, operationId, orchestrations)
        if (started instanceof Problem) return started
        return accepted({ operationId, statusUrl: `/api/platform/operations/${operationId}` })
      },
    }),
  },
})
