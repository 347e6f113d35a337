// Starts the demonstration house with its simulated outside on free ports and
// a data folder of its own, and takes both away again.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')
export const sleep = ms => new Promise((done) => { setTimeout(done, ms) })

function freePort() {
  return new Promise((done, fail) => {
    const s = createServer()
    s.on('error', fail)
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address()
      s.close(() => done(port))
    })
  })
}

function build() {
  for (const [cmd, args, cwd] of [
    ['npm', ['run', '--silent', 'build'], join(root, 'web')],
    ['go', ['build', '-tags', 'webdist', '-o', 'build/demo', './cmd/demo'], root],
  ]) {
    const r = spawnSync(cmd, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, CGO_ENABLED: '0' } })
    if (r.status !== 0) {
      throw new Error(`${cmd} ${args.join(' ')} failed`)
    }
  }
}

/** Starts the house; E2E_BUILT=1 takes build/demo as it is. */
export async function startHouse() {
  if (process.env.E2E_BUILT !== '1' || !existsSync(join(root, 'build/demo'))) {
    build()
  }
  const dir = mkdtempSync(join(tmpdir(), 'house-'))
  const logFile = join(dir, 'log')
  const log = openSync(logFile, 'w')
  const [a, b] = [await freePort(), await freePort()]
  const child = spawn(join(root, 'build/demo'), ['-quiet', '-cases', '0', '-data', join(dir, 'data'), '-addr', `127.0.0.1:${a}`, '-outside', `127.0.0.1:${b}`, '-fonts', join(root, 'build/fonts')], { cwd: root, stdio: ['ignore', log, log] })
  let ended = false
  child.on('exit', () => { ended = true })
  const house = {
    url: `http://127.0.0.1:${a}`,
    outside: `http://127.0.0.1:${b}`,
    log: () => readFileSync(logFile, 'utf8'),
    /** Every call refused or failed by the simulated outside is in its journal. */
    async journal(system) { return (await fetch(`${house.outside}/_sim/${system}/journal`)).json() },
    /** Moves the business clock; sessions keep the wall's. */
    async advance(by) { await fetch(`${house.url}/demo/clock?by=${by}`, { method: 'POST' }) },
    /** An official's password and one-time code of this moment. */
    async official(account) {
      const list = await (await fetch(`${house.url}/demo/officials`)).json()
      const found = list.find(o => o.account === account)
      if (found === undefined) {
        throw new Error(`no official ${account}`)
      }
      return found
    },
    async stop() {
      if (!ended) {
        child.kill('SIGTERM')
        for (let i = 0; i < 60 && !ended; i++) {
          await sleep(100)
        }
        if (!ended) {
          child.kill('SIGKILL')
        }
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
  for (let i = 0; i < 300; i++) {
    if (ended) {
      throw new Error(`the house ended at once:\n${house.log().slice(-3000)}`)
    }
    const ok = await fetch(`${house.url}/readyz`).then(r => r.ok, () => false)
    if (ok) {
      return house
    }
    await sleep(100)
  }
  await house.stop()
  throw new Error('the house does not get ready')
}
