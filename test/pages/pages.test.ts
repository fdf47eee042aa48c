import type { Browser, BrowserContextOptions } from 'playwright-core'
import type { OpenApiDocument } from '../../src/http/openapi-document'
import { openApiPage, openApiPageHeaders } from '../../src/http/openapi-page'
import { openBrowser } from './browser'
import { addFrame, colors, letterHeights, takeOver, wideParts } from './in-page'
import { faultsOf, focusAfter, SCREENS, sheetsOf, watch } from './page-checks'
import { hostileName, hostileTitle, reportedMonth } from './reported-month'

let browser: Browser
let month: Awaited<ReturnType<typeof reportedMonth>>
beforeAll(async () => {
  ;[browser, month] = await Promise.all([openBrowser(), reportedMonth()])
})
afterAll(async () => {
  await browser.close()
  await month.server.close()
})

const REPORT = '/api/tenant/sla?month=2026-10&format=html'
const DOCS = '/api/docs'

/** A page of its own in the given circumstances, gone when the test is over. */
async function open(path: string, circumstances: BrowserContextOptions = {}) {
  const context = await browser.newContext({ extraHTTPHeaders: { 'api-key': month.apiKey }, ...circumstances })
  const page = await context.newPage()
  const seen = watch(page)
  const url = month.server.url + path
  return {
    page,
    seen,
    url,
    answer: await page.goto(url),
    [Symbol.asyncDispose]: () => context.close(),
  }
}

/** The API's page with four operations: everything that it is made of, at a size that can be looked at element by element. */
async function openShortDocs(circumstances: BrowserContextOptions = {}) {
  const document: OpenApiDocument = (await month.server.send('GET', '/api/openapi.json')).body
  const kept = ['/openai/v1/files/{id}', '/api/tenant/keys']
  const paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => kept.includes(path)))
  const opened = await open('/health', circumstances)
  await opened.page.route('**/api/docs', (route) =>
    route.fulfill({ body: openApiPage({ ...document, paths }), headers: openApiPageHeaders }),
  )
  await opened.page.goto(month.server.url + DOCS)
  expect(await opened.page.locator('article').count()).toBe(4)
  return opened
}

const pages = [
  { path: REPORT, look: (screen: BrowserContextOptions) => open(REPORT, screen), sheetsMax: 3 },
  { path: DOCS, look: openShortDocs, sheetsMax: 12 },
]

describe.each(pages)('the page $path', ({ path, look, sheetsMax }) => {
  it('asks for nothing but itself, and the browser has nothing to complain of', async () => {
    await using opened = await open(path, { viewport: { width: 360, height: 900 } })
    expect(opened.answer?.status()).toBe(200)
    expect(opened.seen).toEqual({ requests: [opened.url], complaints: [] })
    expect(opened.answer?.headers()).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
    expect(await opened.page.evaluate(wideParts)).toEqual([])
  })

  it('lets in no script, no style, no picture and no form, even if somebody got them into its text', async () => {
    await using opened = await look({})
    const { forbidden, color } = await opened.page.evaluate(takeOver)
    expect(forbidden).toEqual(
      expect.arrayContaining(['form-action', 'img-src', 'script-src-elem', 'style-src-attr', 'style-src-elem']),
    )
    expect(color).not.toBe('rgb(1, 2, 3)')
    expect(await opened.page.title()).not.toBe('taken')
    for (const url of opened.seen.requests) expect(url).toContain(month.server.url)
  })

  it('cannot be framed', async () => {
    await using opened = await open('/health')
    await opened.page.evaluate(addFrame, path)
    expect(opened.seen.complaints.join('\n')).toContain('frame-ancestors')
  })

  it.each(SCREENS)('fits a $colorScheme screen of $viewport.width px and can be read by everybody', async (screen) => {
    await using opened = await look(screen)
    const { page } = opened
    for (const summary of (await page.locator('summary').all()).slice(0, 5)) await summary.click()
    expect(await page.evaluate(wideParts)).toEqual([])
    const { paper } = await page.evaluate(colors)
    expect(paper).toBe(screen.colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 26)')
    expect(await faultsOf(page)).toEqual([])
  })

  it('shows where the keyboard is', async () => {
    await using opened = await look({})
    for (const focus of await focusAfter(opened.page, 3))
      expect(focus).toEqual({ name: expect.stringMatching(/^(?:a|summary)$/), isMarked: true, isSeen: true })
  })

  it('is printed black on A4, nothing cut off, from a dark screen too', async () => {
    await using opened = await look({ colorScheme: 'dark' })
    const { page } = opened
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    // A sheet's 210 mm, less the margins.
    await page.setViewportSize({ width: Math.floor((174 / 25.4) * 96), height: 900 })
    expect(await page.evaluate(wideParts)).toEqual([])
    expect((await page.evaluate(colors)).ink).toBe('rgb(27, 31, 36)')
    expect(await sheetsOf(page)).toBeLessThanOrEqual(sheetsMax)
  })
})

describe('a month’s report', () => {
  it('shows names and titles as the text that they are, and what stands behind them where it belongs', async () => {
    await using opened = await open(REPORT)
    const { page } = opened
    const [name, title] = [page.locator('bdi').first(), page.locator('bdi', { hasText: 'onerror' })]
    expect(await name.textContent()).toBe(hostileName)
    expect(await title.textContent()).toBe(hostileTitle)
    expect(await page.locator('script, img').count()).toBe(0)
    // Letters that run from right to left, or a mark that turns them, must not draw the tenant's id into the name.
    const [nameBox, idBox] = [await name.boundingBox(), await page.getByText(month.tenantId).boundingBox()]
    expect(idBox?.x).toBeGreaterThanOrEqual((nameBox?.x ?? 0) + (nameBox?.width ?? Infinity))
  })

  it('has letters in its pictures that can be read on a telephone', async () => {
    await using opened = await open(REPORT, { viewport: { width: 360, height: 900 } })
    const heights = await opened.page.locator('.chart text').evaluateAll(letterHeights)
    expect(heights.length).toBeGreaterThan(5)
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(11)
  })

  it('is of the month’s calls', async () => {
    await using opened = await open(REPORT)
    const row = opened.page.locator('tbody tr').first()
    // 400 calls on ten days; 80 of them came in during a maintenance, and 16 of the others failed.
    expect(await row.innerText()).toMatch(/Missed\s+95 %\s+320\s+16\s/)
  })
})
