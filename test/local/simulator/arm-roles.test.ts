import { accountId, GROUP, OPENAI_USER, PLATFORM_PRINCIPAL, runningArm, SUBSCRIPTION } from './running-arm'

const azure = runningArm()
const { call, putAccount } = azure
const VERSION = '2022-04-01'
const NAME = '11111111-2222-4333-8444-555555555555'
const OTHER_NAME = '99999999-2222-4333-8444-555555555555'
const roleDefinitionId = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${OPENAI_USER}`
const given = { roleDefinitionId, principalId: PLATFORM_PRINCIPAL, principalType: 'ServicePrincipal' }
const at = (scope: string, name = '') =>
  `${scope}/providers/Microsoft.Authorization/roleAssignments${name === '' ? '' : `/${name}`}`
const put = (scope: string, name: string, properties: object = given) =>
  call('PUT', at(scope, name), { version: VERSION, body: { properties } })

describe('role assignments', () => {
  beforeAll(() => putAccount('roles'))
  const scope = accountId('roles')

  it('are given, shown, given again without a change, and taken', async () => {
    expect(await put(scope, NAME)).toMatchObject({ status: 201, body: { name: NAME, properties: { scope, ...given } } })
    expect((await put(scope, NAME)).status).toBe(200)
    expect((await call('GET', at(scope, NAME), { version: VERSION })).status).toBe(200)
    expect((await call('DELETE', at(scope, NAME), { version: VERSION })).status).toBe(200)
    expect((await call('DELETE', at(scope, NAME), { version: VERSION })).status).toBe(204)
    expect(await call('GET', at(scope, NAME), { version: VERSION })).toMatchObject({ code: 'RoleAssignmentNotFound' })
  })

  it('are not given twice by two names, and not changed', async () => {
    await put(scope, NAME)
    expect(await put(scope, OTHER_NAME)).toMatchObject({ status: 409, code: 'RoleAssignmentExists' })
    const changed = { ...given, principalId: '00000000-0000-4000-8000-0000000000ff' }
    expect(await put(scope, NAME, changed)).toMatchObject({ status: 409, code: 'RoleAssignmentUpdateNotPermitted' })
  })

  it.each([
    ['a name that is no GUID', scope, 'x', given, 400, 'InvalidRoleAssignmentId'],
    ['an unknown role', scope, OTHER_NAME, { ...given, roleDefinitionId: 'x' }, 400, 'RoleDefinitionDoesNotExist'],
    [
      'an unknown principal of no stated type',
      scope,
      OTHER_NAME,
      { roleDefinitionId, principalId: '00000000-0000-4000-8000-0000000000ff' },
      400,
      'PrincipalNotFound',
    ],
    ['a resource that is not there', accountId('nowhere'), OTHER_NAME, given, 404, 'ResourceNotFound'],
  ])('are refused with %s', async (_case, place, name, properties, status, code) => {
    expect(await put(place, name, properties)).toMatchObject({ status, code })
  })

  it('are listed at a scope with those above and below it, and by principal', async () => {
    const list = async (place: string, filter = '') =>
      (await call('GET', at(place), { version: VERSION, query: filter && `&$filter=${encodeURIComponent(filter)}` }))
        .body.value ?? []
    const scopes = (await list(scope)).map(({ properties }) => properties?.['scope'])
    expect(scopes).toEqual(expect.arrayContaining([SUBSCRIPTION, scope]))
    expect(await list(GROUP, `principalId eq '${PLATFORM_PRINCIPAL}'`)).toHaveLength(3)
    expect(await list(GROUP, `principalId eq '00000000-0000-4000-8000-0000000000ff'`)).toEqual([])
    expect((await list(GROUP, 'atScope()')).map(({ properties }) => properties?.['scope'])).toEqual([SUBSCRIPTION])
  })

  it('let their holder do what they are for', async () => {
    const bearer = await azure.token('contoso')
    const customers = '/subscriptions/00000000-0000-4000-8000-000000000002/resourceGroups/contoso'
    const owned = accountId('contoso-owned', customers)
    expect((await call('GET', owned, { bearer })).status).toBe(200)
    expect((await call('DELETE', owned, { bearer })).status).toBe(403)
  })
})
