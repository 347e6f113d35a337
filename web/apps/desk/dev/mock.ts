import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin } from 'vite'
import * as s from './sample.ts'

/** A folder of pieces of a recording (0.webm, 1.webm …) to play; without it the player shows that it cannot. */
const clips = process.env.HAOBAN_CLIPS ?? ''

async function body(req: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = []
  for await (const p of req) {
    parts.push(p as Buffer)
  }
  const text = Buffer.concat(parts).toString()
  return text === '' ? {} : JSON.parse(text) as Record<string, unknown>
}

/** Answers the staff API with samples, so that pages can be looked at without a house. */
export function mock(): Plugin {
  let view = structuredClone(s.desk)
  if (clips !== '' && existsSync(clips)) {
    view.recordings[0]!.chunks = readdirSync(clips).sort().map((f, n) => ({ n, size: statSync(`${clips}/${f}`).size, sm3: '' }))
  }
  let rows = structuredClone(s.inbox)
  let out = false
  const streams = new Set<ServerResponse>()
  const event = (name: string, data: unknown) => streams.forEach(r => r.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`))

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://mock')
    const path = url.pathname.replace('/api/v1/staff', '')
    const b = await body(req)
    const send = (data: unknown, status = 200) => {
      res.statusCode = status
      res.setHeader('Content-Type', status < 400 ? 'application/json' : 'application/problem+json')
      res.end(JSON.stringify(data))
    }
    const is = (method: string, re: RegExp) => (req.method === method ? re.exec(path) : null)

    if (is('GET', /^\/session$/)) return send(out || req.headers.cookie?.includes('out=1') ? { ...s.session, user: null, step: '' } : s.session)
    if (is('POST', /^\/login$/)) return b.password === 'wrong' ? send({ code: 'login.wrong', title: '账号或密码不对，还可以试 4 次' }, 401) : send({ step: 'otp' })
    if (is('POST', /^\/login\/otp$/)) return send({ step: b.code === '111111' ? 'password' : 'done' })
    if (is('POST', /^\/password$/)) return send({ step: 'done' })
    if (is('POST', /^\/logout$/)) { out = true; return send({ ok: true }) }
    if (is('GET', /^\/events$/)) { res.writeHead(200, { 'Content-Type': 'text/event-stream' }); res.write(': ok\n\n'); streams.add(res); res.on('close', () => streams.delete(res)); return }
    // Makes something happen, to see it arrive.
    if (is('POST', /^\/_news$/)) { rows = [...rows.filter(r => r.id !== 't3'), s.late].sort((x, y) => (x.clock?.dueDay ?? '').localeCompare(y.clock?.dueDay ?? '')); event('task', { ...s.counts, all: 13 }); return send({}) }
    if (is('POST', /^\/_change$/)) { view = { ...view, version: view.version + 1 }; event('case', { id: view.id }); return send({}) }
    if (is('GET', /^\/inbox$/)) {
      const v = url.searchParams.get('view')
      if (url.searchParams.has('cursor')) return send({ items: rows.slice(0, 3).map(r => ({ ...r, id: `${r.id}x`, no: `${r.no}9` })), next: '' })
      if (v === 'mine') return send({ code: 'internal', title: '系统出了问题，已记录', ticket: 'K7Q2M9AB' }, 500)
      return send({ items: v === 'overdue' ? [] : v === 'claimable' ? rows.filter(r => r.state === 'open') : rows, next: v === 'all' ? 'c' : '' })
    }
    if (is('GET', /^\/inbox\/counts$/)) return send(s.counts)
    if (is('POST', /^\/inbox\/next$/)) return send({ ...s.inbox[1], state: 'claimed' })
    if (is('GET', /^\/cases$/)) return send({ items: url.searchParams.get('q') === '没有' ? [] : s.cases, next: 'c' })
    if (is('GET', /^\/cases\/c-none$/)) return send({ code: 'case.not_found', title: '没有这件办件，或者您无权查看' }, 404)
    if (is('GET', /^\/cases\/[^/]+$/)) return send(view)
    if (is('POST', /^\/tasks\/t1\/claim$/)) return send({ code: 'task.taken', title: '这项待办已由同事领取' }, 409)
    if (is('POST', /^\/tasks\/.+\/(claim|release)$/)) return send(view)
    if (is('POST', /^\/tasks\/.+\/complete$/)) {
      if (b.version !== view.version) return send({ code: 'case.version', title: '这件办件刚刚有变化，请刷新后再试；您填的内容没有丢' }, 409)
      if (b.opinion === '') return send({ code: 'task.opinion', title: '请写明意见', fields: [{ path: 'opinion', rule: 'required', msg: '有存疑的须写明依据' }], ticket: 'K7Q2M9AB' }, 422)
      view = { ...view, version: view.version + 1, tasks: [{ ...view.tasks[0]!, mine: false, name: '登簿', assignee: 'u2' }], verbs: [] }
      return send(view)
    }
    if (is('POST', /^\/cases\/.+\/(verbs\/.+|consultations)$/)) {
      if (path.endsWith('consultations') ? !Array.isArray(b.depts) : b.version !== view.version) return send({ code: 'case.version', title: '这件办件刚刚有变化，请刷新后再试；您填的内容没有丢' }, 409)
      view = { ...view, version: view.version + 1 }
      return send(view)
    }
    if (is('GET', /^\/departments$/)) return send(s.departments)
    if (is('POST', /^\/cases\/.+\/unmask$/)) return send({ value: `${String(b.path)} 的全部内容` })
    if (is('POST', /^\/recordings\/.+\/review$/)) { view.recordings[0]!.review = b.result as 'pass'; view.recordings[0]!.reviewReason = String(b.reason); return send(view.recordings[0]) }
    const chunk = is('GET', /^\/recordings\/.+\/chunks\/(\d+)$/)
    if (chunk && clips !== '') { res.setHeader('Content-Type', 'video/webm'); res.end(readFileSync(`${clips}/${readdirSync(clips).sort()[Number(chunk[1])]}`)); return }
    if (is('GET', /\/file$/)) { res.setHeader('Content-Type', 'image/svg+xml'); res.end('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 560"><rect width="800" height="560" fill="#fffdf5"/><text x="60" y="90" font-size="32">样张</text></svg>'); return }
    return send({ code: 'not_found', title: '没有这个地址' }, 404)
  }

  return {
    name: 'desk-mock',
    configureServer(server) {
      server.middlewares.use('/api', (req, res) => {
        req.url = `/api${req.url ?? ''}`
        answer(req, res).catch((err: unknown) => { res.statusCode = 500; res.end(String(err)) })
      })
    },
  }
}
