import type { Chance } from '../base/chance'
import { encodeBase32 } from '../base/ids'

/** Letters that are safe in a log line, a header and a table; anything else is replaced rather than cleaned. */
const SANE = /^[A-Za-z0-9._:-]{1,128}$/
const CHANCE_BYTES = 15

/** The client's own `x-request-id`, or a new one. */
export function requestIdOf(header: string | null, chance: Chance): string {
  return header !== null && SANE.test(header) ? header : `req_${encodeBase32(chance.bytes(CHANCE_BYTES))}`
}
