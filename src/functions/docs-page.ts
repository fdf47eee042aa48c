import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import type { OpenApiDocument } from '../http/openapi-document'
import { openApiPage, openApiPageHeaders } from '../http/openapi-page'

export function docsPage(document: () => OpenApiDocument): HttpTrigger {
  // Anyone may ask; the page is the same for everyone.
  let page: string | undefined
  return {
    name: 'docs-page',
    route: 'api/docs',
    endpoints: {
      GET: publicEndpoint({
        summary: 'Shows the whole API on one page, for people.',
        answerType: openApiPageHeaders['content-type'],
        run: async () => ({ status: 200, text: (page ??= openApiPage(document())), headers: openApiPageHeaders }),
      }),
    },
  }
}
