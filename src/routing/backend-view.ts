import { z } from 'zod'
import { backendInput } from './backend-input'
import type { StoredBackend } from './backends'

export const shownBackend = z
  .object({
    id: z.string(),
    ...backendInput.shape,
    endpoint: z.string(),
    credential: z.discriminatedUnion('kind', [
      ...backendInput.shape.credential.options,
      z.object({ kind: z.literal('tenant-secret'), name: z.string() }),
    ]),
    ownerTenantId: z
      .string()
      .optional()
      .meta({ description: 'The tenant whose backend it is; absent where tenants share it.' }),
    directoryId: z
      .string()
      .optional()
      .meta({ description: 'The directory of its account, where not the platform’s own.' }),
    resourceId: z.string().optional().meta({ description: 'Of the deployment, where the platform made it.' }),
    version: z.int().meta({ description: 'Rises with every change; in quotes the ETag.' }),
  })
  .meta({ id: 'Backend' })

/** A backend as operators see it. It holds no secret: its key is named, not stored. */
export const backendView = ({ backend, version }: StoredBackend) => ({ ...backend, version })

export const backendEtag = ({ version }: StoredBackend) => `"${version}"`
