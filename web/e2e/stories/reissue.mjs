// A citizen has lost a certificate: declares it, agrees in person, pays at the
// simulated cashier, and gets the new one.
import assert from 'node:assert/strict'
import { consent } from '../consent.mjs'
import { complete } from '../desk.mjs'
import { fill, start, submit } from '../filing.mjs'
import { until } from '../stage.mjs'

export const name = '补证：声明、签名、缴费、发新证'
export const features = ['R1.5d', 'R3.1/once']

export async function play(stage) {
  const me = await stage.citizen('陈静')
  await me.go('/properties')
  const unit = await until('the register answers', async () => (await me.api('/properties')).items?.[0])
  const id = await start(me, 'registry/reissue')
  await fill(me, id, { 遗失的证号: unit.certNo, 怎么没有的: '遗失', 经过: '搬家时遗失', 新证形式: '电子', 同意在网站: true })
  await submit(me, id, /内容无误/, () => me.shot('reissue-check'))
  await me.go('/')
  await me.shot('home-todo')
  await consent(me, id, { look: true })
  await until('submitted', async () => (await me.api(`/cases/${id}`)).phase === 'submitted')

  await complete(stage, 'zhaomin', id, 'receive', 'accept', { shot: 'desk-case' })
  await complete(stage, 'wanghui', id, 'examine', 'pass')

  await me.go(`/cases/${id}`)
  await me.heading('费用')
  await me.press('生成付款码')
  await me.page.locator('.fee .u-qr img').waitFor()
  await me.shot('case-fee')
  const cashier = await me.page.getByRole('link', { name: '在本机付款' }).getAttribute('href')
  const till = await me.page.context().newPage()
  await till.goto(cashier)
  await till.getByRole('button', { name: '模拟支付' }).click()
  await till.getByText('已支付').first().waitFor()
  await till.close()
  await me.page.locator('.fee').getByText('已缴').waitFor({ timeout: 20_000 })
  const paid = await me.api(`/cases/${id}`)
  assert.equal(paid.fee.state, 'paid')
  assert.equal(paid.timeline.filter(t => JSON.stringify(t).includes('已缴费')).length, 1, 'paid once')

  await complete(stage, 'lidong', id, 'book', 'pass')
  await until('closed', async () => (await me.api(`/cases/${id}`)).phase === 'closed')
  await me.go(`/cases/${id}`)
  await me.heading('办理结果')
  await me.shot('case-closed')
  const stranger = await stage.person('a stranger')
  await stranger.go('/notices')
  await stranger.see(unit.certNo)
  assert.ok(!(await stranger.page.locator('main').innerText()).includes('陈静'), 'the notice names the holder')
  await stranger.shot('notices-one')
  await stranger.go('/verify')
  await stranger.shot('verify-start')
}
