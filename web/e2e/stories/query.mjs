// A citizen asks for a query certificate on the phone, downloads it, shows the
// QR, and a stranger checks it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fill, start, submit } from '../filing.mjs'
import { until } from '../stage.mjs'

export const name = '查询证明：申报、下载、出示、核验'
export const features = ['R1.1/facts', 'R1.9/certificate', 'R1.10/qr', 'R1.11/space']

export async function play(stage) {
  const me = await stage.person('陈静')
  await me.go('/do')
  await me.heading('办事')
  await me.shot('matters')
  await me.go('/do/registry/query-certificate')
  await me.see('登录后开始')
  await me.shot('start')
  await me.follow('登录后开始')
  await me.heading('登录')
  await me.shot('login')
  await me.follow(/一网通办/)
  await me.page.getByRole('button', { name: '陈静', exact: true }).click()
  await me.page.waitForURL('**/do/registry/query-certificate')

  const id = await start(me, 'registry/query-certificate')
  await me.shot('filing-tasks')
  // Nothing answered: the page says what is missing and goes nowhere.
  await me.go(`/filing/${id}/part/what`)
  await me.page.locator('.foot .button.go').click()
  await me.page.locator('.u-errors').waitFor()
  await me.shot('filing-errors')
  await me.go(`/filing/${id}`)
  await fill(me, id, { 查询方式: /.+/, 用途: /.+/, 我确认: true }, async (at) => {
    if (/^(who|what)/.test(at)) {
      await me.page.waitForTimeout(100)
    }
  })
  await me.go(`/filing/${id}/part/who`)
  await me.heading('查询人')
  await me.shot('filing-part')
  await submit(me, id, /提交/, () => me.shot('filing-check'))
  await me.page.waitForURL('**/done')
  await me.see('已提交')
  await me.shot('filing-done')

  await me.go('/')
  await me.shot('home')
  await until('the certificate is there', async () => (await me.api('/results')).items?.length > 0)
  await me.go(`/cases/${id}`)
  await me.see('经过')
  await me.shot('case')
  await me.go('/results')
  await me.page.locator('main a[href^="/results/"]').first().click()
  await me.page.waitForURL(/\/results\/.+/)
  await me.see('出示二维码')

  const waiting = me.page.waitForEvent('download', { timeout: 8000 }).catch(() => null)
  const href = await me.page.getByRole('link', { name: '查看原件' }).getAttribute('href')
  const pdf = await me.page.context().request.get(stage.house.url + href)
  assert.equal(pdf.status(), 200)
  assert.equal((await pdf.body()).subarray(0, 4).toString(), '%PDF')
  await me.press('下载原件', 'link').catch(() => {})
  const got = await waiting
  if (got !== null) {
    assert.equal(readFileSync(await got.path()).subarray(0, 4).toString(), '%PDF')
  }

  await me.go(new URL(me.page.url()).pathname)
  await me.see('出示二维码')
  if (await me.page.locator('.u-qr img').count() === 0) {
    await me.press('出示')
  }
  await me.page.locator('.u-qr img').waitFor()
  await me.shot('result-qr')
  const rid = new URL(me.page.url()).pathname.split('/').pop()
  const qr = (await me.api(`/results/${rid}`)).qr.url
  assert.ok(qr.startsWith(`${stage.house.url}/`), qr)

  const stranger = await stage.person('a stranger')
  await stranger.page.goto(qr)
  await stranger.see('与登记簿核对。')
  await stranger.page.locator('.verdict.good').waitFor()
  const told = await stranger.page.locator('main').innerText()
  assert.ok(!told.includes('陈静'), 'the stranger reads the full name')
  await stranger.shot('verify')
  await stranger.go(`/results/${rid}`)
  await stranger.page.waitForURL('**/login?**')

  await me.press('停止出示')
  await until('it is off', async () => await me.page.locator('.u-qr img').count() === 0)
  await stranger.page.goto(qr)
  await stranger.page.locator('.verdict').waitFor()
  assert.equal(await stranger.page.locator('.verdict.good').count(), 0)
  await stranger.shot('verify-off')
  await stranger.go('/verify/notatoken')
  await stranger.page.locator('.verdict.stop, .verdict').waitFor()

  for (const [path, picture] of [['/properties', 'properties'], ['/results', 'results'], ['/account', 'account'], ['/cases', 'cases'], ['/grants', 'grants'], ['/help', 'help'], ['/notices', 'notices'], ['/verify', 'verify-start']]) {
    await me.go(path)
    await me.page.locator('main h1').waitFor()
    await me.page.waitForTimeout(300)
    await me.shot(picture)
  }
  await stranger.close()
  await me.close()
}
