// One Chromium, a context for each person, pictures at both widths, and axe.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { axe } from './axe.mjs'
import { root } from './house.mjs'

const shots = join(root, 'build/shots')
const sizes = { phone: { width: 390, height: 844 }, wide: { width: 1280, height: 900 } }

/** Opens the browser. faults collects what no page may have: uncaught errors,
 * answers of 500 and more, findings of axe, pages wider than the window. */
export async function openStage(house) {
  mkdirSync(shots, { recursive: true })
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--no-default-browser-check', '--mute-audio'],
  })
  const faults = []
  const desks = new Map()
  const here = new Set()

  async function context(size) {
    const ctx = await browser.newContext({ viewport: sizes[size], locale: 'zh-CN', timezoneId: 'Asia/Shanghai', acceptDownloads: true, permissions: ['camera', 'microphone'], hasTouch: size === 'phone', reducedMotion: 'reduce' })
    ctx.setDefaultTimeout(12_000)
    return ctx
  }

  function watch(page, who) {
    page.on('pageerror', e => faults.push(`${who}: ${page.url()}: ${e.message}`))
    page.on('response', (r) => {
      if (r.status() >= 500 && r.url().startsWith(house.url)) {
        faults.push(`${who}: ${r.request().method()} ${r.url()}: ${r.status()}`)
      }
    })
    return page
  }

  /** Somebody with a browser of their own. */
  async function person(who, size = 'phone') {
    const ctx = await context(size)
    const page = watch(await ctx.newPage(), who)
    const p = {
      who, page, size,
      go: path => page.goto(house.url + path),
      /** The one picture of a page: at both widths, with axe at both. */
      async shot(name) {
        for (const s of [size === 'phone' ? 'wide' : 'phone', size]) {
          await page.setViewportSize(sizes[s])
          await page.waitForTimeout(250)
          await page.screenshot({ path: join(shots, `${name}-${s}.png`), fullPage: true })
          for (const f of await axe(page, name)) {
            faults.push(`axe ${name} (${s}): ${f.rule} at ${f.target}: ${f.text.replaceAll(/\s+/g, ' ').slice(0, 200)}`)
          }
          if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) {
            faults.push(`${name} (${s}): wider than the window`)
          }
        }
      },
      press: (name, role = 'button') => page.getByRole(role, { name }).first().click(),
      follow: name => page.getByRole('link', { name }).first().click(),
      see: text => page.getByText(text).first().waitFor(),
      heading: text => page.getByRole('heading', { name: text }).first().waitFor(),
      /** Fills what a page asks, by label: text, an option, or true for a tick. */
      async answer(answers) {
        for (const [label, value] of Object.entries(answers)) {
          const field = page.locator('.u-field').filter({ has: page.locator('.u-field-label', { hasText: new RegExp(`^${label}`) }) }).first()
          if (!(await field.isVisible())) {
            continue
          }
          if (value === true) {
            await field.getByRole('checkbox').first().check()
          } else if (await field.getByRole('radio').count() > 0) {
            await field.getByRole('radio', { name: value }).first().check()
          } else if (await field.locator('select').count() > 0) {
            await field.locator('select').selectOption({ label: value })
          } else {
            await field.locator('input, textarea').first().fill(value)
            await field.locator('input, textarea').first().blur()
          }
        }
      },
      /** Asks the API as this person, for what no page shows. */
      api: path => page.evaluate(async x => (await fetch(`/api/v1/public${x}`)).json(), path),
      close: () => { here.delete(p); return ctx.close() },
    }
    here.add(p)
    return p
  }

  return {
    house, faults, person,
    /** A citizen, logged in on the simulated page. */
    async citizen(name, size = 'phone', to = '/') {
      const p = await person(name, size)
      await p.go(to === '/' ? '/login' : `/login?to=${encodeURIComponent(to)}`)
      await p.follow('一网通办')
      await p.page.getByRole('button', { name, exact: true }).first().click()
      await p.page.waitForURL(u => u.origin === house.url && u.pathname === to)
      return p
    },
    /** Somebody with an organisation's certificate. */
    async agent(org, name, size = 'wide') {
      const p = await person(`${org} ${name}`, size)
      await p.go('/login')
      await p.follow('法人一证通')
      /** What the simulated page tells of the organisation. */
      p.told = await p.page.locator('tr', { hasText: org }).first().innerText()
      await p.page.locator('tr', { hasText: org }).getByRole('button', { name, exact: true }).first().click()
      await p.page.waitForURL(`${house.url}/`)
      return p
    },
    /** An official at the desk, logged in with password and one-time code. */
    async official(account) {
      if (desks.has(account)) {
        return desks.get(account)
      }
      const p = await person(account, 'wide')
      await p.go('/desk/login')
      const o = await house.official(account)
      await p.page.getByLabel('账号').fill(account)
      await p.page.getByLabel('密码').fill(o.password)
      await p.press('下一步')
      await p.page.getByLabel('动态口令').fill((await house.official(account)).code)
      await p.press('登录')
      await p.page.waitForURL(u => u.pathname.startsWith('/desk/') && u.pathname !== '/desk/login')
      p.api = path => p.page.evaluate(async x => (await fetch(`/api/v1/staff${x}`)).json(), path)
      desks.set(account, p)
      return p
    },
    /** A picture of every page that is open, for whoever looks for the fault. */
    async last(name) {
      for (const p of here) {
        if (p.page.url() !== 'about:blank') {
          await p.page.screenshot({ path: join(shots, `fault-${name}-${p.who.replaceAll(/[^\p{L}\p{N}]+/gu, '-')}.png`), fullPage: true }).catch(() => {})
        }
      }
    },
    /** Everybody of the story leaves; officials stay at their desks. */
    async clear() {
      for (const p of [...here]) {
        if (![...desks.values()].includes(p)) {
          await p.close()
        }
      }
    },
    close: () => browser.close(),
  }
}

/** Asks again until want answers something true. */
export async function until(what, want, patience = 15_000) {
  const end = Date.now() + patience
  for (;;) {
    const got = await want()
    if (got) {
      return got
    }
    if (Date.now() > end) {
      throw new Error(`never happened: ${what}`)
    }
    await new Promise((done) => { setTimeout(done, 200) })
  }
}
