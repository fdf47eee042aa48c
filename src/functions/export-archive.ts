import type { DirectOptions } from '../http/direct-http'
import { notFound } from '../http/plain-request'
import { renderProblem } from '../http/render-problem'
import { findExport, type ShowExportDeps } from '../offboarding/show-export'

/** The encrypted archive itself, as often as it takes until it expires; beside the other endpoints, whose answers are text. */
export function exportArchive(deps: ShowExportDeps): DirectOptions {
  return {
    route: 'api/exports/{token}/archive',
    methods: ['GET'],
    authLevel: 'anonymous',
    handler: async (request) => {
      const made = await findExport(deps, request.params['token'] ?? '')
      if (!made) {
        const { status, headers, body = '' } = renderProblem(notFound, request.invocationId)
        return { status, headers, body }
      }
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(made.bytes),
        'content-disposition': `attachment; filename="${made.blob.replaceAll('/', '-')}"`,
        'cache-control': 'no-store',
      }
      return { status: 200, headers, body: await deps.exporter.read(made) }
    },
  }
}
