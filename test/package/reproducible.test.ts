import { createHash } from 'node:crypto'
import { assembled, removeAssembled } from './assembled'

const OUTS = ['package-of-one-day', 'package-of-another'] as const
afterAll(() => OUTS.forEach(removeAssembled))

test('the package is the same to the byte on another day, in another zone and in another folder', async () => {
  const [one, other] = [await assembled(OUTS[0], { TZ: 'UTC' }), await assembled(OUTS[1], { TZ: 'Pacific/Kiritimati' })]
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  expect(digest(other)).toBe(digest(one))
})
