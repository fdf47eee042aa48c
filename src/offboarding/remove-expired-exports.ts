import type { Exporter } from './exporter'
import { withoutExportKey, type Offboardings } from './offboardings'

/** Deletes archives whose time is over, and forgets their keys; how many. */
export async function removeExpiredExports({
  offboardings,
  exporter,
}: {
  offboardings: Offboardings
  exporter: Exporter
}): Promise<number> {
  let removed = 0
  for await (const { tenantId, blob } of exporter.expired()) {
    const known = (await offboardings.get(tenantId))?.export
    // The key first: should this break off, the archive is found again by its blob, the key by nothing else.
    if (known?.blob === blob && known.wrappedKey !== undefined) await offboardings.change(tenantId, withoutExportKey)
    await exporter.remove(blob)
    removed++
  }
  return removed
}
