import { html, type Html } from './openapi-html'

/** One value a day; null where there is none. */
interface DailyChart {
  /** Unique on the page: what the picture is called by. */
  readonly id: string
  readonly title: string
  /** What a reader who does not see it is told. */
  readonly description: string
  readonly days: readonly { readonly date: string; readonly value: number | null }[]
  /** The promise, as a line across. */
  readonly bound: number
  /** Which side of the bound is broken. */
  readonly isBroken: (value: number) => boolean
  /** Of the axis, from bottom to top. */
  readonly from: number
  readonly to: number
  readonly label: (value: number) => string
}

const WIDTH = 720
const HEIGHT = 150
const LEFT = 64
const BOTTOM = 20
const TOP = 12
const GAP = 2
const LABEL_EVERY_DAYS = 5

/** Bars by day as an inline picture: no script, no style of its own, each bar with its value as its title. */
export function dailyChart(chart: DailyChart): Html {
  const { id, title, description, days, bound, from, to, label } = chart
  const step = (WIDTH - LEFT) / Math.max(days.length, 1)
  const yOf = (value: number) => {
    const share = (Math.min(Math.max(value, from), to) - from) / (to - from)
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP))
  }
  const bars = days.map(({ date, value }, at) => {
    if (value === null) return undefined
    // One that is at the bottom, or below it, has to be seen all the same.
    const y = Math.min(yOf(value), HEIGHT - BOTTOM - 2)
    return html`<rect
      class="${chart.isBroken(value) ? 'over' : 'bar'}"
      x="${round(LEFT + at * step)}"
      y="${y}"
      width="${round(Math.max(step - GAP, 1))}"
      height="${round(HEIGHT - BOTTOM - y)}"
      ><title>${date}: ${label(value)}</title></rect
    >`
  })
  const dates = days.map(({ date }, at) =>
    at % LABEL_EVERY_DAYS === 0
      ? html`<text x="${round(LEFT + at * step)}" y="${HEIGHT - 6}">${date.slice(8)}</text>`
      : undefined,
  )
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-text">
    <title id="${id}-title">${title}</title>
    <desc id="${id}-text">${description}</desc>
    <line class="axis" x1="${LEFT}" y1="${HEIGHT - BOTTOM}" x2="${WIDTH}" y2="${HEIGHT - BOTTOM}"></line>
    ${bars}
    <line class="bound" x1="${LEFT}" y1="${yOf(bound)}" x2="${WIDTH}" y2="${yOf(bound)}"></line>
    <text x="0" y="${TOP + 4}">${label(to)}</text>
    <text x="0" y="${HEIGHT - BOTTOM}">${label(from)}</text>
    ${dates}
  </svg> `
}

const round = (value: number) => Math.round(value * 10) / 10
