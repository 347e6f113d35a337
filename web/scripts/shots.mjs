// Pictures of pages at phone and desk width, with what axe finds on each.
// node scripts/shots.mjs http://127.0.0.1:5173 out-dir [path …]
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const [base = 'http://127.0.0.1:5173', out = 'shots', ...paths] = process.argv.slice(2)
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
await mkdir(out, { recursive: true })
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'] })
let bad = 0
const looks = (process.env.LOOKS ?? 'phone,wide').split(',')
for (const look of looks) {
  const phone = look !== 'wide'
  const context = await browser.newContext({ viewport: { width: phone ? 390 : 1280, height: phone ? 844 : 900 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', colorScheme: look === 'dark' ? 'dark' : 'light' })
  if (look === 'care') {
    await context.addInitScript(() => localStorage.setItem('care', '1'))
  }
  for (const path of paths.length > 0 ? paths : ['/']) {
    const page = await context.newPage()
    page.on('pageerror', (e) => { bad++; console.log(`${look} ${path}: ${e.message}`) })
    page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') { console.log(`${look} ${path}: ${m.text()}`) } })
    await page.goto(base + path)
    await page.waitForTimeout(Number(process.env.WAIT ?? 900))
    await page.screenshot({ path: `${out}/${look}${path.replaceAll(/[/?#=&]+/g, '_')}.png`, fullPage: true })
    await page.evaluate(axe)
    const found = await page.evaluate(async () => (await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | ')}`))
    for (const f of found) {
      bad++
      console.log(`${look} ${path}: axe ${f}`)
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
    if (wide) {
      bad++
      console.log(`${look} ${path}: wider than the window`)
    }
    await page.close()
  }
  await context.close()
}
await browser.close()
process.exitCode = bad > 0 ? 1 : 0
