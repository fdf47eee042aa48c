/** What tests run within a page, in the browser; hence no types of ours and nothing from outside each function. */

/** What has to be scrolled sideways, or is cut off: the whole page, or a part of it. */
const wideParts = () => {
  const visible = [...document.querySelectorAll('body, body *')].filter((element) => !element.closest('thead, .skip'))
  const sticksOut = (element) => {
    const { left, right, width } = element.getBoundingClientRect()
    return width > 0 && (left < -1 || right > innerWidth + 1)
  }
  const scrolls = (element) =>
    element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== 'visible'
  return visible
    .filter((element) => sticksOut(element) || scrolls(element))
    .slice(0, 5)
    .map((element) => element.outerHTML.slice(0, 200))
}

/** The focused element: whether it is to be seen, and marked. */
const focused = () => {
  const element = document.activeElement ?? document.body
  const { outlineStyle, outlineWidth } = getComputedStyle(element)
  const { left, top } = element.getBoundingClientRect()
  return {
    name: element.tagName.toLowerCase(),
    isMarked: outlineStyle === 'solid' && outlineWidth === '2px',
    isSeen: left >= 0 && top >= 0 && top < innerHeight,
  }
}

/**
 * Puts into the page what an attacker would. Tells what it looks like then, and what the policy forbade; where it let the form go,
 * the page is gone, and the test with it.
 */
const takeOver = () =>
  new Promise((resolve) => {
    const forbidden = new Set()
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
      forbidden.add(effectiveDirective)
      if (effectiveDirective === 'form-action')
        resolve({ forbidden: [...forbidden], color: getComputedStyle(document.querySelector('#styled')).color })
    })
    document.body.insertAdjacentHTML(
      'beforeend',
      `<img src="https://elsewhere.example/a.png" onerror="document.title = 'taken'">
       <p id="styled" style="color: rgb(1, 2, 3)">A</p><style>#styled { color: rgb(1, 2, 3) }</style>
       <form id="away" action="https://elsewhere.example/"></form>`,
    )
    const script = document.createElement('script')
    script.textContent = `document.title = 'taken'`
    document.body.append(script)
    // Once the picture has been refused and said so.
    document.querySelector('img').addEventListener('error', () => document.querySelector('#away').submit())
  })

const addFrame = (url) => {
  const frame = document.createElement('iframe')
  frame.src = url
  document.body.append(frame)
  return new Promise((resolve) => {
    frame.addEventListener('load', resolve)
  })
}

const colors = () => {
  const { color, backgroundColor } = getComputedStyle(document.body)
  return { ink: color, paper: backgroundColor }
}

const letterHeights = (texts) => texts.map((text) => text.getBoundingClientRect().height)

module.exports = { wideParts, focused, takeOver, addFrame, colors, letterHeights }
