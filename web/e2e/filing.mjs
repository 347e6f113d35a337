// How a person files on the portal, whatever the matter.
import { until } from './stage.mjs'

/** Opens a matter at its start page and begins a draft; returns its id. */
export async function start(p, slug, also = []) {
  await p.go(`/do/${slug}`)
  for (const name of also) {
    await p.page.getByRole('checkbox', { name }).check()
  }
  await p.press('开始填报')
  await p.page.waitForURL(/\/filing\/[^/]+$/)
  return new URL(p.page.url()).pathname.split('/')[2]
}

/** Goes through every part with what is given, to the task list; look is called on each page. */
export async function fill(p, id, answers, look = async () => {}) {
  await p.page.locator('.tasks').first().waitFor()
  await until(`${p.who} sees the parts`, () => p.page.locator('ol.tasks a[href*="/part/"]').count())
  await p.page.locator('ol.tasks a[href*="/part/"]').first().click()
  await p.page.waitForURL(/\/part\//)
  for (let n = 0; n < 40; n++) {
    await p.page.locator('main h1').waitFor()
    if (!p.page.url().includes('/part/')) {
      return
    }
    await until('facts are fetched', async () => await p.page.getByText('正在向各部门取信息').count() === 0)
    await p.answer(answers)
    await until('facts are fetched', async () => await p.page.getByText('正在向各部门取信息').count() === 0)
    await look(p.page.url().split('/part/')[1])
    const here = p.page.url()
    await p.page.locator('.foot .button.go').click()
    await until(`${p.who} goes on from ${here}; the page says: ${await wrong(p)}`, async () => p.page.url() !== here || await p.page.locator('.u-errors').count() > 0)
    if (p.page.url() === here) {
      throw new Error(`${p.who} is stopped at ${here}: ${await wrong(p)}`)
    }
  }
  throw new Error('the parts never end')
}

async function wrong(p) {
  return (await p.page.locator('.u-errors, [role=alert]').allInnerTexts()).join(' ').replaceAll(/\s+/g, ' ')
}

/** Checks the answers and presses the button that names what follows. */
export async function submit(p, id, button, look = async () => {}) {
  await p.go(`/filing/${id}/check`)
  await p.heading('核对全部内容')
  await until('the checks are done', async () => await p.page.getByText('正在核对登记簿和各部门信息').count() === 0)
  await look()
  const b = p.page.getByRole('button', { name: button })
  if (await b.isDisabled()) {
    throw new Error(`${p.who} cannot go on: ${(await p.page.locator('main').innerText()).slice(0, 1500)}`)
  }
  await b.click()
  await until(`${p.who} leaves the check page: ${await wrong(p)}`, () => !p.page.url().endsWith('/check'))
}
