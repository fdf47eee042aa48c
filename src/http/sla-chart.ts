import { html, type Html } from './html'

/** One value a day; null where there is none. */
interface DailyChart {
  /** Unique on the page: what the picture is called by. */
  readonly id: string
  readonly title: string
  /** The picture in words, below it: for whoever does not see it, or sees no colours. */
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

const HEIGHT = 130
const TOP = 10
/** Of a day; the picture is stretched to the page's width, its height and its letters are not. */
const STEP = 10
const GAP = 1
const LABEL_EVERY_DAYS = 5
/** Labels that are nearer than this would stand on each other. */
const LABEL_HEIGHT = 13

/** Bars by day as an inline picture: no script, no style of its own, each bar with its value as its title. */
export function dailyChart(chart: DailyChart): Html {
  const { id, title, description, days, bound, from, to, label } = chart
  const width = STEP * Math.max(days.length, 1)
  const yOf = (value: number) => {
    const share = (Math.min(Math.max(value, from), to) - from) / (to - from)
    return round(HEIGHT - share * (HEIGHT - TOP))
  }
  const bars = days.map(({ date, value }, at) => {
    if (value === null) return undefined
    // One that is at the bottom, or below it, has to be seen all the same.
    const y = Math.min(yOf(value), HEIGHT - 2)
    return html`<rect
      class="${chart.isBroken(value) ? 'over' : 'bar'}"
      x="${at * STEP}"
      y="${y}"
      width="${STEP - GAP}"
      height="${round(HEIGHT - y)}"
      ><title>${date}: ${label(value)}</title></rect
    >`
  })
  return html`<figure>
    <div class="chart">
      ${axisLabels(chart, yOf(bound))}
      <svg
        viewBox="0 0 ${width} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        aria-labelledby="${id}-title ${id}-text"
      >
        <title id="${id}-title">${title}</title>
        <line class="axis" x1="0" y1="${HEIGHT}" x2="${width}" y2="${HEIGHT}"></line>
        ${bars}
        <line class="bound" x1="0" y1="${yOf(bound)}" x2="${width}" y2="${yOf(bound)}"></line>
      </svg>
      <div class="dates" aria-hidden="true">
        ${days.map(({ date }, at) => html`<span>${at % LABEL_EVERY_DAYS === 0 ? date.slice(8) : ''}</span>`)}
      </div>
    </div>
    <figcaption id="${id}-text">${description}</figcaption>
  </figure> `
}

/** The promise at its line, and the ends of the axis where there is room for them. */
function axisLabels({ bound, from, to, label }: DailyChart, boundY: number): Html {
  const end = (value: number, y: number) =>
    Math.abs(y - boundY) < LABEL_HEIGHT ? undefined : html`<text x="0" y="${y + 4}">${label(value)}</text>`
  return html`<svg aria-hidden="true">
    ${end(to, TOP)}
    <text class="promise" x="0" y="${boundY + 4}">${label(bound)}</text>
    ${end(from, HEIGHT)}
  </svg>`
}

const round = (value: number) => Math.round(value * 10) / 10
