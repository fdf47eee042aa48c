import { parseArgs } from 'node:util'
import { directories, PLATFORM_CLIENT_ID, SIMULATED_SECRET, findDirectory } from './simulator/entra/directories'

const usage = `Signs in at the simulated Entra and prints an access token for the platform.

  npm run --silent token -- --directory NAME (--user NAME | --application NAME) [options]

  --directory NAME     ${directories.map(({ name }) => name).join(', ')}; or a directory's id
  --user NAME          for example olga of platform, ann (owner) or vic (viewer) of acorn
  --application NAME   for example service of acorn
  --simulator URL      (http://localhost:7072)
  --json               prints the token endpoint's whole answer
  --list               prints who is in which directory with which roles
`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      directory: { type: 'string' },
      user: { type: 'string' },
      application: { type: 'string' },
      simulator: { type: 'string', default: 'http://localhost:7072' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return print(usage)
  if (values.list) return print(list())
  const directory = findDirectory(values.directory ?? '')
  if (!directory) return fail(`--directory must be one of ${directories.map(({ name }) => name).join(', ')}`)
  const application = directory.applications.find(({ name }) => name === values.application)
  if (!values.user && !application) return fail('--user or --application is needed; --list shows who there is')

  const form = new URLSearchParams({
    scope: `${PLATFORM_CLIENT_ID}/.default`,
    client_id: application?.clientId ?? PLATFORM_CLIENT_ID,
    ...(application
      ? { grant_type: 'client_credentials', client_secret: SIMULATED_SECRET }
      : { grant_type: 'password', username: values.user ?? '', password: SIMULATED_SECRET }),
  })
  const answer = await fetch(`${values.simulator}/entra/${directory.id}/oauth2/v2.0/token`, {
    method: 'POST',
    body: form,
  })
  const body = (await answer.json()) as { access_token?: string; error_description?: string }
  if (!body.access_token) return fail(body.error_description ?? `the token endpoint answered ${answer.status}`)
  return print(values.json ? `${JSON.stringify(body, null, 2)}\n` : `${body.access_token}\n`)
}

function list(): string {
  return directories
    .flatMap(({ id, name, users, applications }) => [
      `${name}  ${id}`,
      ...[...users, ...applications].map((who) => `  ${who.name.padEnd(10)} ${who.objectId}  ${who.roles.join(', ')}`),
    ])
    .join('\n')
    .concat('\n')
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function fail(text: string): number {
  process.stderr.write(`${text}\n`)
  return 2
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}; is the simulator running?\n`)
    process.exit(1)
  },
)
