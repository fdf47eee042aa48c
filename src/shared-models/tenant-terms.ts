import type { TenantRecord } from '../tenants/tenant-record'
import type { ConsentEntry } from './consent'
import type { Term } from './terms'

/** Terms that say whose an example is: what the platform knows its tenant by, and what the tenant has added. Pure. */
export function tenantTerms(
  { tenantId, displayName, contact, aliases }: TenantRecord,
  entry: ConsentEntry | undefined,
): Term[] {
  const [local = '', domain = ''] = contact.email.split('@')
  const name = (text: string): Term => ({ kind: 'NAME', text })
  return [
    name(displayName),
    ...withoutLegalForm(displayName).map(name),
    name(tenantId),
    // The address itself is found by its form; these are its parts where they stand alone.
    name(local),
    name(domain),
    ...domain.split('.').slice(0, -1).map(name),
    ...aliases.map((alias) => name(alias.name)),
    ...(entry?.kind === 'consent' ? entry.terms : []).map((text): Term => ({ kind: 'TERM', text })),
  ]
}

const LEGAL_FORM =
  /[\s,]+(?:inc|incorporated|llc|llp|ltd|limited|plc|corp|corporation|co|company|gmbh|ag|kg|se|ohg|ug|e\.?v|sa|sas|sarl|srl|spa|bv|nv|oy|oyj|ab|as|aps|sp\.? z o\.?o|pty|kk)\.?$/iu

/** "Ann & Son" of "Ann & Son GmbH": so it is called in running text. */
function withoutLegalForm(displayName: string): string[] {
  const short = displayName.trim().replace(LEGAL_FORM, '')
  return short === displayName.trim() || short === '' ? [] : [short]
}
