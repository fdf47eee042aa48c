import { Problem } from '../../src/base/problem'
import { backendOf, type SharedModelId } from '../../src/shared-models/shared-model'
import { linesOf, sharedWorld, type SharedWorld, type WorldTenant } from './shared-world'

let world: SharedWorld
let tenants: WorldTenant[]
let id: SharedModelId
let own: string

beforeAll(async () => {
  world = await sharedWorld()
  tenants = []
  for (const n of [0, 1, 2]) {
    const tenant = await world.newTenant(linesOf(n, 10))
    await world.consent(tenant)
    tenants.push(tenant)
  }
  id = await world.order()
  await world.run(id)
})
afterAll(() => world.close())

const [first, second] = [() => at(0), () => at(1)]
function at(n: number): WorldTenant {
  const found = tenants[n]
  if (!found) throw new Error(`there is no tenant ${n}`)
  return found
}
const lead = async ({ scope }: WorldTenant, alias: string) =>
  world.deps.adoptions.lead(scope, await world.model(id), alias)
const groupsOf = async ({ scope }: WorldTenant, alias: string) =>
  (await world.deps.tenants.get(scope))?.aliases.find(({ name }) => name === alias)?.groups
const ofModel = () => [{ members: [{ backendId: backendOf(id), weight: 1 }] }]

/** An alias of the tenant's that leads to a backend of its own. */
async function ownAlias({ scope }: WorldTenant, name: string, model = 'gpt-4.1-mini') {
  const { backends, controlPlane } = world.server.parts
  const backendId = controlPlane.ids.backendId()
  own = backendId
  await backends.create(backendId, {
    name,
    api: { kind: 'openai-compatible' },
    endpoint: 'http://localhost:1',
    deployment: name,
    credential: { kind: 'none' },
    region: 'swedencentral',
    capacity: 'payg',
    enabled: true,
  })
  const groups = [{ members: [{ backendId, weight: 1 }] }]
  const made = await world.deps.tenants.putAlias(scope, { name, model, capabilities: ['chat'], groups })
  if (made instanceof Problem) throw new Error(made.public)
  return groups
}

describe('an alias that leads to a shared model', () => {
  it('goes back to exactly what it was, and one that was made for it goes', async () => {
    const before = await ownAlias(first(), 'mine')
    await lead(first(), 'mine')
    await lead(first(), 'made')
    expect([await groupsOf(first(), 'mine'), await groupsOf(first(), 'made')]).toEqual([ofModel(), ofModel()])
    await world.deps.adoptions.leadBack(first().scope, id)
    expect([await groupsOf(first(), 'mine'), await groupsOf(first(), 'made')]).toEqual([before, undefined])
  })

  it('is left alone where somebody has led it elsewhere since', async () => {
    await ownAlias(first(), 'moved')
    await lead(first(), 'moved')
    const elsewhere = [{ members: [{ backendId: own as `bke_${string}`, weight: 7 }] }]
    await world.deps.tenants.leadAlias(first().scope, 'moved', () => elsewhere)
    await world.deps.adoptions.leadBack(first().scope, id)
    expect(await groupsOf(first(), 'moved')).toEqual(elsewhere)
  })

  it('that was on record and not yet led, as after a crash, still goes back to what it was', async () => {
    const before = await ownAlias(second(), 'broken')
    await lead(second(), 'broken')
    await world.deps.tenants.leadAlias(second().scope, 'broken', () => before)
    await lead(second(), 'broken')
    await world.deps.adoptions.leadBack(second().scope, id)
    expect(await groupsOf(second(), 'broken')).toEqual(before)
  })

  it('is of the model’s base family: another one’s price would be wrong', async () => {
    await ownAlias(first(), 'other', 'gpt-4o')
    expect(await lead(first(), 'other')).toMatchObject({ code: 'invalid_request', param: 'alias' })
  })
})

it('no alias of a tenant that the deployment is not shared with can name it', async () => {
  const stranger = await world.newTenant(linesOf(5, 1))
  const refused = await world.deps.tenants.putAlias(stranger.scope, {
    name: 'stolen',
    model: 'gpt-4.1-mini',
    capabilities: ['chat'],
    groups: ofModel(),
  })
  expect(refused).toMatchObject({ code: 'invalid_request', public: expect.stringContaining('No backend') })
})
