/** Lines of a dataset as tenants have them: support conversations, a tenth in other scripts, some with tools. */
export function* datasetLines(): Generator<string> {
  const next = generator(1)
  const vocabulary = words(next)
  for (let number = 0; ; number++) {
    const foreign = next(10) === 0
    const text = (count: number) => Array.from({ length: count }, () => word(foreign)).join(' ')
    const word = (foreign: boolean) => (foreign ? pick(others, next) : pick(vocabulary, next))
    const messages: unknown[] = [
      { role: 'system', content: 'You answer questions of customers of an online shop. Be brief and friendly.' },
      { role: 'user', content: `${text(20 + next(80))}? Order ${next(1_000_000)}.` },
    ]
    const tools = next(20) === 0
    if (tools) {
      const id = `call_${number}`
      const call = { name: 'order_status', arguments: JSON.stringify({ order: next(1_000_000) }) }
      messages.push({ role: 'assistant', tool_calls: [{ id, type: 'function', function: call }] })
      messages.push({ role: 'tool', tool_call_id: id, content: JSON.stringify({ status: text(3) }) })
    }
    if (next(4) === 0) {
      messages.push({ role: 'assistant', content: text(10 + next(30)), weight: 0 })
      messages.push({ role: 'user', content: text(5 + next(30)) })
    }
    messages.push({ role: 'assistant', content: `${text(40 + next(120))}.\n\n${text(10 + next(60))}.` })
    yield `${JSON.stringify({ messages, ...(tools ? { tools: [orderStatus] } : {}) })}\n`
  }
}

const orderStatus = {
  type: 'function',
  function: {
    name: 'order_status',
    description: 'Looks up where an order is.',
    parameters: { type: 'object', properties: { order: { type: 'integer' } }, required: ['order'] },
  },
}

const others =
  'Über größere Straßen öffnet später Möglichkeit 注文 の 状況 を 確認 します заказ доставка сегодня спасибо'.split(' ')

/** Numerical Recipes' linear congruential generator: the same dataset in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pick = <T>(list: readonly T[], next: (below: number) => number): T => {
  const found = list[next(list.length)]
  if (found === undefined) throw new Error('the list is empty')
  return found
}

/** Five thousand words that no tokenizer knows by heart, built from syllables that it does. */
function words(next: (below: number) => number): string[] {
  const syllables =
    'ta re in de con pro ment ing er or an the sta tion ble ly un dis com per for ship ord cus tom re turn'.split(' ')
  return Array.from({ length: 5_000 }, () => Array.from({ length: 1 + next(3) }, () => pick(syllables, next)).join(''))
}
