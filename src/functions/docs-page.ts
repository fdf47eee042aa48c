import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import type { OpenApiDocument } from '../http/openapi-document'
import { openApiPage, pageSecurityPolicy } from '../http/openapi-page'

export function docsPage(document: () => OpenApiDocument): HttpTrigger {
  // Anyone may ask; the page is the same for everyone.
  let page: string | undefined
  return {
    name: 'docs-page',
    route: 'api/docs',
    endpoints: {
      GET: publicEndpoint({
        summary: 'Shows the whole API on one page, for people.',
        answerType: 'text/html; charset=utf-8',
        run: async () => ({
          status: 200,
          text: (page ??= openApiPage(document())),
          headers: {
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': pageSecurityPolicy,
            'x-content-type-options': 'nosniff',
            'referrer-policy': 'no-referrer',
          },
        }),
      }),
    },
  }
}
