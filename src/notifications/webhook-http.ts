import { lookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent } from 'undici'
import { isPublicAddress } from './public-address'

/** Sends to addresses that others have named: https only, to public addresses only, without following anything. */
export interface WebhookHttp {
  /** Throws where there is no answer in time, or where the address may not be called: see `ForbiddenAddressError`. */
  post(request: { url: string; headers: Readonly<Record<string, string>>; body: string }): Promise<WebhookAnswer>
  /** What is wrong with an address before anything is sent to it; undefined where it may be tried. */
  faultOf(url: string): string | undefined
  close(): Promise<void>
}

export interface WebhookAnswer {
  readonly status: number
  readonly retryAfter: string | undefined
}

export class ForbiddenAddressError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ForbiddenAddressError'
  }
}

const CONNECT_TIMEOUT_MS = 5_000
/** From the first byte that is sent to the last that is read: receivers put aside and answer. */
export const ANSWER_TIMEOUT_MS = 15_000
/** Nothing is wanted of an answer but its status; so much is read so that its connection can be used again. */
const ANSWER_BYTES_MAX = 16_384
const CONNECTIONS_PER_RECEIVER_MAX = 2
const URL_CHARACTERS_MAX = 2_000

/**
 * `openHosts` are those (`host` or `host:port`) that the installation lets in though they are private or speak plain http. The address
 * that a name leads to is looked at by whoever connects, not before: a name can lead elsewhere a moment later.
 */
export function createWebhookHttp({
  openHosts = [],
  resolve = lookup,
}: {
  openHosts?: readonly string[]
  resolve?: Resolve
} = {}): WebhookHttp {
  const open = new Set(openHosts.map((host) => host.toLowerCase()))
  const bounds = {
    connections: CONNECTIONS_PER_RECEIVER_MAX,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  }
  const guarded = new Agent({ ...bounds, connect: { timeout: CONNECT_TIMEOUT_MS, lookup: publicLookup(resolve) } })
  const unguarded = new Agent({ ...bounds, connect: { timeout: CONNECT_TIMEOUT_MS } })
  const isOpen = ({ host, hostname }: URL) => open.has(host) || open.has(hostname)

  const faultOf = (text: string): string | undefined => {
    const url = text.length <= URL_CHARACTERS_MAX ? URL.parse(text) : null
    if (!url || url.username || url.password || url.hash)
      return `Must be an address of at most ${URL_CHARACTERS_MAX} characters, without credentials and fragment`
    if (isOpen(url)) return /^https?:$/.test(url.protocol) ? undefined : 'Must begin with https://'
    if (url.protocol !== 'https:') return 'Must begin with https://'
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) && !isPublicAddress(literal)) return 'Must be a public address'
    // No name of the public internet ends so, and some resolvers answer them all the same.
    return PRIVATE_NAME.test(url.hostname) ? 'Must be a public address' : undefined
  }

  return {
    faultOf,
    post: async ({ url: text, headers, body }) => {
      const fault = faultOf(text)
      if (fault !== undefined) throw new ForbiddenAddressError(fault)
      const url = new URL(text)
      const agent = isOpen(url) ? unguarded : guarded
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'tenantry-webhooks', ...headers },
        body,
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      })
      await answer.body.dump({ limit: ANSWER_BYTES_MAX })
      const retryAfter = answer.headers['retry-after']
      return { status: answer.statusCode, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined }
    },
    close: async () => {
      await Promise.all([guarded.close(), unguarded.close()])
    },
  }
}

const PRIVATE_NAME = /(^|\.)(localhost|local|internal|home\.arpa|lan)\.?$/i

/** As `lookup` of node:dns with `all`. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Every address must be public: of a name that leads to both kinds nobody knows which one is called next. */
const publicLookup =
  (resolve: Resolve): LookupFunction =>
  (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, '')
      const [first] = addresses
      if (!first || addresses.some(({ address }) => !isPublicAddress(address)))
        return done(new ForbiddenAddressError(`${hostname} leads to no public address`), '')
      if (options.all) return done(null, addresses)
      return done(null, first.address, first.family)
    })
  }
