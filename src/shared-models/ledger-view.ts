import { z } from 'zod'
import type { TenantScope } from '../storage/tenant-scope'
import { consentView, shownConsent, type ConsentEntry } from './consent'
import type { Consents } from './consents'
import { newestText, type Purpose, type PurposeId, type Purposes } from './purpose'

/** What a tenant's ledger says of a purpose now. */
const states = ['nothing', 'consents', 'outdated', 'objects'] as const

export const shownLedger = z.object({
  purposes: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      region: z.string(),
      textVersion: z.int(),
      text: z.string(),
      state: z.enum(states).meta({ description: '`outdated`: the consent is to an earlier text.' }),
      entry: shownConsent.optional(),
    }),
  ),
  entries: z.array(shownConsent).optional(),
})

/** As the tenant itself sees it. */
export async function ledgerView(
  { purposes, consents }: { readonly purposes: Purposes; readonly consents: Pick<Consents, 'current' | 'entries'> },
  scope: TenantScope,
  purposeId: PurposeId | undefined,
): Promise<z.infer<typeof shownLedger>> {
  const shown = []
  for (const purpose of await purposes.list()) {
    const entry = await consents.current(scope, purpose.id)
    const { version, text } = newestText(purpose)
    const { id, title, region } = purpose
    const state = stateOf(purpose, entry)
    shown.push({
      id,
      title,
      region,
      textVersion: version,
      text,
      state,
      ...(entry ? { entry: consentView(entry) } : {}),
    })
  }
  if (purposeId === undefined) return { purposes: shown }
  const entries = []
  for await (const entry of consents.entries(scope, purposeId)) entries.push(consentView(entry))
  return { purposes: shown, entries }
}

export function stateOf(purpose: Purpose, entry: ConsentEntry | undefined): (typeof states)[number] {
  if (!entry) return 'nothing'
  if (entry.kind === 'objection') return 'objects'
  return entry.textVersion === newestText(purpose).version ? 'consents' : 'outdated'
}

/** As operators see it: who said what, and neither files' names nor terms. */
export const shownParty = z.object({
  tenantId: z.string(),
  state: z.enum(states),
  sequence: z.int().optional(),
  textVersion: z.int().optional(),
  files: z.int().optional(),
  at: z.iso.datetime().optional(),
})

export function partyView(
  purpose: Purpose,
  tenantId: string,
  entry: ConsentEntry | undefined,
): z.infer<typeof shownParty> {
  const state = stateOf(purpose, entry)
  if (!entry) return { tenantId, state }
  const { sequence, atMs } = entry
  return {
    tenantId,
    state,
    sequence,
    ...(entry.kind === 'consent' ? { textVersion: entry.textVersion, files: entry.fileIds.length } : {}),
    at: new Date(atMs).toISOString(),
  }
}
