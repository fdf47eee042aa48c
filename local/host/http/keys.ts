import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { ContainerClient } from '@azure/storage-blob'
import { isStatus } from '../storage-error'
import type { AuthLevel } from './function-endpoint'

const KEY_BYTES = 40
const DURABLE_SYSTEM_KEY = 'durabletask_extension'
/** A wrong key looks at the blobs again (somebody may have edited them), but not more often than this. */
const RELOAD_MS_MIN = 1_000

interface StoredKey {
  readonly name: string
  readonly value: string
  /** True only where the real host protected a key with the machine's own secret: such a key is unusable here. */
  readonly encrypted: boolean
}

interface HostKeys {
  readonly masterKey: StoredKey
  readonly functionKeys: readonly StoredKey[]
  readonly systemKeys: readonly StoredKey[]
}

export interface Keys {
  allows(level: AuthLevel | 'system', functionName: string, req: IncomingMessage): Promise<boolean>
  /** The key that links to the durable API carry. */
  durableKey(): Promise<string>
}

/**
 * The host's keys, kept where the real host keeps them: `<hostId>/host.json` and `<hostId>/<function>.json` in the
 * container azure-webjobs-secrets, in the same shape; missing ones are made. A call shows its key in the header
 * x-functions-key or else in the query's `code`. Function level takes a key of the function, of the host or the
 * master key; system level the durable extension's or the master key; admin level the master key only.
 */
export function createKeys(deps: { container: ContainerClient; hostId: string; now: () => number }): Keys {
  const { container, hostId, now } = deps
  let loadedAtMs = 0
  let host: Promise<HostKeys> | undefined
  const ofFunctions = new Map<string, Promise<readonly StoredKey[]>>()

  const hostKeys = () => (host ??= loadOrMake(container, `${hostId}/host.json`, newHostKeys))
  const functionKeys = (name: string) => {
    const made = ofFunctions.get(name) ?? loadFunctionKeys(container, hostId, name)
    ofFunctions.set(name, made)
    return made
  }
  const forgetIfOld = () => {
    if (now() - loadedAtMs < RELOAD_MS_MIN) return false
    loadedAtMs = now()
    host = undefined
    ofFunctions.clear()
    return true
  }
  const accepts = async (level: AuthLevel | 'system', functionName: string, shown: string) => {
    const { masterKey, functionKeys: ofHost, systemKeys } = await hostKeys()
    const accepted = [masterKey]
    if (level === 'function') accepted.push(...ofHost, ...(await functionKeys(functionName.toLowerCase())))
    if (level === 'system') accepted.push(...systemKeys.filter(({ name }) => name === DURABLE_SYSTEM_KEY))
    return accepted.some(({ value, encrypted }) => !encrypted && equal(value, shown))
  }
  return {
    allows: async (level, functionName, req) => {
      if (level === 'anonymous') return true
      const shown = shownKey(req)
      if (shown === undefined) return false
      if (await accepts(level, functionName, shown)) return true
      return forgetIfOld() && accepts(level, functionName, shown)
    },
    durableKey: async () => {
      const { systemKeys, masterKey } = await hostKeys()
      return (systemKeys.find(({ name }) => name === DURABLE_SYSTEM_KEY) ?? masterKey).value
    },
  }
}

/** Without a storage account there is nowhere to keep keys: everything above anonymous is refused. */
export const noKeys: Keys = {
  allows: (level) => Promise.resolve(level === 'anonymous'),
  durableKey: () => Promise.resolve(''),
}

function shownKey(req: IncomingMessage): string | undefined {
  const header = req.headers['x-functions-key']
  if (typeof header === 'string') return header
  const query = req.url?.indexOf('?') ?? -1
  return query === -1 ? undefined : (new URLSearchParams(req.url?.slice(query)).get('code') ?? undefined)
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

async function loadFunctionKeys(container: ContainerClient, hostId: string, name: string) {
  const made = () => ({ keys: [newKey('default')] })
  const { keys } = await loadOrMake(container, `${hostId}/${name}.json`, made)
  return keys
}

/** Reads the blob, or makes it; when two hosts make it at once, both use what the first one wrote. */
async function loadOrMake<T>(container: ContainerClient, name: string, make: () => T): Promise<T> {
  const blob = container.getBlockBlobClient(name)
  try {
    return JSON.parse((await blob.downloadToBuffer()).toString('utf8')) as T
  } catch (error) {
    if (!isStatus(error, 404)) throw error
  }
  const text = JSON.stringify(make(), undefined, 2)
  await container.createIfNotExists()
  try {
    await blob.upload(text, Buffer.byteLength(text), { conditions: { ifNoneMatch: '*' } })
  } catch (error) {
    if (!isStatus(error, 409, 412)) throw error
  }
  return JSON.parse((await blob.downloadToBuffer()).toString('utf8')) as T
}

function newHostKeys(): HostKeys {
  return { masterKey: newKey('master'), functionKeys: [newKey('default')], systemKeys: [newKey(DURABLE_SYSTEM_KEY)] }
}

function newKey(name: string): StoredKey {
  return { name, value: randomBytes(KEY_BYTES).toString('base64url'), encrypted: false }
}
