import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSimulator } from '../../../local/simulator/simulator'
import { accountBody, accountId, armCaller, deploymentBody, GROUP, INFERENCE_SCOPE } from './running-arm'
import { user } from './running'
import { asked, taught, trainingText } from './training-data'

let folder: string
let stateFile: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-'))
  stateFile = join(folder, 'made', 'simulator.json')
})
afterEach(() => rm(folder, { recursive: true }))

async function started() {
  const simulator = await startSimulator({
    stateFile,
    config: { arm: { delayMs: 0 }, fineTuning: { speed: 1_000_000_000 } },
  })
  const url = (path: string) => simulator.url + path
  return { ...armCaller(url), url, close: () => simulator.close() }
}

const assignment = `${accountId('kept')}/providers/Microsoft.Authorization/roleAssignments/11111111-2222-4333-8444-555555555555`
const owner = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'

it('what was made, deleted and given is there after a restart, and so is whoever held a token', async () => {
  const before = await started()
  const token = await before.token('contoso', INFERENCE_SCOPE)
  const bearer = await before.token('platform')
  for (const name of ['kept', 'lost']) await before.call('PUT', accountId(name), { body: accountBody(name) })
  await before.call('PUT', `${accountId('kept')}/deployments/chat`, { body: deploymentBody() })
  await before.call('DELETE', accountId('lost'))
  const principalId = '00000000-0000-4000-8000-0000000000ff'
  const properties = { roleDefinitionId: `/x/${owner}`, principalId, principalType: 'User' }
  await before.call('PUT', assignment, { body: { properties } })
  await before.close()
  expect((await stat(stateFile)).mode & 0o777).toBe(0o600)
  expect(await readdir(join(folder, 'made'))).toEqual(['simulator.json'])

  const after = await started()
  expect((await after.call('GET', accountId('kept'), { bearer })).status).toBe(200)
  expect((await after.call('GET', assignment)).status).toBe(200)
  expect(await after.call('PUT', accountId('lost'), { body: accountBody('lost') })).toMatchObject({
    code: 'FlagMustBeSetForRestore',
  })
  const { key1 = '' } = (await after.call('POST', `${accountId('kept')}/listKeys`)).body
  const chat = (account: string, deployment: string, headers: Record<string, string>) =>
    fetch(after.url(`/accounts/${account}/openai/deployments/${deployment}/chat/completions?api-version=2024-10-21`), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(user('hi')),
    })
  expect((await chat('kept', 'chat', { 'api-key': key1 })).status).toBe(200)
  expect((await chat('contoso-owned', 'contoso-chat', { authorization: `Bearer ${token}` })).status).toBe(200)
  await after.close()
})

it('what was deleted of the things that were there from the start stays deleted', async () => {
  const before = await started()
  await before.call('DELETE', accountId('simulator'))
  await before.close()
  const after = await started()
  expect((await after.call('GET', accountId('simulator'))).status).toBe(404)
  await fetch(after.url('/simulator/reset'), { method: 'POST' })
  expect((await after.call('GET', accountId('simulator'))).status).toBe(200)
  await after.close()
})

it('a change is in the file a moment later, so that a simulator that is killed loses next to nothing', async () => {
  const simulator = await started()
  await simulator.call('PUT', accountId('quick'), { body: accountBody('quick') })
  const id = `${GROUP}/providers/Microsoft.CognitiveServices/accounts/quick`
  while (!(await readFile(stateFile, 'utf8').catch(() => '')).includes(id))
    await new Promise((resolve) => setTimeout(resolve, 10))
  await simulator.close()
})

it('a file that is none of its own is started over, and said so', async () => {
  const errors = jest.spyOn(console, 'error').mockImplementation(() => {})
  stateFile = join(folder, 'other.json')
  await writeFile(stateFile, '{"version":0}')
  const simulator = await started()
  expect((await simulator.call('GET', accountId('simulator'))).status).toBe(200)
  expect(errors).toHaveBeenCalledWith(expect.stringContaining('starting anew'))
  await simulator.close()
  errors.mockRestore()
})

it('a tuned model is there after a restart, deployed and knowing what it knew', async () => {
  const before = await started()
  const send = async (to: typeof before, path: string, init: RequestInit = {}) => {
    const answer = await fetch(to.url(path), {
      ...init,
      headers: { 'api-key': 'simulator-key', ...(typeof init.body === 'string' ? json : {}) },
    })
    return (await answer.json()) as { id: string; fine_tuned_model: string | null; choices: Choice[] }
  }
  const form = new FormData()
  form.set('purpose', 'fine-tune')
  form.set('file', new Blob([trainingText]), 'train.jsonl')
  const file = await send(before, '/openai/v1/files', { method: 'POST', body: form })
  const order = JSON.stringify({ model: 'gpt-4.1-mini-2025-04-14', training_file: file.id })
  const { id } = await send(before, '/openai/v1/fine_tuning/jobs', { method: 'POST', body: order })
  let model: string | null = null
  while (model === null) model = (await send(before, `/openai/v1/fine_tuning/jobs/${id}`)).fine_tuned_model
  const deployment = `${accountId('simulator')}/deployments/tuned`
  await before.call('PUT', deployment, { body: deploymentBody({ model, version: '1' }) })
  await before.close()

  const after = await started()
  const [first] = taught
  const body = JSON.stringify({ model: 'tuned', messages: asked(first?.content ?? '') })
  const { choices } = await send(after, '/openai/v1/chat/completions', { method: 'POST', body })
  expect(choices[0]?.message.content).toBe(first?.kind)
  await after.call('DELETE', deployment)
  expect(await send(after, `/openai/v1/models/${model}`, { method: 'DELETE' })).toMatchObject({
    id: model,
    deleted: true,
  })
  await after.close()
})
interface Choice {
  readonly message: { readonly content: string }
}
const json = { 'content-type': 'application/json' }
