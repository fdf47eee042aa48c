import type { JsonSchema } from '../../../src/http/openapi-document'

/** Text at the bounds of a schema, and beside them. */
interface TextExamples {
  readonly taken: readonly string[]
  readonly refused: readonly string[]
}

/** Undefined for text that is bound by its length alone. Throws for a pattern or format that has no examples yet. */
export function textExamples({ pattern, description, format }: JsonSchema): TextExamples | undefined {
  const keys = [pattern, description, format].filter((key) => key !== undefined)
  const found = keys.map((key) => examples[key]).find((each) => each !== undefined)
  if (found || (pattern === undefined && format === undefined)) return found
  throw new Error(`text-examples.ts needs examples of ${String(pattern ?? format)}`)
}

const a = (count: number) => 'a'.repeat(count)
const guid = 'aaaaaaaa-0000-4000-8000-00000000000a'
const group = `/subscriptions/${guid}/resourceGroups`
const account = 'providers/Microsoft.CognitiveServices/accounts'
const otherGuids = ['', 'guid', `${guid}0`, guid.slice(1), guid.replaceAll('-', ''), `{${guid}}`, ` ${guid}`]

const idOf = (prefix: string, mark = '_'): TextExamples => ({
  // Whether there is such a thing is another question: see the rules of each operation.
  taken: [`${prefix}${mark}${'0'.repeat(26)}`, `${prefix}${mark}${'z'.repeat(26)}`],
  refused: [
    '',
    `${prefix}${mark}`,
    `${prefix}${mark}${'0'.repeat(25)}`,
    `${prefix}${mark}${'0'.repeat(27)}`,
    `xxx_${'0'.repeat(26)}`,
  ].concat(['u', 'i', 'A', '/'].map((letter) => `${prefix}${mark}${'0'.repeat(25)}${letter}`)),
})

export const regionPattern = '^[a-z][a-z0-9-]{0,39}$'

/** By pattern; by description, or by format, where a schema has no pattern. */
const examples: Readonly<Record<string, TextExamples>> = {
  [regionPattern]: {
    taken: ['a', `a${'0'.repeat(39)}`, 'sweden-central'],
    refused: ['', a(41), 'SwedenCentral', '1a', '-a', 'a b', 'a\n', 'ä'],
  },
  // Names of days, weeks and months.
  '^\\d{4}-(\\d{2}-\\d{2}|W\\d{2}|\\d{2})$': {
    taken: ['2026-01', '2024-02-29', '2026-W53'],
    refused: ['', '2026', '2026-13', '2026-02-30', '2026-W54', '2026-1', '26-01', '2026-01-1', ' 2026-01'],
  },
  // Months that have begun.
  '^\\d{4}-(?:0[1-9]|1[0-2])$': {
    taken: ['2026-01', '2025-12'],
    refused: ['', '2026', '2026-00', '2026-13', '2026-1', '26-01', ' 2026-01', '2026-01-01'],
  },
  // Kinds of notices.
  '^[a-z][a-z0-9-]{0,63}$': {
    taken: ['a', a(64), 'sla-burn-2'],
    refused: ['', a(65), 'A', '1a', '-a', 'a b', 'a_b', 'ä'],
  },
  '^([01]\\d|2[0-3]):[0-5]\\d$': {
    taken: ['00:00', '23:59'],
    refused: ['', '24:00', '7:00', '07:60', '07:00:00', 'noon'],
  },
  // Where the next page of alerts, and of dead letters, begins.
  '^[a-z0-9_-]+$': { taken: ['a', a(200), 'live-1-0'], refused: ['', a(201), 'A', 'a b', 'a/b'] },
  '^dead-\\d{13}-ten_[0-9a-z]{26}-dlv_[0-9a-f]{40}$': {
    taken: [`dead-${'0'.repeat(13)}-ten_${'0'.repeat(26)}-dlv_${'0'.repeat(40)}`],
    refused: ['', 'dead-', `dead-${'0'.repeat(13)}-ten_${'0'.repeat(26)}-dlv_${'g'.repeat(40)}`],
  },
  // Names of aliases and of deployments.
  '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$': {
    taken: ['a', '0', a(64), 'A.b_c-d'],
    refused: ['', a(65), '.a', '-a', '_a', 'a/b', 'a b', 'a\n', 'ä'],
  },
  '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$': {
    taken: ['0', a(100), 'a/b:c.d_e-f'],
    refused: ['', a(101), '/a', '.a', 'a b', 'a\n', 'a\\b'],
  },
  '^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$': { taken: ['1', a(32), '2025-04-14'], refused: ['', a(33), '-1', '1 2', '1/2'] },
  '^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$': {
    taken: ['a', a(40), 'a-1'],
    refused: ['', a(41), 'A', '1', 'a-', '-a', 'a_b', 'a/b', 'a.b'],
  },
  '^(\\d{4}-\\d{2}-\\d{2}(-preview)?|v1|preview|latest)$': {
    taken: ['2024-10-21', '2024-10-21-preview', 'v1', 'preview', 'latest'],
    refused: ['', '2024-10-2', '2024-10-211', '2024-10-21-beta', 'v2', 'v11'],
  },
  '^(?:AZURE_OPENAI_API_KEY|OPENAI_API_KEY|TENANTRY_BACKEND_KEY_[A-Z0-9_]{1,80})$': {
    taken: [
      'AZURE_OPENAI_API_KEY',
      'OPENAI_API_KEY',
      'TENANTRY_BACKEND_KEY_A',
      `TENANTRY_BACKEND_KEY_${'A'.repeat(80)}`,
    ],
    refused: ['', 'TENANTRY_BACKEND_KEY_', `TENANTRY_BACKEND_KEY_${'A'.repeat(81)}`, 'TENANTRY_KEY_PEPPER', 'PATH'],
  },
  '^\\/subscriptions\\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\\/resourceGroups\\/[\\w.()-]{1,90}$': {
    taken: [`${group}/g`, `${group}/${a(90)}`],
    refused: [
      '',
      `${group}/`,
      `${group}/${a(91)}`,
      `${group}/a/b`,
      '/subscriptions/1/resourceGroups/g',
      group.slice(1),
    ],
  },
  '^\\/subscriptions\\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\\/resourceGroups\\/[\\w.()-]{1,90}\\/providers\\/Microsoft\\.CognitiveServices\\/accounts\\/[A-Za-z0-9][A-Za-z0-9.-]{0,63}$':
    accountIds([`${group}/g/${account}/a`, `${group}/${a(90)}/${account}/${a(64)}`]),
  '^\\/subscriptions\\/[0-9a-f-]{36}\\/resourceGroups\\/[\\w.()-]{1,90}\\/providers\\/Microsoft\\.CognitiveServices\\/accounts\\/[A-Za-z0-9][A-Za-z0-9.-]{0,63}$':
    accountIds([`${group}/g/${account}/a`, `${group}/${a(90)}/${account}/${a(64)}`]),
  '^[\\x21-\\x7e]+$': { taken: ['!', '~', a(1_000)], refused: ['', a(1_001), 'a b', 'a\n', 'ä', '\u007f'] },
  'Must be an https:// URL (http:// too for this machine) without query, fragment and credentials': {
    taken: [
      'https://a',
      urlOf(200),
      `${urlOf(199)}/`,
      'http://localhost:1',
      'http://127.0.0.1:8080/v1',
      'http://[::1]/',
    ],
    refused: [
      '',
      'sweden',
      'https://',
      urlOf(201),
      `${urlOf(200)}/`,
      'http://a',
      'ftp://a',
      'https://a?b',
      'https://a#b',
    ].concat(['https://a:b@c', 'http://localhost.example', 'http://127.0.0.1.example']),
  },
  'Must be the https:// address of an Azure OpenAI account, such as "https://contoso.openai.azure.com"': {
    taken: [
      `https://${a(63)}.openai.azure.com`,
      'https://a.cognitiveservices.azure.us',
      'https://a.services.ai.azure.com/',
    ],
    refused: [
      '',
      'contoso',
      `https://${a(64)}.openai.azure.com`,
      'http://a.openai.azure.com',
      'https://openai.azure.com',
    ].concat([
      'https://a.openai.azure.com.example',
      'https://a.openai.azure.com?b',
      `https://a.openai.azure.com/${a(200)}`,
    ]),
  },
  '^bke_[0-9a-hjkmnp-tv-z]{26}$': idOf('bke'),
  '^file-[0-9a-hjkmnp-tv-z]{26}$': idOf('file', '-'),
  '^ftjob-[0-9a-hjkmnp-tv-z]{26}$': idOf('ftjob', '-'),
  '^mdl_[0-9a-hjkmnp-tv-z]{26}$': idOf('mdl'),
  '^dts_[0-9a-hjkmnp-tv-z]{26}$': idOf('dts'),
  '^upl_[0-9a-hjkmnp-tv-z]{26}$': idOf('upl'),
  // Names of files.
  '^[^\\u0000-\\u001f\\u007f]*$': {
    taken: ['a', a(512), 'Schulung “neu”.jsonl', '../../etc/passwd'],
    refused: ['', a(513), 'a\n', 'a\u0000b', '\u007f'],
  },
  '^shm_[0-9a-hjkmnp-tv-z]{26}$': idOf('shm'),
  // Names of purposes.
  '^[a-z0-9][a-z0-9-]{0,59}$': {
    taken: ['a', '0', a(60), 'a-1-'],
    refused: ['', a(61), '-a', 'A', 'a_b', 'a/b', 'a\n'],
  },
  // Suffixes of tuned models.
  '^[A-Za-z0-9_-]{1,40}$': { taken: ['a', '-', a(40), 'A_1'], refused: ['', a(41), 'a.b', 'a b', 'a\n', 'ä'] },
  '^ten_[0-9a-hjkmnp-tv-z]{26}$': idOf('ten'),
  '^stm_[0-9a-hjkmnp-tv-z]{26}$': idOf('stm'),
  '^crd_[0-9a-hjkmnp-tv-z]{26}$': idOf('crd'),
  '^inc_[0-9a-hjkmnp-tv-z]{26}$': idOf('inc'),
  '^mnt_[0-9a-hjkmnp-tv-z]{26}$': idOf('mnt'),
  '^key_[0-9a-hjkmnp-tv-z]{26}$': idOf('key'),
  'Where what is made for the tenant is made; alone, it takes along what was made elsewhere.': idOf('stm'),
  '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}~[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$': {
    taken: [`${guid}~${guid}`],
    refused: ['', guid, `${guid}~`, `~${guid}`, `${guid}~${guid}0`, `${guid}-${guid}`],
  },
  // Months.
  '^\\d{4}-(0[1-9]|1[0-2])$': {
    taken: ['2025-12', '2026-01'],
    refused: ['', '2026', '2026-1', '2026-00', '2026-13', '2026-01-01', '26-01'],
  },
  email: {
    taken: ['a@b.co', `${a(242)}@contoso.com`],
    refused: ['', 'nobody', '@b.co', 'a@', 'a@b', 'a b@c.co', 'a@b.co\n', 'a@b@c.co', `${a(243)}@contoso.com`],
  },
  uuid: { taken: [guid, guid.toUpperCase()], refused: otherGuids },
  date: {
    taken: ['2026-02-01', '2026-12-31'],
    refused: ['', 'today', '2026-02-30', '2026-2-1', '2026-02-01T00:00:00Z', '2019-12-31', '2100-01-01'],
  },
  'date-time': {
    taken: ['2027-01-31T00:00:00Z', '2027-01-31T00:00:00.123+02:00', '9999-12-31T23:59:59Z'],
    refused: ['', 'tomorrow', '2027-01-31', '2027-01-31T00:00:00', '2027-02-30T00:00:00Z', '2027-01-31T24:00:00Z'],
  },
}

function accountIds(taken: readonly string[]): TextExamples {
  const refused = [
    '',
    `${group}/g`,
    `${group}/g/${account}/`,
    `${group}/g/${account}/${a(65)}`,
    `${group}/g/${account}/-a`,
  ]
  return {
    taken,
    refused: [...refused, `${group}/${a(91)}/${account}/a`, `${group}/g/providers/Microsoft.Web/sites/a`],
  }
}

function urlOf(length: number): string {
  return `https://a/${a(length - 'https://a/'.length)}`
}
