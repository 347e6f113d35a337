// A company asks for the planning and land opinion: files, uploads, the bureau
// consults departments, three levels approve, the company sees its dates.
import assert from 'node:assert/strict'
import { complete, verb } from '../desk.mjs'
import { fill, start, submit } from '../filing.mjs'
import { until } from '../stage.mjs'

export const name = '规土意见书：申报、征询、三级审批、期限可查'
export const features = ['P6.3', 'P1.3/consult', 'P1.5/right']

export async function play(stage) {
  const me = await stage.agent('测试建设集团有限公司', '王建')
  const code = /\d{4}-\d{6}-\d{2}-\d{2}-\d{6}|\d{20}/.exec(me.told.replaceAll(/\s/g, ''))?.[0] ?? ''
  assert.notEqual(code, '', me.told)
  await me.go('/')
  await me.page.locator('main h1').waitFor()
  await me.shot('company-home')
  const id = await start(me, 'permit/land-opinion')
  await fill(me, id, { 投资项目代码: code, 拟建规模: '建筑面积约 1 万平方米', 选址理由: '符合控制性详细规划', 是否占用农用地: '否', 所填内容真实: true }, at => (at.startsWith('project') ? me.shot('opinion-part') : undefined))

  await me.go(`/filing/${id}/materials`)
  await me.heading('材料')
  const inputs = me.page.locator('.papers input[type=file]')
  await inputs.first().waitFor({ state: 'attached' })
  await inputs.first().setInputFiles({ name: '说明.exe', mimeType: 'application/x-msdownload', buffer: Buffer.from('MZ not a drawing') })
  await me.page.locator('.u-upload [role=alert]').first().waitFor()
  for (let i = 0; i < await inputs.count(); i++) {
    await inputs.nth(i).setInputFiles({ name: '范围图.pdf', mimeType: 'application/pdf', buffer: Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(1_300_000, '% a page of a drawing\n')]) })
    await until('the paper is there', async () => (await me.api(`/cases/${id}`)).materials.filter(m => m.state === 'present' && m.origin === 'upload').length > i, 30_000)
  }
  await me.shot('opinion-materials')
  await submit(me, id, /内容无误/, () => me.shot('opinion-check'))
  await until('submitted', async () => (await me.api(`/cases/${id}`)).phase === 'submitted')

  await complete(stage, 'qianyu', id, 'receive', 'accept')
  await complete(stage, 'zhougang', id, 'prereview', 'pass')
  await verb(stage, 'zhougang', id, '征询', async (dialog) => {
    const boxes = dialog.getByRole('checkbox')
    await boxes.first().waitFor()
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    await dialog.locator('textarea').fill('请就选址提意见')
    await dialog.getByLabel(/工作日内答复/).fill('5')
  }, 'desk-consult')
  await until('both are asked', async () => (await me.api(`/cases/${id}`)).consultations.length === 2)
  await complete(stage, 'zhougang', id, 'review', 'consult')
  const dept = await stage.person('a department', 'wide')
  for (let i = 0; i < 2; i++) {
    await dept.page.goto(`${stage.house.outside}/assist/desk`)
    await until('the department is asked', async () => {
      await dept.page.reload()
      return await dept.page.locator('section').count() === 2
    })
    await dept.page.locator('section').nth(i).getByRole('button', { name: '同意', exact: true }).click()
  }
  await until('both replied', async () => (await me.api(`/cases/${id}`)).consultations.every(c => c.opinion === '同意'), 30_000)

  await me.go(`/cases/${id}`)
  await me.heading('征求部门意见')
  await me.shot('opinion-case')
  await me.press('这个日期怎么算的')
  await me.page.locator('dialog[open] .u-days li').first().waitFor()
  assert.ok(await me.page.locator('dialog[open] .u-days li').count() >= 10, 'the dates are not told one by one')
  await me.shot('opinion-dates')

  await complete(stage, 'zhougang', id, 'review', 'pass', { opinion: '意见已落实' })
  await complete(stage, 'zhougang', id, 'level1', 'pass')
  await complete(stage, 'wufang', id, 'level2', 'pass', { shot: 'desk-opinion' })
  await complete(stage, 'zhengju', id, 'level3', 'pass')
  await complete(stage, 'fengwen', id, 'print', 'pass')
  await complete(stage, 'chenfa', id, 'dispatch', 'pass')
  await until('closed', async () => (await me.api(`/cases/${id}`)).phase === 'closed')
  await me.go(`/cases/${id}`)
  await me.heading('办理结果')
  await me.shot('opinion-closed')
  const q = await stage.official('qianyu')
  await q.go('/desk/inbox')
  await q.page.locator('h1').first().waitFor()
  await q.shot('desk-inbox')
}
