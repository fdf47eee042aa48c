import { createHash } from 'node:crypto'

export interface ArchiveFile {
  readonly name: string
  readonly content: AsyncIterable<Uint8Array>
}

/** A zip archive, made while it is read; its last file, `manifest.json`, has the SHA-256 and size of every other. */
export async function* zipOf(files: AsyncIterable<ArchiveFile>): AsyncGenerator<Uint8Array> {
  // Exports are rare, and its tables are made when it is loaded.
  const { Zip, ZipDeflate } = await import('fflate')
  const ready: Uint8Array[] = []
  let failure: Error | undefined
  const zip = new Zip((error, chunk) => {
    if (error) failure = error
    else ready.push(chunk)
  })
  const take = () => {
    if (failure) throw failure
    return ready.splice(0)
  }
  const manifest: { name: string; bytes: number; sha256: string }[] = []
  for await (const { name, content } of files) {
    const entry = new ZipDeflate(name)
    zip.add(entry)
    const digest = createHash('sha256')
    let bytes = 0
    for await (const chunk of content) {
      digest.update(chunk)
      bytes += chunk.length
      entry.push(chunk)
      yield* take()
    }
    entry.push(new Uint8Array(0), true)
    yield* take()
    manifest.push({ name, bytes, sha256: digest.digest('hex') })
  }
  const last = new ZipDeflate('manifest.json')
  zip.add(last)
  last.push(Buffer.from(JSON.stringify({ files: manifest }, null, 2)), true)
  zip.end()
  yield* take()
}
