import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { Exporter } from './exporter'
import { withoutExportKey, type Offboardings, type TenantExport } from './offboardings'

export interface ShowExportDeps {
  readonly offboardings: Offboardings
  readonly exporter: Exporter
  readonly clock: Clock
}

/** The export behind a link, with its key: once. Whoever asks again, or too late, learns that and no more. */
export async function showExport(
  { offboardings, exporter, clock }: ShowExportDeps,
  token: string,
): Promise<{ made: TenantExport; key: string } | Problem> {
  const tenantId = exporter.tenantOf(token)
  const made = tenantId && (await offboardings.get(tenantId))?.export
  if (!made) return new Problem('not_found', 'There is nothing here.')
  const key = made.until > clock.now() ? await exporter.key(made) : undefined
  if (key === undefined) return usedUp
  // Unwrapped before it is taken from the record: a vault that is out of reach must not cost the tenant its export.
  let wasThere = false
  await offboardings.change(tenantId, (offboarding) => {
    wasThere = offboarding.export?.wrappedKey !== undefined
    return withoutExportKey(offboarding)
  })
  return wasThere ? { made, key } : usedUp
}

/** The encrypted archive, as often as it takes until it expires. */
export async function findExport(
  { offboardings, exporter, clock }: ShowExportDeps,
  token: string,
): Promise<TenantExport | undefined> {
  const tenantId = exporter.tenantOf(token)
  const made = tenantId && (await offboardings.get(tenantId))?.export
  return made && made.until > clock.now() ? made : undefined
}

const usedUp = new Problem('link_used_up', 'This link was used already, or has expired.')
