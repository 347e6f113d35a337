import type { Clock, DeskView, JsonSchema, Verb } from '@haoban/api'
import { describe, expect, it, vi } from 'vitest'
import { checkSummary } from './checks'
import { lightReason, splitDue } from './due'
import { typing } from './keys'
import { linePaths, secretLeaves } from './masks'
import { mergeInPlace } from './merge'
import { playPieces } from './player'
import { emptyValues, verbBody, verbButton, verbErrors, verbTask } from './verbs'

const clock = (c: Partial<Clock>): Clock => ({ light: 'green', dueDay: '2026-11-26', remaining: 3, paused: false, text: '', basis: '', explain: [], ...c })
const verb = (v: Partial<Verb>): Verb => ({ id: 'x', label: '做', effect: '', danger: false, needs: [], ...v })

describe('deadlines', () => {
  it('splits what counts from the day', () => {
    expect(splitDue(clock({ text: '还剩 3 个工作日（11月26日止）' }))).toEqual({ main: '还剩 3 个工作日', day: '11月26日' })
    expect(splitDue(clock({ text: '超期 1 个工作日', dueDay: '2026-11-20' }), '2026-11-23T09:00:00+08:00')).toEqual({ main: '超期 1 个工作日', day: '11月20日' })
    expect(splitDue(clock({ text: '停止计时', dueDay: '' }))).toEqual({ main: '停止计时', day: '' })
    expect(splitDue(null)).toEqual({ main: '', day: '' })
  })
  it('says why a light is on', () => {
    expect(lightReason(clock({ light: 'red', remaining: -2, dueDay: '2026-11-20' }))).toBe('已超期：应在2026年11月20日（周五）办结，晚了 2 个工作日')
    expect(lightReason(clock({ light: 'yellow', remaining: 0 }))).toContain('今天是最后一天')
    expect(lightReason(clock({}))).toBe('')
    expect(lightReason(clock({ paused: true, light: 'none' }))).toContain('计时停着')
  })
})

describe('a list that does not move', () => {
  const r = (id: string, v = 1) => ({ id, v })
  it('changes rows in place, marks what went, holds back what came', () => {
    const m = mergeInPlace<{ id: string; v: number; gone?: boolean }>([r('a'), r('b'), r('c')], [r('n'), r('a', 2), r('c')], false)
    expect(m.rows).toEqual([r('a', 2), { ...r('b'), gone: true }, r('c')])
    expect(m.waiting).toEqual([r('n')])
  })
  it('leaves rows past the end of the fresh page alone', () => {
    expect(mergeInPlace([r('a'), r('b'), r('z')], [r('a'), r('b')], false).rows[2]).toEqual(r('z'))
    expect(mergeInPlace<{ id: string; v: number; gone?: boolean }>([r('a'), r('z')], [r('a')], true).rows[1]?.gone).toBe(true)
  })
})

describe('what is masked', () => {
  const schema: JsonSchema = {
    type: 'object', $defs: { who: { type: 'object', properties: { name: { type: 'string', title: '姓名', 'x-sensitive': 'name' }, id: { type: 'string', title: '身份证号', 'x-sensitive': true } } } },
    properties: { address: { type: 'string', title: '坐落', 'x-sensitive': 'address' }, area: { type: 'string', title: '面积' }, buyers: { type: 'array', items: { $ref: '#/$defs/who' } } },
  }
  const data = { address: '测试路***', area: '89', buyers: [{ name: '张*', id: '310***2X' }, { name: '张*', id: '310***11' }] }
  it('finds the path of every line, items numbered or not', () => {
    const leaves = secretLeaves(schema, data)
    expect(leaves.map(l => l.path)).toEqual(['address', 'buyers.0.name', 'buyers.0.id', 'buyers.1.name', 'buyers.1.id'])
    const lines = [{ label: '坐落', value: '测试路***' }, { label: '面积', value: '89' }, { label: '姓名1', value: '张*' }, { label: '姓名2', value: '张*' }, { label: '身份证号1', value: '310***2X' }, { label: '身份证号2', value: '310***11' }]
    expect(linePaths(lines, leaves)).toEqual(['address', '', 'buyers.0.name', 'buyers.1.name', 'buyers.0.id', 'buyers.1.id'])
    expect(linePaths([{ label: '别的', value: '*' }], leaves)).toEqual([''])
  })
})

describe('verbs', () => {
  it('names what is missing', () => {
    expect(Object.keys(verbErrors(verb({ needs: ['reason', 'to', 'person', 'persons', 'materials', 'depts', 'code', 'days'] }), { ...emptyValues(), days: 'x' })).sort())
      .toEqual(['code', 'days', 'depts', 'materials', 'person', 'persons', 'reason', 'to'])
    expect(verbErrors(verb({ needs: ['days'] }), emptyValues())).toEqual({})
  })
  it('sends what the house takes, and nothing else', () => {
    const x = { ...emptyValues(), reason: ' 缺页 ', to: 'accept', person: 'u2', persons: ['u2', 'u3'], materials: ['m1'], code: 'expert', days: '10' }
    expect(verbBody(verb({ id: 'return', needs: ['reason', 'to'] }), x, 't1')).toEqual({ task: 't1', reason: '缺页', to: 'accept' })
    expect(verbBody(verb({ id: 'transfer', needs: ['person', 'reason'] }), x, 't1')).toEqual({ task: 't1', reason: '缺页', to: 'u2' })
    expect(verbBody(verb({ id: 'cosign', needs: ['person'] }), x, 't1')).toEqual({ task: 't1', persons: ['u2'] })
    expect(verbBody(verb({ id: 'jointsign', needs: ['persons'] }), x, 't1')).toEqual({ task: 't1', persons: ['u2', 'u3'] })
    expect(verbBody(verb({ id: 'supplement', needs: ['reason', 'materials'], options: { materials: [{ id: 'm1', name: '户口簿' }] } }), x, 't1')).toEqual({ reason: '缺页', items: [{ node: 'm1', name: '户口簿' }] })
    expect(verbBody(verb({ id: 'suspend', needs: ['code', 'days', 'reason'] }), x, 't1')).toEqual({ reason: '缺页', code: 'expert', days: 10 })
    expect(verbBody(verb({ id: 'resume' }), x, 't1')).toEqual({})
  })
  it('names the act on the button', () => {
    expect(verbButton(verb({ id: 'return', label: '退回', options: { to: [{ id: 'a', name: '受理' }] } }), { ...emptyValues(), to: 'a' })).toBe('退回到受理')
    expect(verbButton(verb({ id: 'jointsign', label: '会签' }), { ...emptyValues(), persons: ['a', 'b'] })).toBe('请 2 位同事会签')
    expect(verbButton(verb({ id: 'reject', label: '不予受理' }), emptyValues())).toBe('不予受理')
  })
  it('is about one’s own step of the process', () => {
    const t = (id: string, mine: boolean, kind: string) => ({ id, mine, kind, node: '', name: '', assignee: '', state: 'open', outcomes: [] })
    expect(verbTask({ tasks: [t('a', false, 'process'), t('b', true, 'cosign'), t('c', true, 'process')] } as Pick<DeskView, 'tasks'>)?.id).toBe('c')
  })
})

it('adds up checks', () => {
  expect(checkSummary([{ verdict: 'PASS' }, { verdict: 'PASS' }, { verdict: 'MANUAL' }])).toBe('规则检查 3 项：2 项通过，1 项请您核对')
  expect(checkSummary([])).toBe('')
})

it('knows where letters are text', () => {
  const el = (html: string) => {
    document.body.innerHTML = html
    return document.body.firstElementChild
  }
  expect(typing(el('<textarea></textarea>'))).toBe(true)
  expect(typing(el('<input type="search">'))).toBe(true)
  expect(typing(el('<input type="checkbox">'))).toBe(false)
  expect(typing(el('<button></button>'))).toBe(false)
})

describe('a recording in pieces', () => {
  it('is put together in order where it cannot be played piece by piece', async () => {
    const asked: string[] = []
    const video = document.createElement('video')
    const load = vi.spyOn(video, 'load').mockImplementation(() => undefined)
    vi.stubGlobal('MediaSource', undefined)
    const share: number[] = []
    const stop = playPieces(video, {
      mime: 'video/webm', durationMs: 2000, pieces: [{ n: 0, size: 2 }, { n: 1, size: 2 }], url: n => `/c/${n}`, onProgress: x => share.push(x), onError: () => undefined,
      get: (async (u: string) => { asked.push(u); return new Response(new Uint8Array(2)) }) as typeof fetch,
    })
    await vi.waitFor(() => expect(video.src).toMatch(/^blob:/))
    expect(asked).toEqual(['/c/0', '/c/1'])
    expect(share).toEqual([0.5, 1])
    stop()
    expect(load).toHaveBeenCalled()
    vi.unstubAllGlobals()
  })
  it('names the piece that is missing', async () => {
    vi.stubGlobal('MediaSource', undefined)
    const msg = await new Promise<string>((done) => {
      playPieces(document.createElement('video'), { mime: '', durationMs: 0, pieces: [{ n: 4, size: 1 }], url: () => '/x', onProgress: () => undefined, onError: done, get: (async () => new Response('', { status: 404 })) as typeof fetch })
    })
    expect(msg).toBe('第 5 段读不出来')
    vi.unstubAllGlobals()
  })
})
