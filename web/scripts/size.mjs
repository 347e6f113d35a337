// What a first visit fetches, encoded, against the budget. Needs a build.
// node scripts/size.mjs
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { chromium } from 'playwright-core'
import { createServer as createVite } from 'vite'

const budget = { portal: 250_000, desk: 600_000 }
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
// The mock of the development server answers the API.
process.env.HAOBAN_MOCK = '1'
const vite = await createVite({ configFile: 'apps/portal/vite.config.ts', server: { middlewareMode: true, hmr: false }, logLevel: 'silent', appType: 'custom' })
const app = process.argv[2] ?? 'portal'
const server = createServer((req, res) => {
  if (req.url.startsWith('/api/')) {
    vite.middlewares(req, res)
    return
  }
  void (async () => {
    const path = req.url.split('?')[0].replace(app === 'desk' ? /^\/desk/ : /^$/, '')
    const file = extname(path) === '' ? '/index.html' : path
    const dir = join('dist', app)
    try {
      const br = await readFile(`${join(dir, file)}.br`).catch(() => null)
      const data = br ?? await readFile(join(dir, file))
      res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', ...(br === null ? {} : { 'Content-Encoding': 'br' }) })
      res.end(data)
    } catch {
      res.writeHead(404)
      res.end()
    }
  })()
})
await new Promise(r => server.listen(0, '127.0.0.1', r))
const base = `http://127.0.0.1:${server.address().port}`
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
const seen = new Map()
page.on('response', async (r) => {
  if (r.url().endsWith('.js')) {
    seen.set(r.url(), (await r.request().sizes()).responseBodySize)
  }
})
for (const path of app === 'portal' ? ['/do/registry/presale-notice', '/filing/c1/part/people'] : ['/desk/inbox']) {
  await page.goto(base + path)
  await page.waitForTimeout(1500)
}
const total = [...seen.values()].reduce((a, b) => a + b, 0)
console.log(`${app}: ${seen.size} scripts, ${total} bytes encoded, budget ${budget[app]}`)
await browser.close()
server.close()
await vite.close()
process.exit(total > budget[app] ? 1 : 0)
