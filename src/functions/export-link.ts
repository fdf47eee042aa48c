import { z } from 'zod'
import { Problem } from '../base/problem'
import type { ControlPlane } from '../http/control-plane'
import { publicEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { ok } from '../http/plain-request'
import { showExport } from '../offboarding/show-export'

const exportAnswer = z.object({
  /** base64url; shown now and never again. `npm run export:open` takes it. */
  key: z.string(),
  archiveUrl: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  /** Until then the archive can be fetched, as often as it takes. */
  until: z.iso.datetime(),
})

/** The one-time link of an offboarding's export: the archive's key, once. */
export const exportLink = ({ offboardings, exporter, publicUrl, clock }: ControlPlane): HttpTrigger => ({
  name: 'export-link',
  route: 'api/exports/{token}',
  endpoints: {
    GET: publicEndpoint({
      summary: 'Shows the key of a tenant’s export, once, and where the archive is.',
      params: z.object({ token: z.string() }),
      answer: exportAnswer,
      problems: ['link_used_up'],
      run: async ({ params }) => {
        const shown = await showExport({ offboardings, exporter, clock }, params.token)
        if (shown instanceof Problem) return shown
        const { bytes, sha256, until } = shown.made
        const archiveUrl = `${publicUrl}/api/exports/${params.token}/archive`
        return ok({ key: shown.key, archiveUrl, bytes, sha256, until: new Date(until).toISOString() })
      },
    }),
  },
})
