import type { StoredBackend } from './backends'

/** A backend as operators see it. It holds no secret: its key is named, not stored. */
export const backendView = ({ backend, version }: StoredBackend) => ({ ...backend, version })

export const backendEtag = ({ version }: StoredBackend) => `"${version}"`
