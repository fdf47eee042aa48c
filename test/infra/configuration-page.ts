import { z } from 'zod'
import { BACKEND_KEY_SETTING } from '../../src/base/backend-key-setting'
import { environment } from '../../src/config'

/** docs/configuration.md, made of the schema that reads the settings (src/config.ts). */
export function configurationPage(): string {
  const rows = Object.entries(environment.shape).map(([name, schema]) => rowOf(name, schema))
  return `${HEAD}\n${rows.join('\n')}\n${backendKeys}\n${FOOT}`
}

const HEAD = `# Settings

Read once at start (\`src/config.ts\`); what is faulty is told together, each by its name and what would be valid. An empty value is no value.
This page is made of that file: \`npm run docs:configuration\`.

| Setting | What it means | Valid | Without it |
|---|---|---|---|`

const FOOT = `
On Azure the templates set what an installation needs (\`infra/modules/function-app.bicep\`); anything else goes there by the parameter
\`furtherSettings\`. Of the settings only \`TENANTRY_KEY_PEPPER\`, \`AZURE_CLIENT_SECRET\` and the keys of model backends are secrets: there they
are Key Vault references (\`@Microsoft.KeyVault(VaultName=…;SecretName=…)\`). A connection string with a key is for one machine.
`

const backendKeys = row({
  name: patternOf(BACKEND_KEY_SETTING),
  meaning:
    'A key of a model backend, which names the setting. Of the operators’ own accounts; tenants hand theirs over.',
  valid: 'text',
  without: '',
})

function rowOf(name: string, schema: z.ZodType): string {
  const absent = schema.safeParse(undefined)
  const without = absent.success ? defaultText(absent.data) : '**must be set**'
  return row({ name: `\`${name}\``, meaning: schema.description ?? '', valid: validText(schema), without })
}

const defaultText = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? `\`${String(value)}\`` : ''

/** What the app itself answers to what cannot be right. */
function validText(schema: z.ZodType): string {
  const wrong = schema.safeParse('\u0000')
  return wrong.success ? 'text' : (wrong.error.issues[0]?.message ?? '')
}

function patternOf({ source }: RegExp): string {
  const names = source
    .replace(/^\^\(\?:/, '')
    .replace(/\)\$$/, '')
    .split('|')
  return names.map((name) => `\`${name.replace(/\[.*$/, '…')}\``).join(', ')
}

function row(cells: { name: string; meaning: string; valid: string; without: string }): string {
  const { name, meaning, valid, without } = cells
  return `| ${[name, meaning, valid, without].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
