// 预告登记 and 抵押预告 filed together by the developer under the buyers' grant;
// the couple, the developer and the bank agree, each in a browser of their own;
// the desk accepts, reviews the recording and enters both.
import assert from 'node:assert/strict'
import { consent } from '../consent.mjs'
import { complete } from '../desk.mjs'
import { fill, start, submit } from '../filing.mjs'
import { until } from '../stage.mjs'

export const name = '预告登记与抵押预告：授权、各方确认、审录像、登簿'
export const features = ['R1.4a', 'R1.4b', 'R1.4c/bundle', 'R5.2/consent', 'R2.6/review', 'R2.9/entry']

export async function play(stage) {
  const visitor = await stage.person('a visitor')
  await visitor.go('/login')
  await visitor.follow(/一网通办/)
  const told = await visitor.page.locator('tr', { hasText: '张明' }).first().innerText()
  await visitor.close()
  const contract = /测预售\d+/.exec(told)?.[0] ?? ''
  assert.notEqual(contract, '', told)

  const dev = await stage.agent('测试置业有限公司', '钱进')
  const first = await start(dev, 'registry/presale-notice', [/抵押权预告登记/])
  const second = (await dev.api(`/cases/${first}`)).bundle.find(b => b.caseId !== first).caseId
  await fill(dev, first, { 预售合同编号: contract, 证明形式: '电子', 所填内容真实: true })
  await dev.go(`/filing/${second}`)
  await fill(dev, second, { 贷款合同编号: contract.replace('测预售', '测贷'), 所填内容真实: true })
  const { unit } = (await dev.api(`/cases/${first}`)).form.data
  assert.ok(unit, 'the contract fills the unit')

  // Nobody has granted anything yet: the check page says so and stops.
  await dev.go(`/filing/${first}/check`)
  await dev.page.locator('.note.stop').first().waitFor()
  await dev.shot('bundle-blocked')

  const ming = await stage.citizen('张明', 'phone', '/grants')
  await ming.page.getByLabel('企业名称').fill('测试置业')
  await ming.page.getByRole('radio', { name: '测试置业有限公司' }).first().check()
  await ming.answer({ 让它办什么: true })
  await ming.page.getByRole('checkbox', { name: '预购商品房预告登记' }).check()
  await ming.answer({ 哪一处: unit, 到哪天为止: `${new Date().getFullYear() + 1}-06-30` })
  await ming.shot('grant-form')
  await ming.press('授权')
  await until('the grant is there', async () => (await ming.page.locator('.u-card', { hasText: '测试置业有限公司' }).count()) > 0)
  await ming.shot('grant-given')

  await submit(dev, first, /内容无误/, () => dev.shot('bundle-check'))
  await until('everybody is asked', async () => (await dev.api(`/cases/${first}`)).phase === 'consent')
  await dev.go(`/filing/${first}/parties`)
  await dev.heading('各方要做什么')
  await dev.shot('bundle-parties')

  await consent(ming, undefined, { typed: '张明' })
  await consent(dev, undefined, { look: true })
  const bank = await stage.agent('测试银行浦东支行', '尹行')
  await consent(bank)
  assert.equal((await dev.api(`/cases/${first}`)).phase, 'consent', 'submitted before everybody agreed')
  const ting = await stage.citizen('李婷')
  await consent(ting)
  for (const id of [first, second]) {
    await until('submitted', async () => (await dev.api(`/cases/${id}`)).phase === 'submitted')
  }

  await complete(stage, 'zhaomin', first, 'receive', 'accept')
  const examiner = await stage.official('wanghui')
  await examiner.go(`/desk/cases/${first}`)
  const page = examiner.page
  await page.locator('.tree button', { hasText: /录像|视频/ }).first().click()
  await page.getByRole('button', { name: '审核通过' }).waitFor()
  await until('the recording is loaded', async () => await page.getByText('已全部载入').count() > 0)
  await examiner.shot('desk-recording')
  await page.getByRole('button', { name: '审核通过' }).click()
  await page.getByText('已审，通过').first().waitFor()
  await complete(stage, 'wanghui', first, 'examine', 'pass', { shot: 'desk-examine' })
  await complete(stage, 'lidong', first, 'book', 'pass')
  for (const id of [first, second]) {
    await until('both are closed', async () => (await dev.api(`/cases/${id}`)).phase === 'closed', 40_000).catch(async (err) => {
      const r = await stage.official('lidong')
      const v = await r.api(`/cases/${id}`)
      throw new Error(`${err.message}: ${v.phase} ${JSON.stringify(v.tasks)} ${JSON.stringify(v.timeline?.slice(-4))}`)
    })
  }
  await until('the buyer holds it', async () => (await ming.api('/results')).items?.length === 1)
  await ming.go('/results')
  await ming.see(/登记证明/)
  await ming.shot('buyer-results')
  await ming.go('/')
  await ming.shot('buyer-home')
  await bank.go('/results')
  await bank.see(/登记证明/)
}
