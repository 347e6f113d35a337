// Plays every story in Chromium against the demonstration house and writes
// build/browser.tsv. ONLY=name plays the stories whose file name starts so.
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unused } from './axe.mjs'
import { root, startHouse } from './house.mjs'
import { openStage } from './stage.mjs'

const only = process.env.ONLY ?? ''
const files = readdirSync(join(import.meta.dirname, 'stories')).filter(f => f.endsWith('.mjs') && f.startsWith(only)).sort()
const out = join(root, 'build/browser.tsv')
mkdirSync(join(root, 'build'), { recursive: true })
writeFileSync(out, '')

let failed = 0
const house = await startHouse()
const stage = await openStage(house)
const limit = setTimeout(() => {
  console.error('the stories took longer than eight minutes')
  process.exitCode = 1
  void house.stop().then(() => process.exit(1))
}, 8 * 60_000)
try {
  for (const file of files) {
    const story = await import(`./stories/${file}`)
    const before = stage.faults.length
    const began = Date.now()
    let fault = ''
    try {
      await story.play(stage)
    } catch (err) {
      fault = err instanceof Error ? (err.stack ?? err.message) : String(err)
      await stage.last(file.replace('.mjs', ''))
    }
    const found = stage.faults.slice(before)
    const ok = fault === '' && found.length === 0
    failed += ok ? 0 : 1
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${story.name} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
    for (const line of [fault, ...found].filter(Boolean)) {
      console.log(`     ${line}`)
    }
    appendFileSync(out, story.features.map(f => `${f}\tsqlite\t${file.replace('.mjs', '')}: ${story.name}\t${ok ? 'pass' : 'fail'}\n`).join(''))
    await stage.clear()
  }
  if (only === '') {
    for (const x of unused()) {
      failed++
      console.log(`FAIL axe-exceptions.json: nothing needs ${x.rule} on ${x.page} any more`)
    }
  }
} finally {
  clearTimeout(limit)
  await stage.close()
  if (failed > 0 && process.env.E2E_LOG === '1') {
    console.log(house.log().slice(-6000))
  }
  await house.stop()
}
process.exitCode = failed > 0 ? 1 : 0
