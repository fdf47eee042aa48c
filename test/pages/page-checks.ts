import axe from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { focused } from './in-page'

/** A telephone in the dark and a desk by day: what is wide does not depend on colours, nor these on the width. */
export const SCREENS: Pick<BrowserContextOptions, 'viewport' | 'colorScheme'>[] = [
  { viewport: { width: 360, height: 900 }, colorScheme: 'dark' },
  { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
]

/** Everything that the page got leave to ask for, and every complaint of the browser's. */
export function watch(page: Page): { readonly requests: string[]; readonly complaints: string[] } {
  const seen = { requests: [] as string[], complaints: [] as string[] }
  page.on('requestfinished', (request) => seen.requests.push(request.url()))
  page.on('requestfailed', (request) => {
    if (request.failure()?.errorText !== 'csp') seen.requests.push(request.url())
  })
  page.on('console', (message) => seen.complaints.push(message.text()))
  page.on('pageerror', (error) => seen.complaints.push(error.message))
  return seen
}

/** What axe finds against WCAG AA and good practice, contrast included. */
export async function faultsOf(page: Page): Promise<string[]> {
  // By the debugger, which the page's policy does not bind.
  await page.evaluate(axe.source)
  const { violations }: axe.AxeResults = await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`)
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}

/** What has the keyboard after each of so many presses of the tab key. */
export async function focusAfter(page: Page, presses: number) {
  const found = []
  for (let press = 0; press < presses; press++) {
    await page.keyboard.press('Tab')
    found.push(await page.evaluate(focused))
  }
  return found
}

/** How many sheets of A4 it takes. */
export async function sheetsOf(page: Page): Promise<number> {
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1')
  const [, width, height] = /\/MediaBox \[0 0 (\S+) (\S+)\]/.exec(pdf) ?? []
  // In points: 210 by 297 mm.
  if (Math.round(Number(width)) !== 595 || Math.round(Number(height)) !== 842) throw new Error(`${width} by ${height}`)
  return pdf.match(/\/Type \/Page\b/g)?.length ?? 0
}
