import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { WrappingKey } from '../base/wrapping-key'

/** AES key wrap with padding, RFC 5649, whose initial value is fixed (section 3). */
const ALGORITHM = 'id-aes256-wrap-pad'
const INITIAL_VALUE = Buffer.from('A65959A6', 'hex')
const KEY_BYTES = 32

const keyFile = z.strictObject({
  /** The version that wraps; all of them unwrap. */
  current: z.string(),
  keys: z.record(z.string(), z.base64()),
})

/**
 * The wrapping key of an installation on one machine: a file with one or more versions of 32 bytes, readable by its owner
 * only, made where there is none. To rotate, add a version, name it `current`, restart and rewrap every tenant.
 */
export function keyFileWrappingKey(file: string): WrappingKey {
  const { current, keys } = readOrMake(file)
  const keyOf = (version: string) => {
    const key = Buffer.from(keys[version] ?? '', 'base64')
    if (key.length !== KEY_BYTES)
      throw new Error(`the wrapping key file has no version "${version}" of ${KEY_BYTES} bytes`)
    return key
  }
  keyOf(current)
  const prefix = 'key-file/'

  return {
    wrap: async (plain) => {
      const cipher = createCipheriv(ALGORITHM, keyOf(current), INITIAL_VALUE)
      return { wrapped: Buffer.concat([cipher.update(plain), cipher.final()]), by: prefix + current }
    },
    unwrap: async (wrapped, by) => {
      if (!by.startsWith(prefix)) throw new Error(`this key was wrapped by "${by}", not by the key file`)
      const decipher = createDecipheriv(ALGORITHM, keyOf(by.slice(prefix.length)), INITIAL_VALUE)
      return Buffer.concat([decipher.update(wrapped), decipher.final()])
    },
  }
}

function readOrMake(file: string): z.infer<typeof keyFile> {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true })
    const made = { current: '1', keys: { '1': randomBytes(KEY_BYTES).toString('base64') } }
    // Written elsewhere and then linked: of two processes that start at once, both read the whole file of the first.
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    writeFileSync(draft, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flush: true })
    try {
      linkSync(draft, file)
    } catch (error) {
      if (!existsSync(file)) throw error
    } finally {
      unlinkSync(draft)
    }
  }
  return keyFile.parse(JSON.parse(readFileSync(file, 'utf8')))
}
