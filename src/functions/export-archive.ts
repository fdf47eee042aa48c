import type { HttpFunctionOptions } from '@azure/functions'
import { DirectResponse } from '../http/direct-response'
import { notFound } from '../http/plain-request'
import { renderProblem } from '../http/render-problem'
import { findExport, type ShowExportDeps } from '../offboarding/show-export'

/** The encrypted archive itself, as often as it takes until it expires; beside the other endpoints, whose answers are text. */
export function exportArchive(deps: ShowExportDeps): HttpFunctionOptions {
  return {
    route: 'api/exports/{token}/archive',
    methods: ['GET'],
    authLevel: 'anonymous',
    handler: async (request, context) => {
      const made = await findExport(deps, request.params['token'] ?? '')
      if (!made) {
        const { status, headers, body = '' } = renderProblem(notFound, context.invocationId)
        return new DirectResponse({ status, headers: { ...headers }, body })
      }
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(made.bytes),
        'content-disposition': `attachment; filename="${made.blob.replaceAll('/', '-')}"`,
        'cache-control': 'no-store',
      }
      return new DirectResponse({ status: 200, headers, body: await deps.exporter.read(made) })
    },
  }
}
