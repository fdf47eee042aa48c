import { z } from 'zod'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import type { OpenApiDocument } from '../http/openapi-document'
import { ok } from '../http/plain-request'

export const openapi = (document: () => OpenApiDocument): HttpTrigger => ({
  name: 'openapi',
  route: 'api/openapi.json',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Describes the whole API as an OpenAPI 3.1 document.',
      answer: z.looseObject({ openapi: z.literal('3.1.0') }),
      run: async () => ok(document()),
    }),
  },
})
