import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'

export const usage = `Verifies a deletion certificate and prints what it says.

  npm run certificate:verify -- --file FILE --keys URL|FILE [--json]

  --file FILE   the certificate: the JWS itself, or the JSON that the platform answers with
  --keys …      the keys: https://platform.example/api/.well-known/tenantry-keys.json, or a file of it
  --json        prints only the certificate's content as JSON

Ends with 0 when the signature holds, 1 when it does not, 2 when it could not be verified.`

/** The command; its exit code. */
export async function certificateVerify(
  args: readonly string[],
  print: (line: string) => void,
  note: (line: string) => void,
): Promise<0 | 1 | 2> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        file: { type: 'string' },
        keys: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      print(usage)
      return 0
    }
    if (!values.file || !values.keys) throw new Error('--file and --keys are needed; --help says more')
    const keySet = createLocalJWKSet(await readKeys(values.keys))
    const content = await verified(readCertificate(values.file), keySet)
    if (content === undefined) {
      note('The signature does not hold: this certificate was changed, or signed by another key.')
      return 1
    }
    if (!values.json) print('The signature holds.')
    print(values.json ? content : JSON.stringify(JSON.parse(content), null, 2))
    return 0
  } catch (error) {
    note(`The certificate could not be verified: ${error instanceof Error ? error.message : String(error)}`)
    return 2
  }
}

async function verified(jws: string, keySet: ReturnType<typeof createLocalJWKSet>): Promise<string | undefined> {
  try {
    const { payload } = await compactVerify(jws, keySet, { algorithms: ['EdDSA'] })
    return Buffer.from(payload).toString()
  } catch {
    return undefined
  }
}

function readCertificate(file: string): string {
  const text = readFileSync(file, 'utf8').trim()
  return text.startsWith('{') ? (JSON.parse(text) as { certificate: string }).certificate : text
}

async function readKeys(from: string): Promise<JSONWebKeySet> {
  if (!/^https?:/.test(from)) return JSON.parse(readFileSync(from, 'utf8')) as JSONWebKeySet
  const answer = await fetch(from)
  if (!answer.ok) throw new Error(`${from} answered ${answer.status}`)
  return (await answer.json()) as JSONWebKeySet
}

if (require.main === module) {
  void certificateVerify(
    process.argv.slice(2),
    (line) => void process.stdout.write(`${line}\n`),
    (line) => void process.stderr.write(`${line}\n`),
  ).then((code) => process.exit(code))
}
