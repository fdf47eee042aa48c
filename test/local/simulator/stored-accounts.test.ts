import { accountId, runningArm } from './running-arm'

const azure = runningArm()
const { call, putAccount, putDeployment } = azure

const keyOf = async (account: string) => ({
  'api-key': (await call('POST', `${accountId(account)}/listKeys`)).body.key1 ?? '',
})
const at = (account: string, path: string) => azure.url(`/accounts/${account}/openai/v1/${path}`)
async function send(account: string, method: string, path: string, body?: object | FormData) {
  const form = body instanceof FormData
  const answer = await fetch(at(account, path), {
    method,
    headers: { ...(await keyOf(account)), ...(form ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  })
  return { status: answer.status, id: ((await answer.json()) as { id?: string }).id ?? '' }
}
function inputFile() {
  const form = new FormData()
  form.set('purpose', 'batch')
  form.set('file', new Blob(['{}']), 'input.jsonl')
  return form
}
const order = (input_file_id: string) => ({ input_file_id, endpoint: '/v1/responses', completion_window: '24h' })
const kept = async (account: string) => (await azure.things()).filter((thing) => thing.account === account)

describe('what an account keeps', () => {
  beforeEach(async () => {
    await putAccount('alpha')
    await putAccount('beta')
    await putDeployment('alpha', 'chat', { capacity: 100 })
    await putDeployment('beta', 'chat', { capacity: 100 })
  })

  it('is not there for any other account: not to read, to follow, to run, to cancel or to delete', async () => {
    const file = await send('alpha', 'POST', 'files', inputFile())
    const response = await send('alpha', 'POST', 'responses', { model: 'chat', input: 'mine' })
    const batch = await send('alpha', 'POST', 'batches', order(file.id))
    expect([file.status, response.status, batch.status]).toEqual([200, 200, 200])

    for (const [method, path] of [
      ['GET', `files/${file.id}`],
      ['GET', `files/${file.id}/content`],
      ['DELETE', `files/${file.id}`],
      ['GET', `responses/${response.id}`],
      ['GET', `responses/${response.id}/input_items`],
      ['DELETE', `responses/${response.id}`],
      ['GET', `batches/${batch.id}`],
      ['POST', `batches/${batch.id}/cancel`],
    ] as const) {
      expect([path, (await send('beta', method, path)).status]).toEqual([path, 404])
    }
    const follow = { model: 'chat', input: 'on', previous_response_id: response.id }
    expect((await send('beta', 'POST', 'responses', follow)).status).toBe(404)
    expect((await send('beta', 'POST', 'batches', order(file.id))).status).toBe(400)
    expect((await send('alpha', 'POST', 'responses', follow)).status).toBe(200)
    expect(await kept('beta')).toEqual([])
  })

  it('goes with the account', async () => {
    const { id } = await send('alpha', 'POST', 'responses', { model: 'chat', input: 'mine' })
    expect((await kept('alpha')).map((thing) => thing.id)).toContain(id)
    await call('DELETE', accountId('alpha'))
    expect(await kept('alpha')).toEqual([])
  })
})
