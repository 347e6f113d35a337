// How officials decide: on the page of the case, at the desk.
import { until } from './stage.mjs'

/** An official takes the task of a node and presses the button of an outcome. */
export async function complete(stage, account, caseId, node, outcome, { opinion = '', shot = '' } = {}) {
  const p = await stage.official(account)
  await p.go(`/desk/cases/${caseId}`)
  const mine = async () => (await p.api(`/cases/${caseId}`)).tasks?.find(t => t.node === node && t.mine)
  const task = await until(`${account} has the task ${node}`, mine)
  const text = task.outcomes.find(o => o.id === outcome)?.text
  if (text === undefined) {
    throw new Error(`${node} has no outcome ${outcome}: ${JSON.stringify(task.outcomes)}`)
  }
  const box = p.page.locator('.decide')
  await box.waitFor()
  if (await box.getByRole('button', { name: '领取' }).count() > 0) {
    await box.getByRole('button', { name: '领取' }).click()
    await box.getByRole('button', { name: '放回' }).waitFor()
  }
  if (opinion !== '') {
    await box.locator('#opinion').fill(opinion)
  }
  const together = box.getByRole('checkbox', { name: /一并办理/ })
  if (await together.count() > 0) {
    await together.check()
  }
  if (shot !== '') {
    await p.page.waitForTimeout(400)
    await p.shot(shot)
  }
  await box.locator('.decide-go').getByRole('button', { name: new RegExp(`^${text.replaceAll(/[()（）]/g, '.')}`) }).click()
  await until(`${account} completes ${node}; the page says: ${(await p.page.locator('[role=alert], .refusal').allInnerTexts()).join(' ')}`, async () => (await mine()) === undefined)
}

/** An official does something else to the case: fills in what the dialogue asks. */
export async function verb(stage, account, caseId, label, fill, shot = '') {
  const p = await stage.official(account)
  await p.go(`/desk/cases/${caseId}`)
  const box = p.page.locator('.decide')
  await box.waitFor()
  const more = box.locator('.decide-more summary')
  const direct = box.locator('.decide-verbs > button', { hasText: label })
  if (await direct.count() > 0) {
    await direct.first().click()
  } else {
    await more.click()
    await box.locator('.decide-more li button', { hasText: label }).first().click()
  }
  const dialog = p.page.locator('dialog[open]')
  await dialog.waitFor()
  await fill(dialog, p)
  if (shot !== '') {
    await p.shot(shot)
  }
  await dialog.locator('button[type=submit]').click()
  await dialog.waitFor({ state: 'detached' })
}
