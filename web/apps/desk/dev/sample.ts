/* Sample answers for looking at the desk without a house. Nobody and nothing here is real. */
import { readFileSync } from 'node:fs'
import type * as t from '@haoban/api'

export const now = '2026-11-23T10:31:00+08:00'
export const session: t.StaffSession = { user: { id: 'u1', name: '王慧', org: '浦东登记中心', roles: ['审核', '登簿'], district: '浦东新区' }, step: 'done', csrf: 'x', now, demo: true }

const clock = (light: t.Light, remaining: number, dueDay: string, text: string): t.Clock => ({ light, remaining, dueDay, text, paused: false, basis: '', explain: [] })
export const due = {
  red: clock('red', -1, '2026-11-20', '超期 1 个工作日'), yellow: clock('yellow', 2, '2026-11-25', '还剩 2 个工作日（11月25日止）'), green: clock('green', 4, '2026-11-27', '还剩 4 个工作日（11月27日止）'),
  paused: { ...clock('none', 0, '', '停止计时'), paused: true } satisfies t.Clock,
}
const m = (slug: string, name: string): t.MatterRef => ({ slug, name })
const row = (id: string, no: string, matter: t.MatterRef, title: string, nodeText: string, at: string, c: t.Clock | null, more: Partial<t.TaskRow> = {}): t.TaskRow =>
  ({ id, caseId: `c-${id}`, no, matter, title, node: nodeText, nodeText, clock: c, at, parties: ['浦东新区'], tags: [], state: 'claimed', assignee: 'u1', isNew: false, ...more })
const presale = m('registry/presale-mortgage-notice', '预购商品房预告登记（含抵押）')
export const inbox: t.TaskRow[] = [
  row('t1', '网 2026 000087', m('registry/reissue', '补发不动产权证书'), '徐汇区测试路 20 号 301 室', '登簿', '11月19日 15:20', due.red, { state: 'open', assignee: '', isNew: true, parties: ['徐汇区'] }),
  row('t2', '网 2026 000123', presale, '测试路 1 弄 8 号 802 室', '审核', '11月23日 10:02', due.yellow),
  row('t3', '网 2026 000125', m('registry/spouse', '夫妻共有性质变更'), '杨浦区测试二村 5 号 102 室', '审核', '11月23日 09:40', due.yellow, { parties: ['杨浦区'] }),
  row('t4', '网 2026 000131', m('registry/mortgage-cancel', '抵押权注销登记'), '测试银行浦东支行 200 件', '审核', '11月20日 16:05', due.yellow, { state: 'open', assignee: '', isNew: true }),
  row('t5', '网 2026 000140', m('registry/rename', '名称变更登记'), '浦东新区测试大道 99 号', '受理', '11月20日 14:12', due.green, { tags: ['等补正'] }),
  row('t6', '规 2026 000018', m('permit/land-opinion', '规划土地意见书'), '临港测试地块 A-03', '审理', '11月16日 09:00', due.paused, { tags: ['停表'] }),
]
export const late: t.TaskRow = row('t7', '网 2026 000141', presale, '测试路 1 弄 8 号 901 室', '审核', '11月23日 10:31', due.yellow, { state: 'open', assignee: '', isNew: true })
export const counts: t.InboxCounts = { all: 12, overdue: 1, soon: 3, claimable: 27 }

const caseRow = (r: t.TaskRow, phase: t.Phase, phaseText: string): t.CaseRow => ({
  id: r.caseId, no: r.no, matter: r.matter, title: r.title, phase, phaseText, district: r.parties[0] ?? '', tags: [], clock: r.clock, openedAt: '2026-11-17T09:00:00+08:00', submittedAt: '2026-11-18T15:31:00+08:00', closedAt: '', parties: [], bundleId: 'b1', bundleSize: 1, nextText: '', steps: [],
})
export const cases: t.CaseRow[] = inbox.map((r, i) => caseRow(r, (['handling', 'handling', 'supplement', 'handling', 'submitted', 'paying'] as const)[i % 6]!, ['办理中', '办理中', '待补正', '办理中', '待受理', '待缴费'][i % 6]!))

const explain: t.ExplainLine[] = [
  { day: '2026-11-18', text: '受理，当日不计', counted: false }, { day: '2026-11-19', text: '第 1 个工作日', counted: true }, { day: '2026-11-20', text: '第 2 个工作日', counted: true },
  { day: '2026-11-21', text: '周六', counted: false }, { day: '2026-11-22', text: '周日', counted: false }, { day: '2026-11-23', text: '第 3 个工作日，今天', counted: true }, { day: '2026-11-24', text: '第 4 个工作日', counted: true }, { day: '2026-11-25', text: '第 5 个工作日，到期', counted: true },
]
const people = [{ id: 'u2', name: '赵敏' }, { id: 'u3', name: '陆测' }, { id: 'u4', name: '顾试' }]
const v = (n: number, name: string, mime: string, size: number): t.FileVersion => ({ n, name, mime, size, sm3: 'a3f1c09e5d7b88124c6f'.repeat(3).slice(0, 64), at: `2026-11-1${6 + n}T09:12:00+08:00`, by: '张*明' })
const material = (node: string, name: string, group: string, more: Partial<t.Material>): t.Material => ({ id: `m-${node}`, node, name, group, required: true, origin: 'upload', originText: '申请人上传，11月18日 09:12', state: 'present', versions: [], canWrite: false, canRead: true, ...more })
const read = (p: string) => {
  try {
    return readFileSync(new URL(p, import.meta.url), 'utf8')
  } catch {
    return ''
  }
}

export const desk: t.DeskView = {
  ...caseRow(inbox[1]!, 'handling', '办理中'), id: 'c-t2', version: 7, bundleSize: 2, parties: ['张*明', '李*', '测试置业有限公司', '测试银行浦东支行'],
  clock: { ...due.yellow, basis: '受理 11月18日，法定 5 个工作日', explain }, nextText: '登簿后不可撤回，只能更正。',
  steps: [{ name: '受理', state: 'done' }, { name: '审核', state: 'now' }, { name: '登簿', state: 'todo' }, { name: '发证明', state: 'todo' }],
  form: {
    schema: { type: 'object', properties: { contractNo: { type: 'string', title: '预售合同编号' }, address: { type: 'string', title: '坐落', 'x-sensitive': 'address' }, buyers: { type: 'array', items: { type: 'object', properties: { name: { type: 'string', title: '姓名', 'x-sensitive': 'name' }, idNo: { type: 'string', title: '身份证号', 'x-sensitive': true } } } } } },
    ui: { parts: [] }, data: { contractNo: '预 2026 0088123', address: '测试路 1 弄 ***', buyers: [{ name: '张*明', idNo: '310***********002X' }, { name: '李*', idNo: '310***********0011' }] }, errors: [], complete: {},
    facts: [{ path: '', label: '婚姻登记信息', value: '', masked: false, source: 'marriage', sourceText: '来自全国婚姻库，11月18日 09:12', at: now, locked: false, state: 'down', msg: '没有查到不等于没有，连上后会再取' }],
  },
  lines: [{ label: '预售合同编号', value: '预 2026 0088123' }, { label: '坐落', value: '测试路 1 弄 ***' }, { label: '建筑面积', value: '89.52 ㎡' }, { label: '总价', value: '6,180,000.00 元' }, { label: '姓名1', value: '张*明' }, { label: '姓名2', value: '李*' }, { label: '身份证号1', value: '310***********002X' }, { label: '身份证号2', value: '310***********0011' }, { label: '共有方式', value: '共同共有' }],
  materials: [
    material('household', '户口簿', '申请人上传', { versions: [v(1, '户口簿旧.jpg', 'image/jpeg', 2_100_000), v(2, '户口簿.jpg', 'image/jpeg', 2_400_000)] }),
    material('contract', '商品房买卖合同', '取自部门', { origin: 'partner', originText: '取自房管局，11月18日 09:12', versions: [v(1, '合同.pdf', 'application/pdf', 880_000)] }),
    material('permit', '预售许可', '取自部门', { id: '', state: 'exempt', origin: 'partner', originText: '取自房管局，11月18日 09:12', exemptReason: '数据已经取到，不用交纸质件' }),
    material('drawing', '平面图', '申请人上传', { versions: [v(1, '平面图.dwg', 'application/octet-stream', 9_800_000)] }),
    material('minor', '监护人证明', '申请人上传', { id: '', state: 'missing', hint: '购房人未成年时提供' }),
  ],
  partyList: [
    { id: 'p1', role: 'buyer', roleText: '购房人、抵押人', name: '张*明', kind: 'person', me: false, needs: [{ kind: 'face', text: '人脸核验', done: true }, { kind: 'recording', text: '录制意愿视频', done: true }, { kind: 'signature', text: '手写签名', done: true }], state: 'done', at: '2026-11-18T13:50:00+08:00', expiresAt: '', order: 1 },
    { id: 'p2', role: 'buyer', roleText: '购房人', name: '李*', kind: 'person', me: false, needs: [{ kind: 'face', done: true }, { kind: 'recording', done: true }, { kind: 'signature', done: true }], state: 'done', at: '2026-11-18T14:05:00+08:00', order: 1 },
    { id: 'p3', role: 'bank', roleText: '抵押权人', name: '测试银行浦东支行', kind: 'org', me: false, needs: [{ kind: 'agree', done: true }, { kind: 'seal', done: false }], state: 'waiting', expiresAt: '2026-11-26T23:59:00+08:00', order: 2 },
  ],
  timeline: [
    { at: '2026-11-23T10:02:00+08:00', actor: '王慧', text: '王慧 领取 审核', kind: 'claimed' }, { at: '2026-11-18T16:40:00+08:00', actor: '赵敏', text: '受理：材料齐全', kind: 'completed', reason: '材料齐全，符合法定形式' },
    { at: '2026-11-18T15:31:00+08:00', actor: '测试银行', text: '确认并签章', kind: 'consented' }, { at: '2026-11-18T14:05:00+08:00', actor: '李*', text: '意愿确认完成', kind: 'consented' }, { at: '2026-11-18T13:50:00+08:00', actor: '张*明', text: '意愿确认完成', kind: 'consented' },
  ],
  verbs: [
    { id: 'supplement', label: '要求补正', effect: '一次告知申请人要补什么；受理后补正不停止计时', danger: false, needs: ['reason', 'materials'], options: { materials: [{ id: 'household', name: '户口簿' }, { id: 'minor', name: '监护人证明' }] } },
    { id: 'return', label: '退回', effect: '退回到选定的环节重新办理；期限不重新计算', danger: false, needs: ['reason', 'to'], options: { to: [{ id: 'accept', name: '受理' }] } },
    { id: 'transfer', label: '转办', effect: '交给选定的同事办理', danger: false, needs: ['person', 'reason'], options: { persons: people } },
    { id: 'cosign', label: '加签', effect: '请一位同事先签意见，签完再由您办', danger: false, needs: ['person'], options: { persons: people } },
    { id: 'jointsign', label: '会签', effect: '请几位同事同时签意见，收齐再由您办', danger: false, needs: ['persons'], options: { persons: people } },
    { id: 'suspend', label: '停止计时', effect: '只有列出的情形可以停表，申请人会看到理由和依据', danger: false, needs: ['code', 'days', 'reason'], options: { codes: [{ id: 'expert', name: '专家评审（许可法第四十五条）' }] } },
    { id: 'consult', label: '征询部门', effect: '向选定的部门征求意见，计时不停', danger: false, needs: ['depts', 'reason'] },
    { id: 'extend', label: '延长期限', effect: '经批准延长一次，申请人会收到理由', danger: true, needs: ['reason'] },
  ],
  checks: [
    { rule: 'a', name: '在预售许可范围内', verdict: 'PASS', text: '预售许可证号相符', basis: '城市商品房预售管理办法第六条', at: now }, { rule: 'b', name: '没有查封', verdict: 'PASS', text: '', basis: '', at: now },
    { rule: 'c', name: '面积一致', verdict: 'WARN', text: '扫描件识别的面积是 89.25 ㎡，与合同不同', basis: '不动产登记规程 4.3.2', at: now },
  ],
  fee: { state: 'due', amount: 8000, text: '80.00 元', rule: '住宅登记费每件 80 元', basis: '发改价格规〔2016〕2559号' },
  results: [{ id: 'r1', kind: 'x', kindText: '不动产登记证明', no: '沪（2026）浦字不动产证明第 000001 号（测）', state: 'valid', stateText: '有效', issuedAt: now, fileUrl: '', caseId: 'c-t2' }],
  consultations: [
    { id: 'k1', deptName: '区绿化市容局', level: '区', state: 'asked', askedAt: '2026-11-20T09:00:00+08:00', replyBy: '2026-11-27', content: '请就地块内公共绿地占用情况提出意见。' },
    { id: 'k2', deptName: '市交通委', level: '市', state: 'replied', askedAt: '2026-11-20T09:00:00+08:00', replyBy: '2026-11-27', opinion: '有条件同意', text: '出入口距交叉口不小于 70 米。', content: '请就出入口位置提出意见。' },
  ],
  bundle: [{ caseId: 'c-t2', matterName: '预购商品房预告登记', mine: true }, { caseId: 'c-t3', matterName: '预购商品房抵押预告登记', mine: false }],
  tree: [
    { group: '申请', nodes: [{ id: 'form', name: '申请内容', origin: '', originText: '', kind: 'form', tag: '已提交', tone: 'good' }, { id: 'facts', name: '核验对照', origin: '', originText: '', kind: 'facts', tag: '', tone: '' }] },
    { group: '各方意愿', nodes: [{ id: 'rec1', name: '张*明 意愿录像', origin: '', originText: '', kind: 'recording', recordingId: 'rec1', tag: '未审', tone: '' }] },
    { group: '取自部门', nodes: [{ id: 'contract', name: '商品房买卖合同', origin: 'partner', originText: '取自房管局，11月18日 09:12', kind: 'file', materialId: 'm-contract', tag: '部门数据', tone: '' }, { id: 'permit', name: '预售许可', origin: 'partner', originText: '取自房管局', kind: 'facts', tag: '免交', tone: 'good' }] },
    { group: '申请人上传', nodes: [{ id: 'household', name: '户口簿', origin: 'upload', originText: '申请人上传，11月18日 09:12', kind: 'file', materialId: 'm-household', tag: '人工上传', tone: '' }, { id: 'drawing', name: '平面图', origin: 'upload', originText: '申请人上传', kind: 'file', materialId: 'm-drawing', tag: '人工上传', tone: '' }, { id: 'minor', name: '监护人证明', origin: 'upload', originText: '', kind: 'file', tag: '未提交', tone: 'soon' }] },
    { group: '征询', nodes: [{ id: 'k1', name: '区绿化市容局', origin: '', originText: '', kind: 'consult', tag: '待答复', tone: '' }, { id: 'k2', name: '市交通委', origin: '', originText: '', kind: 'consult', tag: '有条件同意', tone: 'good' }] },
  ],
  tasks: [{ id: 't2', node: 'review', name: '审核', assignee: 'u1', mine: true, state: 'claimed', kind: 'process', outcomes: [{ id: 'pass', text: '通过，进入登簿', effect: '交给登簿人员，您不能再改', danger: false }, { id: 'refuse', text: '不予登记', effect: '不予登记：办件终止，申请人收到理由', danger: true }] }],
  process: { xml: read('../../../../matters/registry/reissue/process.bpmn'), active: [], done: [] },
  compare: [
    ['合同编号', '预 2026 0088123', '预 2026 0088123'], ['房屋坐落', '测试路 1 弄 ***', '测试路 1 弄 ***'], ['建筑面积', '89.25 ㎡', '89.52 ㎡'], ['总价', '6,180,000.00 元', '6,180,000.00 元'],
  ].map(([label, a, b]) => ({ label: label!, values: [{ source: '申报', value: a!, same: a === b }, { source: '房管局网签 11月18日 09:12', value: b!, same: a === b }] })),
  recordings: [{ id: 'rec1', name: '张*明 意愿录像', mime: 'video/webm;codecs=vp8', durationMs: 6000, chunks: [], questions: [{ id: 'q1', text: '您是本人自愿购买这处房屋吗', said: '是，自愿的', atMs: 1000 }, { id: 'q2', text: '您知道房屋要抵押给银行吗', said: '知道', atMs: 4000 }], integrity: { ok: true, text: '每一段的摘要与录制时一致' }, review: '', reviewReason: '' }],
  guard: '国土空间规划审查：登簿前须由处室负责人在内网系统核对一次。',
}
const ids = [...desk.process.xml.matchAll(/<(?:\w+:)?userTask id="([^"]+)"/g)].map(x => x[1]!)
desk.process.done = ids.slice(0, 2)
desk.process.active = ids.slice(2, 3)
export const departments = [{ code: 'd1', name: '区绿化市容局', level: '区' }, { code: 'd2', name: '市交通委', level: '市' }, { code: 'd3', name: '区水务局', level: '区' }]
