import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isBaselineDue } from '../../src/drift/make-baseline'
import { binOf, totalOf } from '../../src/drift/histogram'
import { scriptOf } from '../../src/drift/script-of'
import { loadTrainingRequests } from '../../src/drift/training-requests'
import { dataset, driftWorld } from './drift-world'

describe('an example of a dataset', () => {
  const read = async (method: 'supervised' | 'dpo' | 'reinforcement', example: object) =>
    (await loadTrainingRequests(method))(Buffer.from(JSON.stringify(example)))

  it('is as many requests as it has answers that are learned, each with what stands before it', async () => {
    const [user, assistant] = [
      { role: 'user', content: 'Where is order 7?' },
      { role: 'assistant', content: 'On its way.' },
    ]
    const messages = [{ role: 'system', content: 'Be brief.' }, user, { ...assistant, weight: 0 }, user, assistant]
    const requests = await read('supervised', { messages })
    expect(requests.map(({ messages: count, text }) => [count, text])).toEqual([[4, 'Where is order 7?']])
    const both = await read('supervised', { messages: [user, assistant, user, assistant] })
    expect(both.map((request) => request.messages)).toEqual([1, 3])
    // "On its way." by o200k_base: On, its, way and the full stop.
    expect(both.map(({ outputTokens }) => outputTokens)).toEqual([4, 4])
  })

  it('is one request with the better answer where pbaselines are learned, and one without where a grader judges', async () => {
    const messages = [{ role: 'user', content: 'Hello?' }]
    const answer = (content: string) => [{ role: 'assistant', content }]
    const dpo = await read('dpo', {
      input: { messages },
      preferred_output: answer('Hello.'),
      non_preferred_output: answer('Go away, I have no time for you.'),
    })
    expect(dpo).toMatchObject([{ messages: 1, outputTokens: 2 }])
    expect(await read('reinforcement', { messages, answer: '8' })).toMatchObject([
      { messages: 1, outputTokens: undefined },
    ])
  })

  it('that is none is passed over', async () => {
    const lines = [
      '',
      '[]',
      '{',
      '{"messages":7}',
      '{"messages":[]}',
      '{"messages":[{"role":"assistant","content":"x"}]}',
    ]
    const readLine = await loadTrainingRequests('supervised')
    for (const line of lines) expect(readLine(Buffer.from(line))).toEqual([])
  })
})

describe('a baseline', () => {
  it.each(readdirSync('examples/datasets').filter((name) => name.endsWith('.jsonl')))(
    'is made of the example dataset %s, all of it',
    async (name) => {
      const content = readFileSync(join('examples/datasets', name))
      const lines = content.toString().trim().split('\n')
      const example = JSON.parse(lines[0] ?? '') as Record<string, unknown>
      const method = 'preferred_output' in example ? 'dpo' : 'supervised'
      const requests = await loadTrainingRequests(method)
      const all = lines.flatMap((line) => requests(Buffer.from(line)))
      expect(all.length).toBeGreaterThanOrEqual(lines.length)
    },
  )

  it('counts every request of a file in every feature, however its bytes come', async () => {
    const world = await driftWorld()
    const fileId = world.addFile(
      'train.jsonl',
      dataset(150, (n) => (n % 3 === 0 ? `Где заказ ${n}?` : `Where is order ${n}?`)),
    )
    const { scope, modelId } = await world.trained({ watch: true }, fileId, 150)
    const { state } = await world.makeBaseline(scope, modelId, 'embed')
    if (state.kind !== 'made') throw new Error(state.why)
    expect(state.requests).toBe(150)
    expect(state.counts.messages).toEqual({ [binOf(1)]: 150 })
    expect(state.counts.scripts).toEqual({ Cyrl: 50, Latn: 100 })
    expect(totalOf(state.counts.topics ?? {})).toBe(75)
    expect(state.topics.kind).toBe('made')
    // Texts of two subjects, so two topics hold nearly all of them.
    expect((await world.makeBaseline(scope, modelId, 'embed')).state).toMatchObject({ counts: state.counts })
  })

  it('of a file that was deleted is not there, and is looked for again after a day', async () => {
    const world = await driftWorld()
    const gone = world.ids.fileId()
    const { scope, modelId } = await world.trained({ watch: true }, gone, 10)
    const baseline = await world.makeBaseline(scope, modelId)
    expect(baseline.state).toEqual({ kind: 'impossible', why: 'file-gone' })
    const due = (nowMs: number) => isBaselineDue(baseline, { measure: '1', topicsAlias: undefined, nowMs })
    expect(due(baseline.madeAt + 1)).toBe(false)
    expect(due(baseline.madeAt + 86_400_000)).toBe(true)
  })

  it('is made again where calls are measured otherwise, or topics by another alias', async () => {
    const world = await driftWorld()
    const fileId = world.addFile(
      'train.jsonl',
      dataset(120, (n) => `Where is order ${n}?`),
    )
    const { scope, modelId } = await world.trained({ watch: true }, fileId, 120)
    const baseline = await world.makeBaseline(scope, modelId, 'embed')
    const basis = { measure: '1', topicsAlias: 'embed', nowMs: baseline.madeAt }
    expect(isBaselineDue(baseline, basis)).toBe(false)
    expect(isBaselineDue(undefined, basis)).toBe(true)
    expect(isBaselineDue(baseline, { ...basis, measure: '2' })).toBe(true)
    expect(isBaselineDue(baseline, { ...basis, topicsAlias: 'other' })).toBe(true)
    expect(isBaselineDue(baseline, { ...basis, topicsAlias: undefined })).toBe(true)
  })
})

describe('the script of a text', () => {
  it.each([
    ['Where is my order?', 'Latn'],
    ['Где мой заказ?', 'Cyrl'],
    ['注文はどこですか', 'Jpan'],
    ['我的订单在哪里', 'Hani'],
    ['내 주문은 어디에 있나요', 'Hang'],
    ['أين طلبي؟', 'Arab'],
    ['मेरा ऑर्डर कहाँ है', 'Deva'],
    ['ପୁରୀ', 'other'],
    ['12:34 – 5/6', 'none'],
    ['', 'none'],
    ['Order 7 не пришёл, пожалуйста', 'Cyrl'],
  ])('“%s” is %s', (text, script) => expect(scriptOf(text)).toBe(script))
})
