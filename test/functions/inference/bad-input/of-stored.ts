import { createBatchOperations } from '../../../../src/batches/batch-operations'
import { createFileOperations } from '../../../../src/files/file-operations'
import { createUploadOperations } from '../../../../src/files/upload-operations'
import type { StoredOperation } from '../../../../src/inference/stored-operation'
import { createResponseOperations } from '../../../../src/responses/response-operations'
import { createTuningOperations } from '../../../../src/tuning/tuning-operations'
import { post } from '../../../harness/call'
import { noJson, wrongValues } from './bodies'
import { expectClearError } from './tenant'
import { rawRequest } from './raw-client'
import type { BadInputWorld } from './world'

/** Only their names and paths are looked at. */
const unused: never = undefined as never
const stored: readonly StoredOperation[] = [
  ...createFileOperations({ files: unused, drafts: unused, clock: unused }),
  ...createUploadOperations({ uploads: unused, clock: unused }),
  ...createBatchOperations(unused),
  ...createResponseOperations(unused),
  ...createTuningOperations(unused, unused),
]
const prefixes: Readonly<Record<string, string>> = {
  files: 'file-',
  uploads: 'upload_',
  batches: 'batch_',
  responses: 'resp_',
  fine_tuning: 'ftjob-',
}

interface Sent {
  readonly contentType?: string
  readonly body?: string
  /** Lines of the head. */
  readonly more?: readonly string[]
}

async function ask(
  { stack, tenant }: BadInputWorld,
  method: string,
  path: string,
  { contentType = 'application/json', body = method === 'POST' ? '{}' : '', more = [] }: Sent = {},
) {
  const head = [
    `${method} ${path} HTTP/1.1`,
    `host: ${new URL(stack.baseUrl).host}`,
    `api-key: ${tenant.apiKey}`,
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...more,
  ]
  const { headers, ...reply } = await rawRequest(stack.baseUrl, head, body)
  return { ...reply, headers: new Headers([...headers]) }
}

/** Where an operation looks at its body before it looks for what it is to change. */
const rightBodies: Readonly<Record<string, Sent>> = {
  'uploads.complete': { body: '{"part_ids":["uplprt-01jcv9x2q3r4s5t6v7w8x9y0z1"]}' },
  'uploads.parts.create': {
    contentType: 'multipart/form-data; boundary=x',
    body: '--x\r\ncontent-disposition: form-data; name="data"; filename="f"\r\n\r\nx\r\n--x--\r\n',
  },
}

const badIds = (real: string) => [
  'x',
  'x'.repeat(1_000),
  'x'.repeat(5_000),
  `${real}x`,
  real.toUpperCase(),
  `${real}%00`,
  `%00${real}`,
  `${real}%0d%0aset-cookie:%20a=b`,
  `${real}'`,
  `${real}'%20or%20PartitionKey%20ne%20'`,
  `${real}%2f..%2f${real}`,
  `${real}%23`,
  '..',
  '%2e%2e',
  '..%2f..%2f..%2fetc%2fpasswd',
  '..%5c..%5cwindows',
  '%252e%252e%252f',
  '%',
  '%zz',
  '%ff%fe',
  '%F0%9F%98%80',
  '*',
  '{id}',
  '__proto__',
  'constructor',
  '"><script>',
]

const numbers = ['', '0', '-1', '1e1', '0x10', '%205%20', '1.0', '9'.repeat(400), 'NaN', '%00', '%D9%A5', '5;', 'null']
const words = ['', 'up', 'ASC', 'asc%00', '__proto__', 'x'.repeat(1_000)]
const names = ['', 'x', '..', '%00', "'", 'x'.repeat(1_000), '%ff']

/** Whatever is asked of what is kept for tenants: a clear refusal, and never more than is the tenant's. */
export function describeBadStored(world: () => BadInputWorld): void {
  let responseId: string
  beforeAll(async () => {
    const { stack, tenant } = world()
    const shot = tenant.shot('responses')
    const { json } = await post({ baseUrl: stack.baseUrl, apiKey: tenant.apiKey }, shot.path, shot.body)
    responseId = String(json['id'])
  })

  describe('an id that names nothing', () => {
    it.each(
      stored.filter(({ path }) => path.includes('{id}')).map(({ name, method, path }) => ({ name, method, path })),
    )('is not found, however it is written: $name', async ({ name, method, path }) => {
      const real = `${prefixes[name.split('.', 1)[0] ?? '']}01jcv9x2q3r4s5t6v7w8x9y0z1`
      for (const id of [real, ...badIds(real)]) {
        const answer = await ask(world(), method, `/openai/v1${path.replace('{id}', id)}`, rightBodies[name])
        expect([id.slice(0, 60), answer.status]).toEqual([id.slice(0, 60), 404])
        expect(expectClearError(answer).code).toBe('not_found')
        expect(answer.headers.get('set-cookie')).toBeNull()
      }
    })

    it.each(['', '%00', '..', '%2e%2e%2f%2e%2e', 'x'.repeat(1_000), '__proto__', 'chat.completions%00', '%', "'"])(
      'is no deployment either: "%s"',
      async (deployment) => {
        const path = `/openai/deployments/${deployment}/chat/completions?api-version=2024-10-21`
        const answer = await ask(world(), 'POST', path, { body: '{"messages":[{"role":"user","content":"x"}]}' })
        expect([400, 404]).toContain(answer.status)
        expectClearError(answer)
      },
    )

    it.each(['', '%00', 'x'.repeat(100), '2024-10-21%0d%0ax:y', '2024-10-21;', '../v1', '9999-99-99-x'])(
      'is no version either: "%s"',
      async (version) => {
        const answer = await ask(world(), 'GET', `/openai/v1/models?api-version=${version}`)
        expect([answer.status, expectClearError(answer).code]).toEqual([400, 'invalid_api_version'])
      },
    )
  })

  describe('a query that cannot be', () => {
    it.each([
      ['/files', 'limit', numbers],
      ['/files', 'order', words],
      ['/files', 'after', names],
      ['/files', 'purpose', words],
      ['/batches', 'limit', numbers],
      ['/batches', 'after', names],
      ['/fine_tuning/jobs', 'limit', numbers],
      ['/fine_tuning/jobs', 'after', names],
      ['/responses/{response}/input_items', 'limit', numbers],
      ['/responses/{response}/input_items', 'order', words],
      ['/responses/{response}/input_items', 'after', names],
      ['/responses/{response}/input_items', 'before', names],
      ['/responses/{response}?stream=true', 'starting_after', ['', 'x', '1e3', '0x1', '9'.repeat(30), '%00', '1.5']],
    ])('is refused by its name: %s, %s', async (path, param, values) => {
      for (const value of values) {
        const asked = `${path.replace('{response}', responseId)}${path.includes('?') ? '&' : '?'}${param}=${value}`
        const answer = await ask(world(), 'GET', `/openai/v1${asked}`)
        expect([value.slice(0, 60), answer.status]).toEqual([value.slice(0, 60), 400])
        expect(expectClearError(answer)).toMatchObject({ code: 'invalid_request', param })
      }
    })

    it.each([
      ['/files', ''],
      ['/batches', ''],
      ['/responses/{response}', 'include=x&include[]=%00&include[]=../&include_obfuscation=7'],
      ['/responses/{response}', 'stream=TRUE&starting_after=x'],
      ['/responses/{response}/input_items', 'include[]=%F0%9F%98%80'],
    ])('or that nobody reads gets an answer or a clear refusal: %s?%s', async (path, query) => {
      const noise = 'limit[]=9&__proto__=1&constructor=1&tenantId=ten_x&%00=%00&=&&'
      const answer = await ask(world(), 'GET', `/openai/v1${path.replace('{response}', responseId)}?${query}&${noise}`)
      expect(answer.status).toBeLessThan(500)
      if (answer.status !== 200) expectClearError(answer)
    })
  })

  describe('a body that cannot be', () => {
    const fileId = 'file-01jcv9x2q3r4s5t6v7w8x9y0z1'
    const window = { endpoint: '/v1/chat/completions', completion_window: '24h', output_expires_after: null }
    const training = { validation_file: fileId, suffix: 'x', seed: 1, method: null, hyperparameters: null }
    const orders = [
      ['/batches', { input_file_id: fileId, model: 'chat.completions', metadata: {}, ...window }],
      ['/uploads', { purpose: 'batch', filename: 'a', bytes: 1, mime_type: 'x', expires_after: null }],
      ['/fine_tuning/jobs', { model: 'gpt-4.1-mini-2025-04-14', training_file: fileId, metadata: {}, ...training }],
    ] as const

    it.each([
      ['/batches', undefined],
      ['/files', rightBodies['uploads.parts.create']],
    ])('is refused where it is compressed, or says so: %s', async (path, body) => {
      const answer = await ask(world(), 'POST', `/openai/v1${path}`, { ...body, more: ['content-encoding: gzip'] })
      expect([answer.status, expectClearError(answer).code]).toEqual([415, 'unsupported_media_type'])
    })

    it.each(orders)('is refused as no JSON: %s', async (path) => {
      for (const body of Object.values(noJson)) {
        const answer = await ask(world(), 'POST', `/openai/v1${path}`, { body })
        expect([answer.status, expectClearError(answer).code]).toEqual([400, 'invalid_json'])
      }
    })

    it.each(orders)('is refused whatever stands in which field: %s', async (path, order) => {
      for (const field of Object.keys(order))
        for (const value of wrongValues) {
          const answer = await ask(world(), 'POST', `/openai/v1${path}`, {
            body: JSON.stringify({ ...order, [field]: value }),
          })
          // An upload is right with some of them.
          if (answer.status === 200) continue
          expect([field, value, answer.status < 500]).toEqual([field, value, true])
          expectClearError(answer)
        }
    })
  })
}
