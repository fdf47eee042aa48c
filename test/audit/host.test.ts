import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startTestStack, type TestStack } from '../harness/stack'

let stack: TestStack
beforeAll(async () => {
  stack = await startTestStack()
})
afterAll(() => stack.stop())

/** The built command in a process of its own. */
const auditVerify = async (...args: string[]) =>
  (await promisify(execFile)(process.execPath, ['dist/local/audit-verify.js', ...args])).stdout

describe('on the real host', () => {
  it('the chains of a tenant and of the platform verify with the built command', async () => {
    const { tenantId, apiKey } = await stack.makeTenant()
    const headers = { 'api-key': apiKey, 'content-type': 'application/json' }
    const made = await fetch(`${stack.baseUrl}/api/tenant/keys`, { method: 'POST', headers, body: '{"name":"x"}' })
    expect(made.status).toBe(201)
    expect(await auditVerify('--url', stack.baseUrl, '--key', apiKey)).toContain('The chain is sound')
    const operator = ['--url', stack.baseUrl, '--operator', stack.operatorToken]
    expect(await auditVerify(...operator, '--tenant', tenantId)).toContain('The chain is sound')
    expect(await auditVerify(...operator, '--platform')).toContain('The chain is sound')
  })

  it('the API’s page and document come with their types and the policy that shuts everything else out', async () => {
    const page = await fetch(`${stack.baseUrl}/api/docs`)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await page.text()).toMatch(/^<!doctype html>[^]*<\/html>\s*$/)
    const document = (await (await fetch(`${stack.baseUrl}/api/openapi.json`)).json()) as { servers: { url: string }[] }
    expect(document).toMatchObject({ openapi: '3.1.0' })
  })
})
