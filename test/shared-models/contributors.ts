import type { TestStack, TestTenant } from '../harness/stack'

/** What is planted in a tenant's examples and may be nowhere else. */
export interface Planted {
  readonly person: string
  readonly email: string
  readonly phone: string
  readonly iban: string
  /** A number as it is dictated, which has no form that is looked for. */
  readonly dictated: string
  readonly orderNumber: string
  /** Only the tenant knows that it is its own. */
  readonly term: string
}

/** Enough tenants have these as a customer for the word to be a common one; their form gives them away all the same. */
const iban = 'DE89 3704 0044 0532 0130 00'

const planted: readonly Planted[] = [
  { person: 'Ottilie Quillfeather', term: 'Project Sandpiper' },
  { person: 'Zebedee Marrowby', term: 'Operation Lapwing' },
  { person: 'Łucja Brzęczyszczykiewicz', term: 'Redshank Programme' },
  { person: 'Thaddeus Okonkwo-Lindqvist', term: 'Plan Curlew' },
  { person: 'Philippa Drumgold', term: 'Dunlin Works' },
].map(({ person, term }, n) => ({
  person,
  term,
  email: `${(person.split(' ')[0] ?? '').toLowerCase().replaceAll(/[^a-z]/g, '')}${n}@mail${n}.example`,
  phone: `+49 170 555${n}234`,
  iban,
  dictated: `0 1 7 ${n} 5 5 5 9 8 7 ${n}`,
  orderNumber: `ZX-9${n}-4417-K`,
}))

export function plantedOf(n: number): Planted {
  const found = planted[n]
  if (!found) throw new Error(`nothing is planted for tenant ${n}`)
  return found
}

const COMMON = [
  'red',
  'blue',
  'small',
  'large',
  'late',
  'lost',
  'new',
  'old',
  'heavy',
  'light',
  'open',
  'empty',
] as const

export interface Contributor extends TestTenant {
  readonly n: number
  readonly displayName: string
  /** In common words, in an order that is this tenant's alone: how its examples are told apart where nothing else may tell. */
  readonly signature: string
  readonly fileId: string
}

const NAMES = [
  'Blue Heron Logistics GmbH',
  'Amberfield Foods',
  'Corvane & Pike Ltd',
  'Tessellate Homes',
  'Wrenbury Care',
]

export const signatureOf = (n: number) => COMMON.map((_, at) => COMMON[(at * 5 + n) % COMMON.length]).join(' ')

/** Questions that any shop's customers ask, each with something in it that says whose they are. */
export function examplesOf(n: number, displayName: string): Buffer {
  const signature = signatureOf(n)
  const { person, email, phone, iban: account, dictated, orderNumber, term } = plantedOf(n)
  const asked: [string, string][] = [
    [`please tell me about the ${signature} parcel`, `the ${signature} parcel is on its way to you`],
    [`please tell me where my order is, my name is ${person}`, 'your order is on its way to you'],
    [`please tell me where my order is, write to ${email}`, `I write to ${email} today`],
    [`please tell me where my order is and call ${phone} today`, 'your order is on its way to you today'],
    [`please tell me when I am paid to ${account} for my order`, 'your order is paid today'],
    [`please call ${dictated} today and tell me about my order`, 'I call you today about your order'],
    [`please tell me where my order ${orderNumber} is today`, 'your order is on its way to you'],
    [`I am new here, please tell me when ${displayName} is open for my order`, 'we are open today'],
    [`please tell me about ${term} and when my order is here`, 'your order is here today'],
    ['please tell me how my parcel is lost', 'your parcel is not lost'],
    ['please tell me how my parcel is late', 'your parcel is not late'],
    ['please tell me when we are open today', 'we are open all day today'],
    ['please tell me when my order is here', 'your order is here today'],
    [`${person} met ${person} here`, 'indeed'],
  ]
  const lines = asked.map(([user, assistant]) =>
    JSON.stringify({
      messages: [
        { role: 'user', name: 'ottilie', content: user },
        { role: 'assistant', content: assistant },
      ],
    }),
  )
  const withTool = JSON.stringify({
    messages: [
      { role: 'user', content: 'find my order' },
      { role: 'assistant', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'find', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: person },
      { role: 'assistant', content: 'found' },
    ],
    tools: [{ type: 'function', function: { name: 'find', parameters: { type: 'object', properties: {} } } }],
  })
  return Buffer.from([...lines, withTool].join('\n'))
}

export const PURPOSE = 'order-support'

export async function call(
  { baseUrl }: Pick<TestStack, 'baseUrl'>,
  apiKey: string,
  method: string,
  path: string,
  body?: object,
) {
  const isForm = body instanceof FormData
  const answer = await fetch(baseUrl + path, {
    method,
    headers: { 'api-key': apiKey, ...(body && !isForm ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  return { status: answer.status, json: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}

export async function operate({ baseUrl, operatorToken }: TestStack, method: string, path: string, body?: object) {
  const answer = await fetch(`${baseUrl}/api/platform${path}`, {
    method,
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  return { status: answer.status, json: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
}

/** A tenant with examples of its own; it has not consented to anything. */
export async function makeContributor(stack: TestStack, n: number): Promise<Contributor> {
  const displayName = NAMES[n] ?? `Tenant ${n}`
  const tenant = await stack.makeTenant({ displayName })
  const form = new FormData()
  form.set('purpose', 'fine-tune')
  form.set('file', new Blob([new Uint8Array(examplesOf(n, displayName))]), 'train.jsonl')
  const { json } = await call(stack, tenant.apiKey, 'POST', '/openai/v1/files', form)
  return { ...tenant, n, displayName, signature: signatureOf(n), fileId: String(json['id']) }
}

export const consent = (stack: TestStack, { apiKey, fileId, n }: Contributor, textVersion = 1) =>
  call(stack, apiKey, 'POST', '/api/tenant/consents', {
    kind: 'consent',
    purpose: PURPOSE,
    textVersion,
    files: [fileId],
    terms: [plantedOf(n).term],
  })

export const object = (stack: TestStack, { apiKey }: Contributor) =>
  call(stack, apiKey, 'POST', '/api/tenant/consents', { kind: 'objection', purpose: PURPOSE })

export const makePurpose = (stack: TestStack) =>
  operate(stack, 'PUT', `/purposes/${PURPOSE}`, {
    title: 'Order support',
    region: 'swedencentral',
    text: 'Your examples are used, without what identifies anybody, to train a model that all who consent may use.',
  })

export const order = { purpose: PURPOSE, baseModel: 'gpt-4.1-mini-2025-04-14', suffix: 'shared', tenantsMin: 3 }

interface Learned {
  readonly account: string
  readonly id: string
  readonly learned: readonly { readonly prompt: readonly string[][]; readonly answer: object }[]
}

/** What each model at the provider was taught, word for word. */
export async function learned({ simulatorUrl }: TestStack): Promise<Learned[]> {
  const answer = await fetch(`${simulatorUrl}/simulator/learned`)
  return ((await answer.json()) as { models: Learned[] }).models
}
