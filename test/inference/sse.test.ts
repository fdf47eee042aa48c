import fc from 'fast-check'
import { hasData, isEvent, looksLikeJson, WholeEvents, withLineFeeds } from '../../src/inference/sse'

const KB = 1024

/** The same bytes as the network may cut them. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const edges = [0, ...at.map((edge) => edge % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
}

async function fed(pieces: readonly Buffer[]): Promise<string> {
  const left = [...pieces]
  const body = withLineFeeds({ next: async () => left.shift(), readable: async () => {}, cancel: () => {} })
  const got: Buffer[] = []
  for (let piece = await body.next(); piece; piece = await body.next()) got.push(piece)
  return Buffer.concat(got).toString()
}

const cuts = fc.array(fc.nat(4 * KB), { maxLength: 30 })

it('lines end in LF however they ended, wherever they were cut', async () => {
  const line = fc.tuple(
    fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, '')),
    fc.constantFrom('\n', '\r\n', '\r'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line), cuts, async (lines, at) => {
      // A line that ends in CR before an empty one that ends in LF would be one line that ends in CRLF.
      fc.pre(lines.every(([, end], n) => !(end === '\r' && lines[n + 1]?.[0] === '' && lines[n + 1]?.[1] === '\n')))
      const bytes = Buffer.from(lines.map(([text, end]) => text + end).join(''))
      expect(await fed(cut(bytes, at))).toBe(lines.map(([text]) => `${text}\n`).join(''))
    }),
  )
})

describe('whole events', () => {
  it('are the same bytes, cut behind empty lines only, and nothing of them is lost', () => {
    const text = fc
      .array(fc.constantFrom('a', 'data: x', '\n', '\n\n', '\n\n\n'), { maxLength: 40 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(text, cuts, (all, at) => {
        const events = new WholeEvents(KB)
        const pieces = cut(Buffer.from(all), at).map((piece) => events.take(piece).toString())
        for (const piece of pieces) expect(piece === '' || piece.endsWith('\n\n')).toBe(true)
        const before = pieces.join('')
        const rest = events.finish().toString()
        expect(before + rest).toBe(rest === '' ? all : `${all}\n\n`)
        // Each came as soon as it was whole.
        expect(rest.slice(0, -2)).not.toContain('\n\n')
      }),
    )
  })

  it('hold an event of many small pieces in time that grows with its length, and no more than the bound', () => {
    const events = new WholeEvents(8 * KB * KB)
    for (let n = 0; n < 100_000; n++) expect(events.take(Buffer.from('x'.repeat(60)))).toHaveLength(0)
    expect(events.take(Buffer.from('\n\n'))).toHaveLength(6_000_002)
    const bounded = new WholeEvents(KB)
    bounded.take(Buffer.alloc(KB, 'x'))
    expect(() => bounded.take(Buffer.from('x'))).toThrow('not an event stream')
  })
})

describe('an event', () => {
  it.each([
    'data: {}\n\n',
    'data:{}\n\n',
    ': x\n\n',
    ':\n\n',
    'event: a\n\n',
    'id: 1\n\n',
    'retry: 1\n\n',
    '\n\n',
    '\n',
  ])('begins with a field or says nothing: %j', (event) => expect(isEvent(event)).toBe(true))

  it.each(['<html>\n\n', 'x\n\n', 'HTTP/1.1 500 x\n\n', '{"a":1}\n\n', '\0\n\n', 'database\n\n'])('is no %j', (event) =>
    expect(isEvent(event)).toBe(false),
  )

  it.each([
    'data: {"a":1}\n\n',
    'data:{"a":1}\n\n',
    'data:  {"a":1}  \n\n',
    'data: [DONE]\n\n',
    'event: a\ndata: {"a":1}\n\n',
    'data: {"a":1}\nid: 1\n\n',
    'data: {"a":\ndata: 1}\n\n',
  ])('can hold what streams carry: %j', (event) => {
    expect(hasData(event) && looksLikeJson(event)).toBe(true)
  })

  it.each([
    'data: {"a":\n\n',
    'data: "a"}\n\n',
    'data: "a"\n\n',
    'data: \n\n',
    'data: {\n\n',
    'data: {"a":"\0"}\n\n',
    'event: a\ndata: <p>\n\n',
  ])('cannot hold %j', (event) => {
    expect(hasData(event) && !looksLikeJson(event)).toBe(true)
  })
})
