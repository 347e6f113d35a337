// axe-core on a page. What it finds fails the story, unless it is written down
// in axe-exceptions.json with the reason why it stays.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Each: { rule, page (name of the picture, a trailing * matches more), target (part of the selector), why }. */
const exceptions = JSON.parse(readFileSync(join(import.meta.dirname, 'axe-exceptions.json'), 'utf8'))
const used = new Set()

const covers = (x, rule, name, target) => x.rule === rule && (x.page.endsWith('*') ? name.startsWith(x.page.slice(0, -1)) : name === x.page) && target.includes(x.target)

/** Returns what axe finds on the page, exceptions taken out. */
export async function axe(page, name) {
  await page.evaluate(source)
  const found = await page.evaluate(async () => (await window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    resultTypes: ['violations'],
  })).violations.flatMap(v => v.nodes.map(n => ({ rule: v.id, target: n.target.join(' '), text: n.failureSummary ?? v.help }))))
  return found.filter((f) => {
    const x = exceptions.findIndex(e => covers(e, f.rule, name, f.target))
    if (x >= 0) {
      used.add(x)
    }
    return x < 0
  })
}

/** Exceptions that nothing needed any more. */
export const unused = () => exceptions.filter((_, i) => !used.has(i))
