import { createHash, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { unzipSync } from 'fflate'
import { systemChance } from '../../src/base/chance'
import { ArchiveError, decryptArchive, encryptArchive } from '../../src/offboarding/archive-cipher'
import { zipOf } from '../../src/offboarding/zip'

const FRAME = 4 + 64 * 1024 + 16
const HEAD = 5 + 7
const key = randomBytes(32)

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}
const sealed = (plain: Uint8Array, size = 10_000) => whole(encryptArchive(key, systemChance(), chunksOf(plain, size)))
const opened = (bytes: Uint8Array, by = key, size = 9_999) => whole(decryptArchive(by, chunksOf(bytes, size)))

describe('an encrypted archive', () => {
  it('opens to what it was made of, however the bytes come', async () => {
    const frames = fc.constantFrom(0, 1, 65_535, 65_536, 65_537, 131_072, 200_000)
    const sizes = fc.constantFrom(1_000, 65_536, 300_000)
    await fc.assert(
      fc.asyncProperty(frames, sizes, sizes, async (length, writing, reading) => {
        const plain = randomBytes(length)
        expect((await opened(await sealed(plain, writing), key, reading)).equals(plain)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  const frames = (archive: Buffer) => [0, 1, 2].map((n) => archive.subarray(HEAD + n * FRAME, HEAD + (n + 1) * FRAME))
  const changes: [string, (archive: Buffer) => Buffer][] = [
    ['cut within a frame', (archive) => archive.subarray(0, -1)],
    ['cut between two frames', (archive) => archive.subarray(0, HEAD + FRAME)],
    ['cut to nothing', (archive) => archive.subarray(0, HEAD)],
    [
      'reordered',
      (archive) => Buffer.concat([archive.subarray(0, HEAD), ...[1, 0, 2].map((n) => frames(archive)[n] ?? archive)]),
    ],
    [
      'one frame shorter in the middle',
      (archive) => Buffer.concat([archive.subarray(0, HEAD), ...[0, 2].map((n) => frames(archive)[n] ?? archive)]),
    ],
    ['added to', (archive) => Buffer.concat([archive, frames(archive)[2] ?? archive])],
    ['of another kind', (archive) => Buffer.concat([Buffer.from('PK\u0003\u0004'), archive])],
    [
      'given a length beyond any frame',
      (archive) => Buffer.concat([archive.subarray(0, HEAD), Buffer.alloc(4, 0xff), archive.subarray(HEAD + 4)]),
    ],
  ]
  it.each(changes)('does not open when it was %s', async (_, change) => {
    const archive = await sealed(randomBytes(150_000))
    await expect(opened(change(archive))).rejects.toThrow(ArchiveError)
  })

  it('does not open with any bit changed, nor by another key', async () => {
    const archive = await sealed(randomBytes(300))
    for (let at = 0; at < archive.length; at += 7) {
      const changed = Buffer.from(archive)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      await expect(opened(changed)).rejects.toThrow(ArchiveError)
    }
    await expect(opened(archive, randomBytes(32))).rejects.toThrow(ArchiveError)
  })
})

describe('the zip in it', () => {
  it('has every file whole, and a manifest with the SHA-256 and size of each', async () => {
    const contents = {
      'empty.json': Buffer.alloc(0),
      'small.json': Buffer.from('{}'),
      'large.jsonl': randomBytes(400_000),
    }
    const files = async function* () {
      for (const [name, content] of Object.entries(contents)) yield { name, content: chunksOf(content, 30_000) }
    }
    const { 'manifest.json': manifest, ...unzipped } = unzipSync(await whole(zipOf(files())))
    expect(Object.keys(unzipped)).toEqual(Object.keys(contents))
    for (const [name, content] of Object.entries(contents))
      expect(content.equals(unzipped[name] ?? Buffer.from('-'))).toBe(true)
    expect(JSON.parse(Buffer.from(manifest ?? []).toString())).toEqual({
      files: Object.entries(contents).map(([name, content]) => ({
        name,
        bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      })),
    })
  })

  it('is not ended as if it were whole when a file breaks off', async () => {
    const files = async function* () {
      yield {
        name: 'a.json',
        content: (async function* () {
          yield Buffer.from('half')
          throw new Error('storage is gone')
        })(),
      }
    }
    await expect(whole(zipOf(files()))).rejects.toThrow('storage is gone')
  })
})
