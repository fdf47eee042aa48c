import type { HttpFunctionOptions } from '@azure/functions'
import type { Clock } from '../base/clock'
import { DirectResponse } from '../http/direct-response'
import { notFound } from '../http/plain-request'
import { renderProblem } from '../http/render-problem'
import type { Exporter } from '../offboarding/exporter'
import type { Offboardings } from '../offboarding/offboardings'

/** The encrypted archive itself, as often as it takes until it expires; beside the other endpoints, whose answers are text. */
export function exportArchive(deps: {
  offboardings: Offboardings
  exporter: Exporter
  clock: Clock
}): HttpFunctionOptions {
  const { offboardings, exporter, clock } = deps
  return {
    route: 'api/exports/{token}/archive',
    methods: ['GET'],
    authLevel: 'anonymous',
    handler: async (request, context) => {
      const tenantId = exporter.tenantOf(request.params['token'] ?? '')
      const made = tenantId && (await offboardings.get(tenantId))?.export
      if (!made || made.until <= clock.now()) {
        const { status, headers, body = '' } = renderProblem(notFound, context.invocationId)
        return new DirectResponse({ status, headers: { ...headers }, body })
      }
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(made.bytes),
        'content-disposition': `attachment; filename="${tenantId}.zip.enc"`,
        'cache-control': 'no-store',
      }
      return new DirectResponse({ status: 200, headers, body: await exporter.read(tenantId) })
    },
  }
}
