// One person walks through everything that is asked of them.
import { until } from './stage.mjs'

/** Opens what waits for this person in a case and agrees. typed: signs by
 * keyboard instead of by hand; seal: an organisation's. look takes pictures. */
export async function consent(p, caseId, { typed = '', look = false } = {}) {
  const todo = await until(`${p.who} is asked`, async () => (await p.api('/home')).todos.find(t => t.consentId && (caseId === undefined || t.caseId === caseId)))
  await p.go(`/consents/${todo.consentId}`)
  const main = p.page.locator('main')
  const shot = async name => (look ? p.shot(name) : undefined)
  await p.heading('请您确认')
  await main.getByRole('checkbox').check()
  await shot('consent-notice')
  await main.getByRole('button', { name: '继续' }).click()
  for (let n = 0; n < 8; n++) {
    await p.page.waitForTimeout(150)
    const step = await main.locator('h1').innerText()
    if (step === '人脸核验') {
      await main.getByRole('button', { name: '打开摄像头' }).click()
      await until('the camera shows', () => p.page.evaluate(() => (document.querySelector('video')?.videoWidth ?? 0) > 0))
      await shot('consent-face')
      await main.getByRole('button', { name: '拍照核验' }).click()
      await passed(p, step)
    } else if (step === '录一段视频') {
      await main.getByRole('button', { name: '打开摄像头和话筒' }).click()
      await main.getByRole('button', { name: '开始录' }).click()
      await main.locator('.u-rec-q').waitFor()
      await p.page.waitForTimeout(1500)
      await shot('consent-recording')
      while (await main.locator('.u-rec-q .button.go').count() > 0) {
        await main.locator('.u-rec-q .button.go').click()
        await p.page.waitForTimeout(300)
      }
      await passed(p, step, 30_000)
    } else if (step === '看文书') {
      for (const a of await main.locator('ul.list a').all()) {
        const opened = p.page.context().waitForEvent('page', { timeout: 6000 }).catch(() => null)
        await a.click()
        await (await opened)?.close()
      }
      await main.getByRole('checkbox').check()
      await shot('consent-papers')
      await main.getByRole('button', { name: '继续' }).click()
      await passed(p, step)
    } else if (step === '签名') {
      await shot('consent-signature')
      await (typed === '' ? draw(p) : type(p, typed))
      await main.getByRole('button', { name: '用这个签名' }).click()
      await passed(p, step)
    } else if (step === '法人签章') {
      await shot('consent-seal')
      await main.getByRole('button', { name: '签章', exact: true }).click()
      await passed(p, step)
    } else if (step === '确认') {
      await shot('consent-confirm')
      await main.getByRole('button', { name: '我确认，这是我的真实意愿' }).click()
      await p.heading('您已确认')
      await shot('consent-done')
      return
    } else {
      throw new Error(`${p.who} meets an unknown step ${step}`)
    }
  }
  throw new Error(`${p.who} never comes to an end`)
}

async function passed(p, step, patience = 15_000) {
  await until(`${p.who} gets past ${step}`, async () => {
    const bad = await p.page.locator('main .note.stop, main .u-problem').allInnerTexts()
    if (bad.length > 0) {
      throw new Error(`${p.who} at ${step}: ${bad.join(' ')}`)
    }
    return await p.page.locator('main h1').first().innerText() !== step
  }, patience)
}

async function draw(p) {
  const box = await p.page.locator('canvas.u-pad').boundingBox()
  const at = (x, y) => [box.x + box.width * x, box.y + box.height * y]
  for (const line of [[[0.1, 0.3], [0.45, 0.3], [0.45, 0.8]], [[0.15, 0.7], [0.3, 0.5], [0.48, 0.2]], [[0.55, 0.2], [0.9, 0.25], [0.6, 0.8], [0.92, 0.75]]]) {
    await p.page.mouse.move(...at(...line[0]))
    await p.page.mouse.down()
    for (const [x, y] of line.slice(1)) {
      await p.page.mouse.move(...at(x, y), { steps: 6 })
    }
    await p.page.mouse.up()
  }
  await p.see(/已写 3 笔/)
}

async function type(p, name) {
  await p.press('不便手写，改为键入姓名')
  await p.page.getByLabel('键入您的姓名').fill(name)
}
