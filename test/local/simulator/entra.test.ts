import { startTestStack, type TestStack } from '../../harness/stack'
import { chatBody, chatPath } from '../../harness/call'
import { directories, PLATFORM_CLIENT_ID, SIMULATED_SECRET } from '../../../local/simulator/entra/directories'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

const directoryOf = (name: string) => directories.find((directory) => directory.name === name)?.id ?? ''

async function ask(directory: string, form: Record<string, string>) {
  const answer = await fetch(`${stack.simulatorUrl}/entra/${directory}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ scope: `${PLATFORM_CLIENT_ID}/.default`, client_id: PLATFORM_CLIENT_ID, ...form }),
  })
  return { status: answer.status, body: (await answer.json()) as { access_token: string; error_codes?: number[] } }
}
const user = async (directory: string, username: string) => {
  const { body } = await ask(directoryOf(directory), { grant_type: 'password', username, password: SIMULATED_SECRET })
  return body.access_token
}
const as = (token: string, path: string, body?: object) =>
  fetch(stack.baseUrl + path, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })

describe('signing in by Entra on one machine', () => {
  it('lets people and applications of a tenant’s directory in, with the roles that they have there', async () => {
    const tenant = await stack.makeTenant({ directory: { directoryId: directoryOf('acorn') } })
    const [dev, viewer, nobody] = [
      await user('acorn', 'dev'),
      await user('acorn', 'vic'),
      await user('acorn', 'nobody'),
    ]
    expect(await (await as(dev, '/api/tenant')).json()).toMatchObject({ tenantId: tenant.tenantId })
    expect((await as(dev, chatPath, chatBody())).status).toBe(200)
    expect((await as(viewer, chatPath, chatBody())).status).toBe(403)
    expect((await as(viewer, '/api/tenant/usage')).status).toBe(200)
    expect((await as(nobody, '/api/tenant')).status).toBe(401)

    const acorn = directories.find(({ name }) => name === 'acorn')
    const client_id = acorn?.applications[0]?.clientId ?? ''
    const { body } = await ask(directoryOf('acorn'), {
      grant_type: 'client_credentials',
      client_id,
      client_secret: SIMULATED_SECRET,
    })
    expect((await as(body.access_token, chatPath, chatBody())).status).toBe(200)
    // Birch is no tenant here, whatever its people are at home.
    expect((await as(await user('birch', 'ann'), '/api/tenant')).status).toBe(401)
  })

  it('lets operators in with the role that the platform’s directory gave them', async () => {
    const [operator, support, auditor] = [
      await user('platform', 'olga'),
      await user('platform', 'sam'),
      await user('platform', 'ada'),
    ]
    const registration = { mode: 'closed', regions: ['swedencentral'], aliases: [] }
    for (const token of [operator, support, auditor])
      expect((await as(token, '/api/platform/tenants')).status).toBe(200)
    expect((await as(support, '/api/platform/audit')).status).toBe(403)
    expect((await as(auditor, '/api/platform/audit')).status).toBe(200)
    expect((await as(support, '/api/platform/backends', registration)).status).toBe(403)
    expect((await as(operator, '/api/platform/backends', registration)).status).toBe(400)
    expect((await as(await user('acorn', 'ann'), '/api/platform/tenants')).status).toBe(401)
  })
})

describe('the simulated token endpoint refuses as Entra does', () => {
  it.each([
    ['a directory that is not there', 'nowhere', { grant_type: 'client_credentials' }, 400, 90002],
    ['an unknown application', 'acorn', { grant_type: 'client_credentials', client_id: 'x' }, 400, 700016],
    ['a wrong secret', 'acorn', { grant_type: 'client_credentials', client_secret: 'x' }, 401, 7000215],
    ['a wrong password', 'acorn', { grant_type: 'password', username: 'ann', password: 'x' }, 400, 50126],
    ['another grant', 'acorn', { grant_type: 'device_code' }, 400, 70003],
    ['no scope', 'acorn', { grant_type: 'client_credentials', scope: '' }, 400, 70011],
  ])('%s', async (_, directory, form, status, code) => {
    const answer = await ask(directory, form)
    expect(answer).toMatchObject({ status, body: { error_codes: [code] } })
  })
})
