import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { attackDeployed } from './attack-deployed'

let stack: TestStack
let a: TestTenant
let b: TestTenant
beforeAll(async () => {
  stack = await startTestStack()
  ;[a, b] = [await stack.makeTenant(), await stack.makeTenant()]
})
afterAll(() => stack.stop())

const attack = (url: string) => attackDeployed({ url, keyOfA: a.apiKey, keyOfB: b.apiKey })

test('against a platform that keeps tenants apart, nothing is let through, and nothing is left behind', async () => {
  const report = await attack(stack.baseUrl)
  expect(report.breaches).toEqual([])
  expect(report.kinds).toEqual(expect.arrayContaining(['tenantId', 'keyId', 'file']))
  expect(report.attempts).toBeGreaterThan(30)
  const files = await fetch(`${stack.baseUrl}/openai/v1/files`, { headers: { 'api-key': a.apiKey } })
  expect(await files.json()).toMatchObject({ data: [] })
})

test('what lets one tenant read another’s file, and no more than read it, is found', async () => {
  await using leak = await leaking((method, path) => method === 'GET' && /^\/openai\/v1\/files\/[^/]+$/.test(path))
  const { breaches } = await attack(leak.url)
  expect(breaches).toEqual([expect.stringMatching(/^GET \/openai\/v1\/files\/\{file\}\n {2}of A: {4}200 /)])
})

test('what lets one tenant delete another’s key is found', async () => {
  await using leak = await leaking((method, path) => method === 'DELETE' && /^\/api\/tenant\/keys\/[^/]+$/.test(path))
  const { breaches } = await attack(leak.url)
  expect(breaches.join('\n')).toMatch(/^\/api\/tenant\/keys of A has changed$/m)
  expect(breaches.join('\n')).toMatch(/^DELETE \/api\/tenant\/keys\/\{keyId\}\n {2}of A: {4}204/m)
})

test('the command that CI runs says what it tried, and fails where it was not told what to try', async () => {
  const command = join(__dirname, '..', '..', 'scripts', 'check-infra', 'attack.js')
  const env = {
    TENANTRY_TARGET_URL: `${stack.baseUrl}/`,
    TENANTRY_ATTACK_KEY_A: a.apiKey,
    TENANTRY_ATTACK_KEY_B: b.apiKey,
  }
  const { stdout } = await promisify(execFile)(process.execPath, [command], { env })
  expect(stdout).toMatch(/^\d+ attempts on tenantId, .*keyId.*: 0 let through\n$/)
  expect(stdout).not.toContain(a.apiKey)
  await expect(promisify(execFile)(process.execPath, [command], { env: {} })).rejects.toMatchObject({ code: 2 })
})

test('two keys of one tenant are no attack', async () => {
  await expect(attackDeployed({ url: stack.baseUrl, keyOfA: a.apiKey, keyOfB: a.apiKey })).rejects.toThrow('one tenant')
})

/** The platform behind a server with a fault: it takes B's requests for A's where `isLeak` says so. */
async function leaking(isLeak: (method: string, path: string) => boolean) {
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const key = headers['api-key'] === b.apiKey && isLeak(method, url) ? a.apiKey : headers['api-key']
    const type = headers['content-type']
    const answer = await fetch(stack.baseUrl + url, {
      method,
      headers: { 'api-key': String(key), 'if-match': '*', ...(type === undefined ? {} : { 'content-type': type }) },
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    })
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()))
  }
  const server = createServer((request, response) => void pass(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
