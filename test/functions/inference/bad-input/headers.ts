/** Headers that no client should send with a chat call that is right otherwise, and what it gets. */
export interface BadHeaders {
  readonly what: string
  /** Lines of the head, in Latin-1; `{key}` stands for a credential that is good. */
  readonly lines: readonly string[]
  /** Where the server in front of the app refuses it, there is no body. */
  readonly status: number
  readonly code?: string
}

/** Stands where it could be shown or logged. */
export const MARK = 'INJECTED7719'

const KEY = 'api-key: {key}'
const LONG = 10_000
/** More than any server takes in a head. */
const HUGE = 64 * 1024

const token = (head: object, claims: object) =>
  `authorization: Bearer ${[head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.x`

const refused = { status: 401, code: 'invalid_api_key' }

const credentials: readonly BadHeaders[] = [
  { what: 'a key of 10 KB', lines: [`api-key: ${MARK.repeat(LONG / MARK.length)}`], ...refused },
  { what: 'a key of 64 KB', lines: [`api-key: ${'x'.repeat(HUGE)}`], status: 431 },
  { what: 'a key in Latin-1', lines: [`api-key: ${MARK}\u00e9\u00ff`], ...refused },
  { what: 'a key with a tab in it', lines: [`api-key: tnk_\t${MARK}`], ...refused },
  { what: 'a key with a control character', lines: [`api-key: ${MARK}\u0001`], status: 400 },
  { what: 'a key with a NUL', lines: [`api-key: ${MARK}\u0000`], status: 400 },
  { what: 'a key twice', lines: [KEY, KEY], ...refused },
  { what: 'a key that is a path', lines: [`api-key: ../../${MARK}`], ...refused },
  { what: 'a key like a prototype', lines: ['api-key: __proto__'], ...refused },
  { what: 'two credentials', lines: [KEY, `authorization: Bearer ${MARK}`], status: 400, code: 'invalid_request' },
  { what: 'a bearer of 10 KB', lines: [`authorization: Bearer ${'x'.repeat(LONG)}`], ...refused },
  { what: 'a bearer of blanks', lines: [`authorization: Bearer ${' '.repeat(LONG)}x y`], ...refused },
  { what: 'a token that names no algorithm', lines: [token({ alg: 'none' }, { tid: MARK })], ...refused },
  {
    what: 'a token whose key is a path',
    lines: [token({ alg: 'RS256', kid: `../../${MARK}` }, { tid: MARK })],
    ...refused,
  },
  {
    what: 'a token that says where its keys are',
    lines: [token({ alg: 'RS256', jku: 'http://169.254.169.254/', x5u: 'file:///etc/passwd' }, { iss: MARK })],
    ...refused,
  },
  {
    what: 'a token of lists',
    lines: [token({ alg: ['RS256'], kid: [] }, { iss: [], tid: {}, oid: [MARK] })],
    ...refused,
  },
  { what: 'a token that is no JSON', lines: [`authorization: Bearer eyJ${MARK}.${MARK}.x`], ...refused },
  { what: 'a token of 12 KB', lines: [token({ alg: 'RS256' }, { a: 'x'.repeat(9_000) })], ...refused },
]

const ids: readonly BadHeaders[] = ['x-request-id', 'x-ms-client-request-id'].flatMap((name) => [
  { what: `${name} with line ends`, lines: [KEY, `${name}: a%0d%0aset-cookie: ${MARK}\\r\\nx: y`], status: 200 },
  { what: `${name} with a tag`, lines: [KEY, `${name}: "><script>${MARK}</script>`], status: 200 },
  { what: `${name} with a look-up`, lines: [KEY, `${name}: \${jndi:ldap://${MARK}/a}`], status: 200 },
  { what: `${name} in Latin-1`, lines: [KEY, `${name}: ${MARK}\u0085\u00e9`], status: 200 },
  { what: `${name} of 10 KB`, lines: [KEY, `${name}: ${'x'.repeat(LONG)}`], status: 200 },
  { what: `${name} of 64 KB`, lines: [KEY, `${name}: ${'x'.repeat(HUGE)}`], status: 431 },
  { what: `${name} twice`, lines: [KEY, `${name}: ${MARK}`, `${name}: b`], status: 200 },
  { what: `${name} that is folded`, lines: [KEY, `${name}: a`, ` ${MARK}: b`], status: 400 },
  { what: `${name} that is empty`, lines: [KEY, `${name}:`], status: 200 },
])

const bodies: readonly BadHeaders[] = [
  { what: 'a content type that is none', lines: [KEY, `content-type: ${MARK}/;;;=\u00e9`], status: 200 },
  { what: 'a content type of a form', lines: [KEY, 'content-type: multipart/form-data; boundary="'], status: 200 },
  { what: 'a content type of 10 KB', lines: [KEY, `content-type: ${'x'.repeat(LONG)}`], status: 200 },
  { what: 'a compressed body', lines: [KEY, 'content-encoding: gzip'], status: 415, code: 'unsupported_media_type' },
  {
    what: 'an unknown encoding',
    lines: [KEY, `content-encoding: ${MARK}`],
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: 'two encodings',
    lines: [KEY, 'content-encoding: identity, br'],
    status: 415,
    code: 'unsupported_media_type',
  },
  { what: 'the encoding that is none', lines: [KEY, 'content-encoding: Identity'], status: 200 },
  ...['-1', '+5', '0x10', '5, 5', MARK, '9'.repeat(20), '1e3'].map((length) => ({
    what: `another length, ${length}`,
    lines: [KEY, `content-length: ${length}`],
    status: 400,
  })),
  { what: 'a length and chunks', lines: [KEY, 'transfer-encoding: chunked'], status: 400 },
  { what: 'an unknown transfer', lines: [KEY, `transfer-encoding: ${MARK}`], status: 400 },
]

const others: readonly BadHeaders[] = [
  ...['x y', `${MARK}"><script>`, '[', 'a/../b', 'a@b', ''].map((host) => ({
    what: `the host "${host}"`,
    lines: [KEY, `host: ${host}`],
    status: 400,
  })),
  ...[
    `x-ms-invocation-id: ${MARK}`,
    `x-forwarded-for: ${MARK}, ' or 1 eq 1, ${'x'.repeat(LONG)}`,
    `x-forwarded-host: ${MARK}`,
    `x-forwarded-proto: ${MARK}`,
    `x-original-url: /api/platform/tenants`,
    `x-http-method-override: DELETE`,
    `traceparent: ${MARK}`,
    `traceparent: 00-${'z'.repeat(32)}-${'0'.repeat(16)}-ff`,
    `tracestate: ${`${MARK}=x,`.repeat(400)}`,
    `baggage: ${MARK}=\u00e9`,
    `x-functions-key: ${MARK}`,
    `x-ms-client-principal: ${MARK}`,
    `x-ms-client-principal-id: ${MARK}`,
    `x-tenantry-tenant: ten_01jcv9x2q3r4s5t6v7w8x9y0z1`,
    `x-tenantry-cache: ${MARK}`,
    `x-tenantry-priority: ${MARK}`,
    `azure-openai-deployment-utilization: 900%`,
    `retry-after-ms: ${MARK}`,
    `accept: ${MARK}/*;q=\u00e9`,
    `accept-encoding: ${MARK};q=9`,
    `range: bytes=9-1,${MARK}`,
    `if-none-match: *`,
    `idempotency-key: ${MARK}${'x'.repeat(1_000)}`,
    `cookie: ${MARK}=${'x'.repeat(1_000)}`,
    `__proto__: ${MARK}`,
    `constructor: ${MARK}`,
  ].map((line) => ({ what: line.slice(0, 60), lines: [KEY, line], status: 200 })),
  { what: 'an expectation that is none', lines: [KEY, `expect: ${MARK}`], status: 417 },
  { what: 'a change of protocol', lines: [KEY, 'upgrade: h2c', 'http2-settings: x'], status: 200 },
  { what: 'five hundred headers', lines: [KEY, ...Array.from({ length: 500 }, (_, n) => `x-${n}: ${n}`)], status: 200 },
  {
    what: 'ten thousand headers',
    lines: [KEY, ...Array.from({ length: 10_000 }, (_, n) => `x-${n}: ${n}`)],
    status: 431,
  },
  { what: 'a header without a colon', lines: [KEY, MARK], status: 400 },
  { what: 'a header without a name', lines: [KEY, `: ${MARK}`], status: 400 },
]

export const badHeaders: readonly BadHeaders[] = [...credentials, ...ids, ...bodies, ...others]
