import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin } from 'vite'
import * as s from './sample.ts'

async function body(req: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const p of req) {
    parts.push(p as Buffer)
  }
  return Buffer.concat(parts)
}

/** Answers the public API with samples, so that pages can be looked at without a house. */
export function mock(): Plugin {
  let view = structuredClone(s.caseView)
  const sizes = new Map<string, { offset: number; size: number; node: string }>()

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://mock')
    const path = url.pathname.replace('/api/v1/public', '')
    const raw = await body(req)
    const json = () => JSON.parse(raw.length > 0 ? raw.toString() : '{}') as Record<string, unknown>
    const send = (data: unknown, status = 200) => {
      res.statusCode = status
      res.setHeader('Content-Type', status < 400 ? 'application/json' : 'application/problem+json')
      res.end(data === undefined ? '' : JSON.stringify(data))
    }
    const is = (method: string, re: RegExp) => (req.method === method ? re.exec(path) : null)

    if (is('GET', /^\/session$/)) return send(req.headers.cookie?.includes('out=1') ? { ...s.session, person: null } : s.session)
    if (is('GET', /^\/login\//)) { res.statusCode = 302; res.setHeader('Location', url.searchParams.get('to') ?? '/'); res.end(); return }
    if (is('GET', /^\/events$/)) { res.writeHead(200, { 'Content-Type': 'text/event-stream' }); res.write(': ok\n\n'); return }
    if (is('GET', /^\/home$/)) return send(s.home)
    if (is('GET', /^\/properties$/)) return send(s.properties)
    if (is('GET', /^\/matters$/)) return send(s.matters)
    if (is('GET', /^\/matters\/.+/)) return send(path.includes('spouse') ? { ...s.matter, name: '夫妻共有性质变更', with: [], eligible: { ok: false, reasons: ['这处房屋有查封，解除前不能变更'] } } : s.matter)
    if (is('GET', /^\/sessions$/)) return send([{ id: '1', device: '安卓手机，随申办', ip: '10.0.*.*', at: s.now, lastAt: s.now, current: true }, { id: '2', device: 'Windows 电脑，Edge 浏览器', ip: '10.1.*.*', at: '2026-11-20T09:00:00+08:00', lastAt: '2026-11-20T09:10:00+08:00', current: false }])
    if (is('GET', /^\/me$/)) return send(s.me)
    if (is('POST', /^\/me\/phone-code$/)) return send({ resendAfterSec: 60 })
    if (is('GET', /^\/cases$/)) return send({ items: url.searchParams.get('state') === 'done' ? s.home.done : s.home.open, next: '' })
    if (is('POST', /^\/cases$/)) return send(view)
    if (is('GET', /^\/cases\/nope$/)) return send({ code: 'case.notfound', title: '没有找到这件办件' }, 404)
    if (is('GET', /^\/cases\/down$/)) return send({ code: 'internal', title: '系统出了问题，已记录', ticket: 'H-20261123-0042' }, 500)
    if (is('GET', /^\/cases\/c4$/)) return send(s.handling)
    if (is('GET', /^\/cases\/[^/]+\/fee$/)) return send({ ...s.fee, state: 'ordered', qr: s.qr, expiresAt: '2026-11-23T23:59:00+08:00' })
    if (is('POST', /^\/cases\/[^/]+\/fee\/order$/)) return send({ ...s.fee, state: 'ordered', qr: s.qr, expiresAt: '2026-11-23T23:59:00+08:00' })
    if (is('POST', /^\/cases\/[^/]+\/parties\/.+\/link$/)) return send({ url: 'https://example.invalid/links/abc', qr: s.qr, expiresAt: '2026-11-26T18:00:00+08:00' })
    if (is('PUT', /^\/cases\/[^/]+\/form$/)) {
      const b = json() as { version: number; data: Record<string, unknown> }
      if (b.version !== view.version) return send({ code: 'case.version', title: '这件办件刚被别处改过，请重新载入' }, 409)
      const data = { ...view.form.data }
      for (const [k, v] of Object.entries(b.data)) {
        if (v === null) delete data[k]
        else data[k] = v
      }
      const errors = s.caseView.form.errors.filter(e => (e.path === 'share' ? data.shared === 'parts' && data.share !== '1/2' : data[e.path] === undefined || data[e.path] === ''))
      const bad = (f: string[]) => errors.some(e => f.includes(e.path))
      view = { ...view, version: view.version + 1, form: { ...view.form, data, errors, complete: Object.fromEntries(view.form.ui.parts.map(p => [p.id, !bad(p.fields.map(x => (typeof x === 'string' ? x : x.path)))])) } }
      return send({ version: view.version, savedAt: '2026-11-23T09:21:00+08:00', errors, complete: view.form.complete })
    }
    if (is('POST', /^\/cases\/[^/]+\/ready$/)) { view = { ...view, phase: 'consent', phaseText: '各方确认', version: view.version + 1 }; return send(view) }
    if (is('POST', /^\/cases\/[^/]+\/(prefill|verbs\/.+|submit)$/)) return send(path.includes('/c4/') ? s.handling : view)
    if (is('POST', /^\/cases\/[^/]+\/checks$/)) return send(view.checks)
    if (is('GET', /^\/cases\/[^/]+$/)) return send(view)
    if (is('POST', /^\/uploads$/)) { const b = json() as { size: number; node: string }; sizes.set('u1', { offset: 0, size: b.size, node: b.node }); return send({ id: 'u1', offset: 0, chunkSize: 65536 }) }
    if (is('PUT', /^\/uploads\//)) { const u = sizes.get('u1')!; u.offset += raw.length; await new Promise(r => setTimeout(r, 150)); return send({ offset: u.offset }) }
    if (is('GET', /^\/uploads\//)) return sizes.has('u1') ? send(sizes.get('u1')) : send({ title: '没有' }, 404)
    if (is('POST', /^\/uploads\/.+\/finish$/)) { view = { ...view, materials: view.materials.map(m => (m.node === sizes.get('u1')?.node ? { ...m, state: 'present', versions: [{ n: 1, name: '户口簿.jpg', size: 400000, mime: 'image/jpeg', sm3: '', at: s.now, by: '' }] } : m)) }; return send(view) }
    if (is('GET', /^\/consents\//)) return send(s.consent)
    if (is('POST', /^\/consents\/.+\/face$/)) return send({ ok: true, score: 0.93, at: s.now })
    if (is('POST', /^\/consents\/.+\/recording$/)) return send({ recordingId: 'rec1' })
    if (is('GET', /^\/links\/bad$/)) return send({ title: '没有找到这个链接' }, 404)
    if (is('GET', /^\/links\//)) return send({ consentId: 'n1' })
    if (is('GET', /^\/results$/)) return send({ items: [s.result], next: '' })
    if (is('GET', /^\/results\/[^/]+$/)) return send(s.result)
    if (is('PUT', /^\/results\/.+\/qr$/)) { const b = json() as { on: boolean }; return send({ ...s.result, qr: { ...s.result.qr, on: b.on } }) }
    if (is('GET', /^\/verify\//)) return send(path.includes('void') ? { ...s.verification, verdict: 'voided', facts: [], text: '2026年11月21日作废，原因：更正登记。' } : path.includes('nope') ? { verdict: 'unknown', text: '可能不是本局出具的，或者核验码不完整。', at: s.now, facts: [], checks: [] } : s.verification)
    if (is('GET', /^\/grants$/)) return send([{ id: 'g1', orgName: '测试置业有限公司', matters: [{ slug: 'a', name: '预购商品房预告登记' }], unit: 'u', unitText: '浦东新区测试路 1 弄 8 号 802 室', until: '2027-03-31', state: 'active', at: s.now }])
    if (is('GET', /^\/grants\/developers$/)) return send([{ id: 'o1', name: '测试置业有限公司' }])
    if (is('GET', /^\/notices$/)) return send({ items: [{ id: 'x1', no: '声 2026 000012', certNo: '沪（2019）徐字不动产权第 000001 号（测）', body: '陈*遗失徐汇区测试路 20 号 301 室的不动产权证书，声明作废。', publishedAt: '2026-11-19T10:00:00+08:00' }], next: '' })
    if (is('GET', /^\/verify-no$/)) return send({ verdict: 'lost', text: '已声明遗失，不再有效', at: s.now, facts: [{ label: '证号', value: '测' }, { label: '声明日期', value: '2026年11月19日' }], checks: [] })
    if (req.method !== 'GET') { res.statusCode = 204; res.end(); return }
    return send({ title: '没有这个接口' }, 404)
  }

  return {
    name: 'haoban-mock',
    configureServer(server) {
      server.middlewares.use((req, res, next) => {
        if (req.url?.startsWith('/api/v1/public') !== true) {
          next()
          return
        }
        answer(req, res).catch((err: unknown) => next(err))
      })
    },
  }
}
