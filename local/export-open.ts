import { createReadStream, createWriteStream, renameSync, rmSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { ArchiveError, decryptArchive } from '../src/offboarding/archive-cipher'

const usage = `Opens the encrypted archive of a tenant's export.

  npm run export:open -- --file FILE --key KEY --out FILE.zip

  --file FILE   the archive as it was fetched
  --key KEY     what the one-time link showed
  --out FILE    where the zip goes; its manifest.json has the SHA-256 of every other file

Ends with 0 when the archive is whole and unchanged, 1 when it is not, 2 when it could not be read.`

async function main(): Promise<0 | 1> {
  const { values } = parseArgs({
    options: {
      file: { type: 'string' },
      key: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const { file, key, out } = values
  if (!file || !key || !out) throw new Error('--file, --key and --out are needed; --help says more')
  // Under its name only once the last frame has proved that it is whole.
  const partial = `${out}.partial`
  try {
    const plain = decryptArchive(Buffer.from(key, 'base64url'), createReadStream(file))
    await pipeline(plain, createWriteStream(partial, { mode: 0o600 }))
  } catch (error) {
    rmSync(partial, { force: true })
    if (!(error instanceof ArchiveError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
  renameSync(partial, out)
  process.stdout.write(`${out}\n`)
  return 0
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`The archive could not be read: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(2)
  },
)
