import fc from 'fast-check'
import { ProblemError } from '../../src/base/problem'
import { readForm } from '../../src/files/read-form'
import { wholeOf } from './files-parts'

const BOUNDARY = 'x1'
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`

const field = (name: string, value: string) =>
  Buffer.from(`--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
const file = (name: string, filename: string, content: Uint8Array) =>
  Buffer.concat([
    Buffer.from(
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"; filename="${filename}"\r\n` +
        'content-type: application/octet-stream\r\n\r\n',
    ),
    content,
    Buffer.from('\r\n'),
  ])
const end = Buffer.from(`--${BOUNDARY}--\r\n`)

/** A body in pieces that end where the numbers say, over and over. */
async function* cut(body: Buffer, sizes: readonly number[]) {
  for (let at = 0, n = 0; at < body.length; n++) {
    const size = sizes[n % sizes.length] ?? body.length
    yield body.subarray(at, at + size)
    at += size
  }
}

async function read(body: AsyncIterable<Uint8Array>, take: (name: string) => boolean = () => true) {
  const parts: unknown[] = []
  for await (const part of readForm(body, TYPE)) {
    if (part.kind === 'field') parts.push([part.name, part.value])
    else if (take(part.name)) parts.push([part.name, part.filename, (await wholeOf(part.content)).toString('latin1')])
  }
  return parts
}

/** Content that is full of what nearly divides parts. */
const tricky = fc
  .array(fc.constantFrom('\r', '\n', '-', 'x', '1', '\r\n--x', '\r\n--', 'a', '\r\n--x2'), { maxLength: 60 })
  .map((pieces) => pieces.join(''))
  .filter((text) => !`\r\n${text}\r\n`.includes(`\r\n--${BOUNDARY}`))
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })

it('a form is read the same, wherever its pieces are cut and whatever its files hold', async () => {
  await fc.assert(
    fc.asyncProperty(tricky, tricky, sizes, async (one, other, cuts) => {
      const body = [
        field('purpose', 'batch'),
        file('a', 'ä "b".txt'.replaceAll('"', '%22'), Buffer.from(one)),
        file('b', 'c', Buffer.from(other)),
        end,
      ]
      expect(await read(cut(Buffer.concat(body), cuts))).toEqual([
        ['purpose', 'batch'],
        ['a', 'ä "b".txt', one],
        ['b', 'c', other],
      ])
    }),
  )
})

it('a file that nobody reads, or that is read in part, is passed over', async () => {
  await fc.assert(
    fc.asyncProperty(tricky, sizes, fc.nat(2), async (content, cuts, piecesRead) => {
      const body = Buffer.concat([file('a', 'a', Buffer.from(content)), field('purpose', 'batch'), end])
      const fields: string[] = []
      for await (const part of readForm(cut(body, cuts), TYPE)) {
        if (part.kind === 'field') fields.push(part.name)
        else {
          let left = piecesRead
          if (left > 0) for await (const piece of part.content) if (piece.length >= 0 && --left === 0) break
        }
      }
      expect(fields).toEqual(['purpose'])
    }),
  )
})

it.each([
  ['no boundary in the type', 'multipart/form-data', end],
  ['JSON', 'application/json', Buffer.from('{}')],
  ['no type', null, end],
  ['another boundary', TYPE, Buffer.from('--y\r\n\r\n')],
  ['no body', TYPE, Buffer.alloc(0)],
  ['a part without an end', TYPE, file('a', 'a', Buffer.from('abc'))],
  ['a part without a name', TYPE, Buffer.concat([Buffer.from(`--${BOUNDARY}\r\nx-a: b\r\n\r\nc\r\n`), end])],
  ['an endless head', TYPE, Buffer.from(`--${BOUNDARY}\r\nx: ${'a'.repeat(20_000)}\r\n\r\nb\r\n--${BOUNDARY}--`)],
  ['an endless field', TYPE, Buffer.concat([field('purpose', 'a'.repeat(70_000)), end])],
  ['endless parts', TYPE, Buffer.concat([...Array.from({ length: 40 }, () => field('a', 'b')), end])],
])('what is no form is refused: %s', async (_, type, body) => {
  const reading = Array.fromAsync(readForm(cut(body, [1_000]), type))
  await expect(reading).rejects.toThrow(ProblemError)
  await expect(reading).rejects.toMatchObject({ problem: { code: 'invalid_request' } })
})

it('who stops in the midst of a form has taken the rest of its body', async () => {
  let taken = 0
  const body = Buffer.concat([file('a', 'a', Buffer.alloc(100_000, 'x')), end])
  const counted = async function* () {
    for await (const piece of cut(body, [1_000])) {
      taken += piece.length
      yield piece
    }
  }
  for await (const part of readForm(counted(), TYPE)) if (part.kind === 'file') break
  expect(taken).toBe(body.length)
})
