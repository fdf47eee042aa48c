import { z } from 'zod'
import { linkUploadEndsAt, type LinkUpload } from './link-upload'
import type { LinkedUpload } from './link-uploads'

const time = z.iso.datetime()

const upload = {
  id: z.string(),
  filename: z.string(),
  bytes: z.int().optional(),
  createdAt: time,
  state: z
    .enum(['open', 'taking', 'completed', 'failed', 'abandoned', 'expired'])
    .meta({ description: '`taking`: what was written is being made a file, sealed.' }),
  completeBy: time,
  file: z.string().optional().meta({ description: 'The id of the file, once it is completed.' }),
  fault: z.object({ code: z.string(), message: z.string() }).optional(),
}

export const shownLinkUpload = z.object(upload).meta({ id: 'LinkUpload' })

/** With the link, which is itself the credential: whoever has it may write this one blob, and do nothing else. */
export const shownLinkedUpload = z
  .object({
    ...upload,
    url: z.string().meta({ description: 'Of a block blob: blocks may be put and committed, nothing read.' }),
    urlExpiresAt: time,
  })
  .meta({ id: 'LinkedUpload' })

export function linkUploadView(shown: LinkUpload): z.infer<typeof shownLinkUpload> {
  const { id, filename, bytes, createdAt, state, fileId } = shown
  return {
    id,
    filename,
    ...(bytes === undefined ? {} : { bytes }),
    createdAt: iso(createdAt),
    state: state.kind === 'taken' ? 'completed' : state.kind,
    completeBy: iso(linkUploadEndsAt(shown)),
    ...(state.kind === 'taken' ? { file: fileId } : {}),
    ...(state.kind === 'failed' ? { fault: { code: state.code, message: state.message } } : {}),
  }
}

export const linkedUploadView = ({ upload: linked, url, expiresAt }: LinkedUpload) => ({
  ...linkUploadView(linked),
  url,
  urlExpiresAt: iso(expiresAt),
})

const iso = (timeMs: number) => new Date(timeMs).toISOString()
