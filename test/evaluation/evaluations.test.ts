import { Problem } from '../../src/base/problem'
import { createEvaluations } from '../../src/evaluation/evaluations'
import { modelIdOfName } from '../../src/registry/model-version'
import {
  alias,
  ended,
  evaluationWorld,
  questions,
  snapshotOf,
  type AskedModel,
  type EvaluationWorld,
} from './evaluation-world'

let world: EvaluationWorld
beforeAll(async () => {
  world = await evaluationWorld()
})
beforeEach(() => {
  world.asked.length = 0
  world.answerBy(trained)
  world.leave(1)
  world.breakWhen(() => false)
})

const answerTo = ({ last }: AskedModel) => last.replace('Question', 'Answer').replace('?', '.')
const isTuned = ({ alias: name }: AskedModel) => modelIdOfName(name) !== undefined
/** A tuned model that knows every answer, and a base that says something near. */
const trained = (asked: AskedModel) => (isTuned(asked) ? answerTo(asked) : 'Some answer.')

async function evaluated(lines: readonly (readonly [string, string])[], wish: object = {}) {
  const tuned = await world.tuned(lines)
  const { scope, order, at } = tuned
  const begun = await world.evaluations.begin(scope, { ...order, wish: { ...order.wish, ...wish } })
  if (begun instanceof Problem) return { ...tuned, over: { kind: 'failed' as const, problem: begun } }
  return { ...tuned, over: await ended(world, world.evaluations, scope, at) }
}

describe('an evaluation', () => {
  it('puts the same examples to both models, greedily, and keeps the scores of each with how sure the gain is', async () => {
    const { over, scope, modelId } = await evaluated(questions(12))
    if (over.kind !== 'completed') throw new Error(JSON.stringify(over))
    const { evaluation } = over
    expect(evaluation).toMatchObject({
      examples: 12,
      unanswered: 0,
      tuned: { exact_match: 1, token_f1: 1 },
      base: { exact_match: 0 },
      gains: { exact_match: { mean: 1, low: 1, high: 1 } },
      baseAlias: 'chat',
    })
    expect(evaluation?.base['token_f1']).toBeCloseTo(0.5)
    expect((await world.registry.get(scope, modelId))?.evaluations).toEqual([evaluation])
    const [ofTuned, ofBase] = [world.asked.filter(isTuned), world.asked.filter((each) => !isTuned(each))]
    expect(ofTuned.map(({ last }) => last).sort()).toEqual(
      questions(12)
        .map(([question]) => question)
        .sort(),
    )
    expect(ofBase.map(({ last }) => last).sort()).toEqual(ofTuned.map(({ last }) => last).sort())
    for (const { body } of world.asked) expect(body).toMatchObject({ temperature: 0, max_tokens: 256 })
  })

  it('asks reasoning models without a temperature, and leaves them room to think', async () => {
    const { scope, order, at, name, backendId, base } = await world.tuned(questions(1))
    const reasoning = [alias('chat', base), alias(name, backendId)].map((each) => ({
      ...each,
      outputTokensField: 'max_completion_tokens' as const,
      outputTokensMax: 100_000,
    }))
    world.snapshots.set(scope.tenantId, snapshotOf(scope, reasoning))
    await world.evaluations.begin(scope, order)
    await ended(world, world.evaluations, scope, at)
    expect(world.asked).toHaveLength(2)
    for (const { body } of world.asked) {
      expect(body).not.toHaveProperty('temperature')
      expect(body).not.toHaveProperty('max_tokens')
      expect(body['max_completion_tokens']).toBe(256 + 8_192)
    }
  })

  it('samples as many as were asked for, the same ones of a file for every model', async () => {
    const first = await evaluated(questions(40), { sampleMax: 6 })
    const ofFirst = world.asked.map(({ last }) => last)
    world.asked.length = 0
    const second = await evaluated(questions(40), { sampleMax: 6 })
    expect(new Set(world.asked.map(({ last }) => last))).toEqual(new Set(ofFirst))
    const [one, two] = [first, second].map(({ over }) => (over.kind === 'completed' ? over.evaluation : undefined))
    expect(one?.examples).toBe(6)
    expect(two?.sampleHash).toBe(one?.sampleHash)
    expect(two?.datasetHash).toBe(one?.datasetHash)
  })

  it('has a model of the tenant’s grade both answers, and a reply that is no grade counts for neither', async () => {
    const grade = (asked: AskedModel) => {
      const { wanted, answer } = JSON.parse(asked.last) as { wanted: string; answer: string }
      if (wanted === 'Answer 3.' && answer === wanted) return 'I like it.'
      return JSON.stringify({ score: wanted === answer ? 9 : 2 })
    }
    world.answerBy((asked) => (asked.last.startsWith('{') ? grade(asked) : trained(asked)))
    const { over } = await evaluated(questions(8), { grader: { alias: 'chat', prompt: 'Is it right?' } })
    expect(over).toMatchObject({
      kind: 'completed',
      evaluation: { graderAlias: 'chat', examples: 8 },
    })
    const { tuned, base } = (over.kind === 'completed' ? over.evaluation : undefined) ?? {}
    expect([tuned?.['grade'], base?.['grade']]).toEqual([expect.closeTo(0.9), expect.closeTo(0.2)])
  })

  it('keeps as many answers as were asked for, and nothing else of what was said', async () => {
    const { scope, at } = await evaluated(questions(9), { answersKept: 2 })
    expect(await world.evaluations.answers(scope, at.id)).toEqual([
      { line: 1, wanted: 'Answer 0.', tuned: 'Answer 0.', base: 'Some answer.' },
      { line: 2, wanted: 'Answer 1.', tuned: 'Answer 1.', base: 'Some answer.' },
    ])
    const pages: string[] = []
    for await (const id of world.deps.store.list(scope, at.modelId)) pages.push(JSON.stringify(id))
    expect(pages.join()).not.toContain('Some answer.')
    await expect(world.deps.store.examples(scope, at.id, 0)).rejects.toThrow('not there')
    expect(await world.deps.store.progress(scope, at.id, 0)).toEqual([])
  })
})

describe('an evaluation that breaks off', () => {
  it('asks nothing again that was kept, however often it is killed, and counts once', async () => {
    const { scope, order, at, modelId } = await world.tuned(questions(24))
    await world.evaluations.begin(scope, order)
    const keyOf = (asked: AskedModel) => `${isTuned(asked) ? 'tuned' : 'base'} ${asked.last}`
    const kept = new Set<string>()
    let calls = 0
    let kills = 0
    world.breakWhen(() => {
      if (++calls % 13 > 0) return false
      kills += 1
      return true
    })
    world.answerBy((asked) => {
      expect([...kept]).not.toContain(keyOf(asked))
      return trained(asked)
    })
    const live = () =>
      createEvaluations(world.deps)
        .advance(scope, at)
        .catch(() => 'killed' as const)
    for (let life = await live(); life === 'killed'; life = await live()) {
      for (let page = 0; page < 6; page++) {
        const examples = await world.deps.store.examples(scope, at.id, page)
        for (const [index, { tuned, base }] of (await world.deps.store.progress(scope, at.id, page)).entries()) {
          const [{ content = '' } = {}] = (examples[index]?.messages ?? []) as { content?: string }[]
          if (tuned) kept.add(`tuned ${content}`)
          if (base) kept.add(`base ${content}`)
        }
      }
    }
    expect(kills).toBeGreaterThan(3)
    expect(kept.size).toBeGreaterThan(20)
    // A page is eight calls: what a kill loses is less than one.
    expect(calls).toBeLessThanOrEqual(48 + kills * 8)
    expect((await world.registry.get(scope, modelId))?.evaluations).toMatchObject([{ examples: 24 }])
  })

  it('behind the registry’s knowing of it is completed all the same, once', async () => {
    const { scope, order, at, modelId } = await world.tuned(questions(3))
    await world.evaluations.begin(scope, order)
    const { store } = world.deps
    let isKilled = false
    const dying = createEvaluations({
      ...world.deps,
      store: {
        ...store,
        change: (given, of, edit) =>
          store.change(given, of, (run) => {
            const next = edit(run)
            if (next?.stage.kind !== 'completed' || isKilled) return next
            isKilled = true
            throw new Error('the process was killed')
          }),
      },
    })
    await expect(dying.advance(scope, at)).rejects.toThrow('killed')
    const known = (await world.registry.get(scope, modelId))?.evaluations
    expect(known).toHaveLength(1)
    expect(await world.evaluations.advance(scope, at)).toEqual({ kind: 'completed', evaluation: known?.[0] })
    expect((await world.registry.get(scope, modelId))?.evaluations).toEqual(known)
    expect(await store.progress(scope, at.id, 0)).toEqual([])
  })
})

describe('an evaluation that is told to wait', () => {
  it('by limits or backends waits as long as they say, and asks then what is missing, and only that', async () => {
    const { scope, order, at } = await world.tuned(questions(4))
    await world.evaluations.begin(scope, order)
    const busy = new Problem('rate_limit_exceeded', 'Too many.', { retryAfterMs: 17_000 })
    world.answerBy((asked) => (isTuned(asked) ? answerTo(asked) : busy))
    expect(await world.evaluations.advance(scope, at)).toEqual({ kind: 'not-yet', againAfterMs: 17_000 })
    world.asked.length = 0
    world.answerBy(trained)
    expect((await ended(world, world.evaluations, scope, at)).kind).toBe('completed')
    expect(world.asked.filter(isTuned)).toEqual([])
    expect(world.asked).toHaveLength(4)
  })

  it('asks one thing after the other then, and stops at the first that has to wait again', async () => {
    const { scope, order, at } = await world.tuned(questions(4))
    await world.evaluations.begin(scope, order)
    const busy = new Problem('backends_cooling_down', 'Full.', { retryAfterMs: 3_000 })
    world.answerBy(() => busy)
    await world.evaluations.advance(scope, at)
    expect(world.asked).toHaveLength(8)
    await world.evaluations.advance(scope, at)
    expect(world.asked).toHaveLength(8 + 2)
  })

  it('lets the tenant’s own calls go first once half of its limits is used', async () => {
    const { scope, order, at } = await world.tuned(questions(8))
    await world.evaluations.begin(scope, order)
    world.leave(0.4)
    expect(await world.evaluations.advance(scope, at)).toEqual({ kind: 'not-yet', againAfterMs: 10_000 })
    expect(world.asked).toHaveLength(8)
    expect(await world.evaluations.get(scope, at)).toMatchObject({ pagesDone: 1 })
  })

  it('comes back to an example that somebody fails at later and later, and leaves it out in the end', async () => {
    const down = new Problem('upstream_failed', 'It failed.')
    world.answerBy((asked) => (isTuned(asked) && asked.last === 'Question 2?' ? down : trained(asked)))
    const before = world.clock.now()
    const { over } = await evaluated(questions(12))
    expect(over).toMatchObject({ kind: 'completed', evaluation: { examples: 11, unanswered: 1 } })
    expect(world.asked.filter(({ last }) => last === 'Question 2?')).toHaveLength(8 + 1)
    expect(world.clock.now() - before).toBeGreaterThan(10 * 60_000)
  })

  it('by something that is broken for all of them ends with what is broken, once that lasts', async () => {
    world.answerBy((asked) => (isTuned(asked) ? answerTo(asked) : new Problem('no_backend', 'No backend serves it.')))
    const before = world.clock.now()
    const { over, scope, order, at } = await evaluated(questions(12))
    expect(over.kind === 'failed' && over.problem.public).toBe('No backend serves it.')
    expect(world.clock.now() - before).toBeGreaterThan(10 * 60_000)
    expect(world.asked.filter(isTuned)).toHaveLength(4)
    world.answerBy(trained)
    await world.evaluations.begin(scope, order)
    expect((await ended(world, world.evaluations, scope, at)).kind).toBe('completed')
  })

  it('does not wait for ever', async () => {
    world.answerBy(() => new Problem('queue_full', 'Full.', { retryAfterMs: 12 * 3_600_000 }))
    const { over, scope, at } = await evaluated(questions(2))
    expect(over.kind === 'failed' && over.problem.public).toContain('could not be asked in time')
    expect(await world.evaluations.get(scope, at)).toMatchObject({ stage: { kind: 'failed' } })
  })
})

describe('an evaluation that fails', () => {
  it('says why, and asked for again under its id goes on where it was', async () => {
    const { scope, order, at } = await world.tuned(questions(8))
    await world.evaluations.begin(scope, order)
    const noMoney = new Problem('insufficient_quota', 'The budget is used up.')
    world.answerBy((asked) => (world.asked.length > 8 ? noMoney : trained(asked)))
    const over = await ended(world, world.evaluations, scope, at)
    expect(over.kind === 'failed' && over.problem.public).toBe('The budget is used up.')
    world.answerBy(trained)
    world.asked.length = 0
    await world.evaluations.begin(scope, order)
    expect((await ended(world, world.evaluations, scope, at)).kind).toBe('completed')
    expect(world.asked).toHaveLength(8)
  })

  it('with too few answers to tell anything says what the models said instead', async () => {
    world.answerBy((asked) => (isTuned(asked) ? { status: 400, code: 'content_filter' } : 'Some answer.'))
    const { over, scope, modelId } = await evaluated(questions(5))
    expect(over.kind === 'failed' && over.problem.public).toContain('answered 0 of 5 examples')
    expect(over.kind === 'failed' && over.problem.public).toContain('content_filter')
    expect((await world.registry.get(scope, modelId))?.evaluations).toEqual([])
  })

  it('with a file in which there is nothing to compare says so', async () => {
    const { scope, order, at, fileId } = await world.tuned([])
    world.files.set(fileId, Buffer.from('{"messages":[{"role":"user","content":"Hi"}]}\n{}'))
    await world.evaluations.begin(scope, order)
    const over = await ended(world, world.evaluations, scope, at)
    expect(over.kind === 'failed' && over.problem.public).toContain('None of the file’s 2 lines')
    expect(world.asked).toEqual([])
  })
})

describe('an evaluation is refused at its beginning', () => {
  const refused = async (
    change: (tuned: Awaited<ReturnType<EvaluationWorld['tuned']>>) => Promise<void> | void,
    wish = {},
  ) => {
    const tuned = await world.tuned(questions(2))
    await change(tuned)
    const begun = await world.evaluations.begin(tuned.scope, { ...tuned.order, wish: { ...tuned.order.wish, ...wish } })
    return begun instanceof Problem ? begun.public : 'begun'
  }

  it.each([
    [
      'no alias of the tenant leads to the base',
      ({ scope, name, backendId }) =>
        void world.snapshots.set(scope.tenantId, snapshotOf(scope, [alias(name, backendId)])),
      /None of your aliases leads to the base, gpt-4.1-mini.*Have an alias of that model added/,
    ],
    [
      'the only alias of the base was promoted to the tuned model',
      ({ scope, name, backendId }) =>
        void world.snapshots.set(scope.tenantId, snapshotOf(scope, [alias(name, backendId), alias('chat', backendId)])),
      /None of your aliases leads to the base/,
    ],
    ['the file is nobody’s', ({ fileId }) => void world.files.delete(fileId), /names no file of yours/],
    [
      'the model is not deployed',
      async ({ scope, modelId }) =>
        void (await world.registry.change(scope, modelId, (model) => ({ ...model, deployment: { kind: 'none' } }))),
      /not deployed. Deploy it first/,
    ],
    [
      'the model is archived',
      async ({ scope, modelId }) =>
        void (await world.registry.change(scope, modelId, (model) => ({ ...model, archivedAt: 1 }))),
      /archived. Restore it first/,
    ],
  ] satisfies [string, Parameters<typeof refused>[0], RegExp][])('where %s', async (_, change, says) => {
    expect(await refused(change)).toMatch(says)
  })

  it('where nobody of the tenant’s can grade', async () => {
    expect(await refused(() => {}, { grader: { alias: 'nobody', prompt: 'Good?' } })).toContain(
      'grader.alias: must name',
    )
  })

  it('while another one of the model is under way; the same one is answered with what is there', async () => {
    const { scope, order } = await world.tuned(questions(2))
    const begun = await world.evaluations.begin(scope, order)
    expect(await world.evaluations.begin(scope, order)).toEqual(begun)
    const other = await world.evaluations.begin(scope, { ...order, id: `evl_${'0'.repeat(26)}` })
    expect(other instanceof Problem && other.public).toContain('evaluated already')
  })
})

describe('a model that sleeps', () => {
  it('is woken before it is asked', async () => {
    const { scope, order, at, modelId } = await world.tuned(questions(2))
    await world.registry.change(scope, modelId, (model) =>
      model.deployment.kind === 'deployed'
        ? { ...model, deployment: { kind: 'asleep', plan: model.deployment.plan, sinceMs: 0 } }
        : model,
    )
    let looks = 0
    const evaluations = createEvaluations({
      ...world.deps,
      wake: async (_, model, by) => {
        expect([model.id, by]).toEqual([modelId, at.id])
        return ++looks < 3 ? { kind: 'not-yet', againAfterMs: 5_000 } : { kind: 'ready' }
      },
    })
    await evaluations.begin(scope, order)
    expect(await evaluations.advance(scope, at)).toEqual({ kind: 'not-yet', againAfterMs: 5_000 })
    expect(world.asked).toEqual([])
    expect((await ended(world, evaluations, scope, at)).kind).toBe('completed')
  })
})

describe('held-out examples', () => {
  it('may be pairs for preferences: the preferred output is what is wanted', async () => {
    const tuned = await world.tuned([])
    const pair = {
      input: { messages: [{ role: 'user', content: 'Question 1?' }], tools: [], parallel_tool_calls: true },
      preferred_output: [{ role: 'assistant', content: 'Answer 1.' }],
      non_preferred_output: [{ role: 'assistant', content: 'Go away.' }],
    }
    world.files.set(tuned.fileId, Buffer.from(JSON.stringify(pair)))
    await world.evaluations.begin(tuned.scope, tuned.order)
    const over = await ended(world, world.evaluations, tuned.scope, tuned.at)
    expect(over).toMatchObject({
      kind: 'completed',
      evaluation: { tuned: { exact_match: 1 }, base: { exact_match: 0 } },
    })
  })

  it('may be deleted once they were sampled', async () => {
    const { scope, order, at, fileId } = await world.tuned(questions(8))
    await world.evaluations.begin(scope, order)
    world.leave(0.1)
    await world.evaluations.advance(scope, at)
    world.files.delete(fileId)
    world.leave(1)
    expect((await ended(world, world.evaluations, scope, at)).kind).toBe('completed')
  })
})
