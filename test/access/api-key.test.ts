import fc from 'fast-check'
import { createApiKeys, digestOf, nameInKey } from '../../src/access/api-key'
import { systemChance } from '../../src/base/chance'
import { createIdMaker } from '../../src/base/ids'
import { handClock } from '../harness/hand-clock'

const chance = systemChance()
const ids = createIdMaker({ clock: handClock(), chance })
const apiKeys = createApiKeys({ peppers: ['pepper one'], chance })
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

describe('an API key', () => {
  it('names its tenant and its id', () => {
    const [tenantId, keyId] = [ids.tenantId(), ids.keyId()]
    expect(nameInKey(apiKeys.make(tenantId, keyId))).toEqual({ tenantId, keyId })
  })

  it('is never made twice, even for one id', () => {
    const [tenantId, keyId] = [ids.tenantId(), ids.keyId()]
    expect(apiKeys.make(tenantId, keyId)).not.toBe(apiKeys.make(tenantId, keyId))
  })

  it('is known as ours only as it was made: any one character changed gives it away', () => {
    const key = apiKeys.make(ids.tenantId(), ids.keyId())
    expect(apiKeys.isOurs(key)).toBe(true)
    const change = fc.record({
      at: fc.integer({ min: 0, max: key.length - 1 }),
      to: fc.constantFrom(...ALPHABET.split('')),
    })
    fc.assert(
      fc.property(change, ({ at, to }) => {
        fc.pre(key[at] !== to)
        const changed = key.slice(0, at) + to + key.slice(at + 1)
        return nameInKey(changed) === undefined || !apiKeys.isOurs(changed)
      }),
    )
  })

  it('cannot be moved to another tenant or another id', () => {
    const key = apiKeys.make(ids.tenantId(), ids.keyId())
    const [, , , secret] = key.split('_')
    const moved = `tnk_${ids.tenantId().slice(4)}_${ids.keyId().slice(4)}_${secret}`
    expect(nameInKey(moved)).toBeDefined()
    expect(apiKeys.isOurs(moved)).toBe(false)
  })

  it('outlives the pepper it was made with as long as that is still listed', () => {
    const [tenantId, keyId] = [ids.tenantId(), ids.keyId()]
    const old = apiKeys.make(tenantId, keyId)
    const replaced = createApiKeys({ peppers: ['pepper two', 'pepper one'], chance })
    const dropped = createApiKeys({ peppers: ['pepper two'], chance })
    expect(replaced.isOurs(old)).toBe(true)
    expect(dropped.isOurs(old)).toBe(false)
    expect(dropped.isOurs(replaced.make(tenantId, keyId))).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['another product’s key', 'sk-proj-abcdefghijklmnopqrstuvwxyz'],
    ['a key cut short', apiKeys.make(ids.tenantId(), ids.keyId()).slice(0, -1)],
    ['a key with more behind it', `${apiKeys.make(ids.tenantId(), ids.keyId())}0`],
    ['a key in capitals', apiKeys.make(ids.tenantId(), ids.keyId()).toUpperCase()],
    ['a key with a line break', `${apiKeys.make(ids.tenantId(), ids.keyId())}\n`],
    ['a very long text', 'tnk_'.repeat(100_000)],
  ])('is not seen in %s', (_, text) => {
    expect(nameInKey(text)).toBeUndefined()
  })

  it('is kept as its SHA-256 only', () => {
    // FIPS 180-2, appendix B.1: the digest of "abc".
    expect(Buffer.from(digestOf('abc'), 'base64url').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })
})
