import { hash } from 'node:crypto'
import type { Clock } from '../base/clock'
import { createStaleCache } from '../base/stale-cache'
import { accountAddress } from './account-address'
import type { PlatformSecrets } from './secret-store'

/** The keys of accounts that the platform rotates itself, as the data path asks for them. */
export interface AccountKeys {
  /**
   * The key of the account at this address; undefined where the platform does not rotate it. At once in the steady state. A key
   * goes to the account that it is of and nowhere else, whatever a backend's record says.
   */
  keyOf(endpoint: string): string | undefined | Promise<string | undefined>
}

const ROTATED_FRESH_MS = 5_000
const ROTATED_STALE_MS = 30_000
const KEY_FRESH_MS = 30_000
/** So long calls go on while the vault does not answer. A rotation waits for as long. */
const KEY_STALE_MS = 5 * 60_000
const KEYS_MAX = 1_000
/** Within which a call is sent that has its header: it waits for a connection, at the most. */
const SENT_MS_MAX = 30_000

/** So long after a key was put in the vault no instance sends another one any more. */
export const ACCOUNT_KEY_KNOWN_EVERYWHERE_MS = ROTATED_STALE_MS + KEY_STALE_MS + SENT_MS_MAX

/** Of an account's address, for names of secrets and rows, which take neither dots nor slashes. */
export const accountKeyName = (address: string): string =>
  `account-key-${hash('sha256', address, 'hex').slice(0, NAME_CHARACTERS)}`

const NAME_CHARACTERS = 32
const ALL = 'all'

export function createAccountKeys({
  rotated,
  secrets,
  clock,
}: {
  /** Addresses of the accounts whose keys are in the vault. */
  rotated: () => Promise<ReadonlySet<string>>
  secrets: Pick<PlatformSecrets, 'get'>
  clock: Clock
}): AccountKeys {
  const known = createStaleCache<typeof ALL, ReadonlySet<string>>({
    clock,
    load: rotated,
    freshMs: ROTATED_FRESH_MS,
    staleMs: ROTATED_STALE_MS,
    entriesMax: 1,
    // Whoever needs it when it is stale is told.
    onError: () => {},
  })
  const keys = createStaleCache<string, string | undefined>({
    clock,
    load: (address) => secrets.get(accountKeyName(address)),
    freshMs: KEY_FRESH_MS,
    staleMs: KEY_STALE_MS,
    entriesMax: KEYS_MAX,
    onError: () => {},
  })
  const among = (addresses: ReadonlySet<string>, endpoint: string) => {
    // Most installations rotate none: their calls pay for no parsing.
    if (addresses.size === 0) return undefined
    const address = accountAddress(endpoint)
    return addresses.has(address) ? keys.get(address) : undefined
  }
  return {
    keyOf: (endpoint) => {
      const addresses = known.get(ALL)
      return addresses instanceof Promise ? addresses.then((read) => among(read, endpoint)) : among(addresses, endpoint)
    },
  }
}
