import { BlockBlobClient } from '@azure/storage-blob'
import { connectStorage } from '../../src/storage/connect'
import { eventually } from '../conformance/eventually'
import { makeStamp } from '../harness/azure-resources'
import { startTestStack, type TestStack, type TestTenant } from '../harness/stack'
import { testConnectionString } from '../harness/storage'
import { storedThings } from '../tuning/tuning-stack'
import { supervised } from './dataset-parts'

/** Datasets on the real host, in processes of their own: by the API alone, and killed. */
let stack: TestStack
let tenant: TestTenant
beforeAll(async () => {
  stack = await startTestStack({ TENANTRY_TUNING_POLL_SECONDS: '1' })
  await makeStamp(stack)
  await stack.configureSimulator({ fineTuning: { speed: 6_000 } })
  tenant = await stack.makeTenant()
})
afterAll(() => stack.stop())

const DATASETS = '/api/tenant/datasets'
const BASE = 'gpt-4.1-mini-2025-04-14'

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  readonly json: Readonly<Record<string, unknown>>
}
async function call(method: string, path: string, body?: object): Promise<Answer> {
  const answer = await fetch(stack.baseUrl + path, {
    method,
    headers: { 'api-key': tenant.apiKey, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false
  return {
    status: answer.status,
    text,
    headers: answer.headers,
    json: isJson ? (JSON.parse(text) as object as {}) : {},
  }
}
/** Asked again while the host is away. */
const shown = async (path: string) => (await call('GET', path).catch(() => undefined))?.json
const become = (path: string, state: string) =>
  eventually(`${path} is ${state}`, async () => {
    const found = await shown(path)
    return found?.['state'] === state ? found : undefined
  })

async function uploading(lines: readonly string[]): Promise<string> {
  const { json, status } = await call('POST', `${DATASETS}/uploads`, { filename: 'train.jsonl' })
  expect(status).toBe(201)
  const text = lines.map((line) => `${line}\n`).join('')
  await new BlockBlobClient(String(json['url'])).upload(text, Buffer.byteLength(text))
  return String(json['id'])
}
async function uploaded(lines: readonly string[]): Promise<string> {
  const id = await uploading(lines)
  expect((await call('POST', `${DATASETS}/uploads/${id}/complete`)).status).toBe(202)
  return String((await become(`${DATASETS}/uploads/${id}`, 'completed'))['file'])
}
const registered = async (file: string, more: object = {}) => {
  const { json, status, text } = await call('POST', DATASETS, { file, baseModel: BASE, ...more })
  expect({ status, text: status === 202 ? '' : text }).toEqual({ status: 202, text: '' })
  return String(json['id'])
}
/** What of the tenant is in the clear. */
async function inTheClear(): Promise<string[]> {
  const connection = { kind: 'connection-string', connectionString: testConnectionString() } as const
  const container = connectStorage(connection, stack.storagePrefix).container('tenant-incoming')
  const names: string[] = []
  for await (const { name } of container.listBlobsFlat({ includeUncommitedBlobs: true })) names.push(name)
  return names
}

describe('a dataset by the API alone', () => {
  it('goes from a link over its report to a job that neither asks nor reads again', async () => {
    const held = await registered(await uploaded(supervised(12, 15)), { role: 'validation', consent: true })
    const file = await uploaded([...supervised(20), 'no JSON', '{"messages":"=1"}'])
    const faulty = await registered(file)
    await become(`${DATASETS}/${faulty}`, 'validated')
    const report = await call('GET', `${DATASETS}/${faulty}/report?limit=1`)
    expect(report.json).toMatchObject({
      valid: false,
      errors: 2,
      faults: [{ line: 21, code: 'invalid_json' }],
      next: 1,
    })
    const rest = await call('GET', `${DATASETS}/${faulty}/report.csv?after=1`)
    expect(rest.headers.get('content-type')).toContain('text/csv')
    expect(rest.text.split('\r\n')).toEqual([
      'line,byteOffset,severity,code,path,reason,valid',
      expect.stringMatching(/^22,\d+,error,wrong_type,messages,/),
      '',
    ])

    const sound = await uploaded(supervised(20))
    const training = await registered(sound, { validation: held })
    const compared = await eventually('it is compared', async () => {
      const found = await shown(`${DATASETS}/${training}`)
      return found?.['leakage'] ? found : undefined
    })
    expect(compared).toMatchObject({ valid: true, examples: 20, leakage: { validation: held, leaked: { lines: 5 } } })

    const { id: heldFile } = (await call('GET', `${DATASETS}/${held}`)).json['file'] as { id: string }
    const order = { model: BASE, trainingFile: sound, validationFile: heldFile, deploy: null }
    // Of one of the two files nobody has said that it may be sent.
    expect(await call('POST', '/api/tenant/tuning/jobs', order)).toMatchObject({ status: 400 })
    expect((await call('PUT', `${DATASETS}/${training}/consent`, { consent: true })).status).toBe(200)
    const job = await call('POST', '/api/tenant/tuning/jobs', order)
    expect(job.status).toBe(201)
    const id = String(job.json['id'])
    const over = await eventually('the job is over', async () => {
      const found = await shown(`/api/tenant/tuning/jobs/${id}`)
      return found?.['status'] === 'succeeded' ? found : undefined
    })
    expect(over).toMatchObject({ training: { datasetId: training }, validation: { datasetId: held }, leakedLines: 5 })
    const events = await call('GET', `/openai/v1/fine_tuning/jobs/${id}/events?limit=100`)
    expect(events.text).toContain('5 lines of the validation file are in the training file too')
    expect((await storedThings(stack)).filter(({ collection }) => collection === 'files')).toEqual([])
    expect(await inTheClear()).toEqual([])
  })
})

describe('when the host is killed', () => {
  it.each(['before', 'after'] as const)(
    '%s an upload is taken in, it becomes one file, and nothing is left in the clear',
    async (when) => {
      const id = await uploading(supervised(12))
      const files = async () => ((await shown('/openai/v1/files')) as { data: object[] }).data.length
      const before = await files()
      const pid = stack.hostPid()
      await stack.killAt({ function: 'link-upload-step', inputHolds: id, when })
      await call('POST', `${DATASETS}/uploads/${id}/complete`).catch(() => undefined)
      await stack.restarted(pid)
      await become(`${DATASETS}/uploads/${id}`, 'completed')
      expect(await files()).toBe(before + 1)
      expect(await inTheClear()).toEqual([])
    },
  )

  it.each(['before', 'after'] as const)('%s a dataset is read, it is validated all the same', async (when) => {
    const file = await uploaded([...supervised(12, 100), '{}'])
    const pid = stack.hostPid()
    await stack.killAt({ function: 'dataset-step', inputHolds: '"step":"validate"', when })
    // The host may die before its answer is out; the dataset is there all the same.
    await call('POST', DATASETS, { file, baseModel: BASE }).catch(() => undefined)
    await stack.restarted(pid)
    const listed = (await call('GET', DATASETS)).json as { datasets: { id: string; file: { id: string } }[] }
    const ofFile = listed.datasets.filter((dataset) => dataset.file.id === file)
    expect(ofFile).toHaveLength(1)
    const id = ofFile[0]?.id
    expect(await become(`${DATASETS}/${id}`, 'validated')).toMatchObject({ errors: 1, examples: 12 })
  })
})
