import { describeBadBodies } from './bad-input/of-bodies'
import { describeBadHeaders } from './bad-input/of-headers'
import { describeBadLengths } from './bad-input/of-lengths'
import { describeBadStored } from './bad-input/of-stored'
import { makeBadInputWorld, type BadInputWorld } from './bad-input/world'

/** Whatever a client sends, however and to whatever: a clear answer, and afterwards its tenant stands as before. */
let made: BadInputWorld | undefined
const world = (): BadInputWorld => {
  if (!made) throw new Error('the world is not made yet')
  return made
}

beforeAll(async () => {
  made = await makeBadInputWorld()
})
afterAll(() => made?.stack.stop())

describe('a body', () => describeBadBodies(world))
describe('a length', () => describeBadLengths(world))
describe('a head with', () => describeBadHeaders(world))
describe('a path or a query', () => describeBadStored(world))

it('afterwards nothing is reserved, nothing unsettled, every slot is free', () => world().tenant.nothingLeft(), 60_000)
