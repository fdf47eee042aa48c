import { assert } from '../base/assert'
import { parseLinkUploadId, type LinkUploadId } from '../base/ids'
import { done, type Checklist, type Operation } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import { TAKING_MS_MAX } from './file-bounds'
import type { LinkUploads } from './link-uploads'

export const linkUploadName = 'link-upload'

/** It runs under the upload's own id and needs to be told nothing more. */
export type LinkUploadInput = Readonly<Record<string, never>>

const ATTEMPTS_MAX = 200

/** Takes in what a client has written by its link: minutes for the largest file, more than a request may take. */
export const linkUploadChecklist = (uploads: Pick<LinkUploads, 'take' | 'giveUp'>): Checklist<LinkUploadInput> => ({
  name: linkUploadName,
  onFailure: 'undo',
  steps: [
    {
      id: 'take',
      timeoutMs: TAKING_MS_MAX,
      attemptsMax: ATTEMPTS_MAX,
      do: async (operation) => {
        const { scope, id } = subjectOf(operation)
        await uploads.take(scope, id)
        return done()
      },
      undo: async (operation) => {
        const { scope, id } = subjectOf(operation)
        await uploads.giveUp(scope, id)
      },
    },
  ],
})

function subjectOf({ tenantId, operationId }: Operation<LinkUploadInput>): { scope: TenantScope; id: LinkUploadId } {
  const id = parseLinkUploadId(operationId)
  assert(id, 'an upload’s checklist runs under its own id')
  return { scope: TenantScope.ofPlatform(tenantId), id }
}
