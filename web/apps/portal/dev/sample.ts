/* Sample answers for looking at pages without a house. Nobody and nothing here is real. */
import type * as t from '@haoban/api'

export const now = '2026-11-23T09:31:00+08:00'
const svg = (s: string) => `data:image/svg+xml,${encodeURIComponent(s)}`
export const qr = svg(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21" shape-rendering="crispEdges"><rect width="21" height="21" fill="#fff"/>${Array.from({ length: 441 }, (_, i) => ((i * 7919 + (i % 21) * 31) % 5 < 2 || (i % 21 < 7 && i < 147 && (i % 21 === 0 || i % 21 === 6 || i < 21 || i > 125))) ? `<rect x="${i % 21}" y="${Math.floor(i / 21)}" width="1" height="1"/>` : '').join('')}</svg>`)

export const session: t.Session = {
  person: { id: 'p1', name: '张*明', kind: 'person' }, org: null, orgs: [{ id: 'o1', name: '测试置业有限公司' }], csrf: 'x',
  methods: [{ id: 'ywtb', name: '一网通办' }, { id: 'fryzt', name: '法人一证通' }], now, demo: true,
}

export const clock: t.Clock = {
  light: 'yellow', dueDay: '2026-11-26', remaining: 3, paused: false, text: '还剩 3 个工作日（11月26日止）', basis: '《不动产登记暂行条例》第二十条，承诺 5 个工作日办结，受理次日起计',
  explain: [
    { day: '2026-11-19', text: '受理（11月18日）的第二天，周四', counted: true }, { day: '2026-11-20', text: '周五', counted: true }, { day: '2026-11-21', text: '周六', counted: false },
    { day: '2026-11-22', text: '周日', counted: false }, { day: '2026-11-23', text: '今天，周一', counted: true }, { day: '2026-11-24', text: '周二', counted: true }, { day: '2026-11-25', text: '周三', counted: true },
  ],
}

const steps = (n: number, names = ['填报', '各方确认签署', '受理', '审核登簿', '领证明']): t.Step[] => names.map((name, i) => ({ name, state: i < n ? 'done' : i === n ? 'now' : 'todo' }))

export const row: t.CaseRow = {
  id: 'c1', no: '网 2026 000123', matter: { slug: 'registry/presale-notice', name: '预购商品房预告登记（含抵押）' }, title: '浦东新区测试路 1 弄 8 号 802 室', phase: 'consent', phaseText: '等您和银行确认', district: '浦东新区', tags: [],
  clock: null, openedAt: '2026-11-23T09:00:00+08:00', parties: ['张*明', '李*'], bundleSize: 2, nextText: '各方都确认后自动提交。受理后 5 个工作日内办结，预计 12月3日前。', steps: steps(1),
}

export const home: t.Home = {
  todos: [
    { kind: 'consent', caseId: 'c1', consentId: 'n1', title: '确认您真实的购房意愿', text: '预购商品房预告登记 · 浦东新区测试路 1 弄 8 号 802 室。录一段约 2 分钟的视频，请准备身份证。', dueText: '还剩 3 个工作日（11月26日止） · 配偶李*已完成', label: '开始确认', to: '' },
    { kind: 'pay', caseId: 'c3', title: '缴纳登记费 10.00 元', text: '补发不动产权证书 · 徐汇区测试路 20 号 301 室', dueText: '今天 24:00 前有效，逾期可重新生成', label: '去缴费', to: '' },
  ],
  open: [row, { ...row, id: 'c4', no: '网 2026 000087', matter: { slug: 'x', name: '夫妻共有性质变更' }, title: '徐汇区测试路 20 号 301 室', phase: 'handling', phaseText: '审核', clock, bundleSize: 1, nextText: '', steps: steps(3, ['填报', '受理', '初审', '审核登簿', '领证']) }],
  done: [{ ...row, id: 'c5', no: '测 2026 000045', matter: { slug: 'y', name: '本市房屋查询结果证明' }, title: '用途：子女入学', phase: 'closed', phaseText: '已出具', closedAt: '2026-11-20T15:00:00+08:00', bundleSize: 1, nextText: '', steps: [] }],
}

export const properties: t.Properties = {
  state: 'ok', at: '2026-11-23T09:12:00+08:00', items: [
    { unit: '310199001001GB00001F00010001', address: '徐汇区测试路 20 号 301 室', ownership: '共同共有', area: '89.52 ㎡', status: [{ code: 'free', text: '无抵押、无查封' }], certNo: '沪（2019）徐字不动产权第 000001 号（测）', can: [{ slug: 'registry/spouse', name: '夫妻加名、减名' }, { slug: 'registry/reissue', name: '证书遗失补发' }] },
    { unit: '310199001001GB00001F00010802', address: '浦东新区测试路 1 弄 8 号 802 室', ownership: '预购', area: '89.52 ㎡', status: [{ code: 'mortgage', text: '预告登记办理中' }], certNo: '', can: [] },
  ],
}

export const matters: t.MatterList = {
  groups: [
    { name: '不动产登记', items: [
      { slug: 'registry/presale-notice', name: '预购商品房预告登记（含抵押）', summary: '买新房、贷款按揭，一次办预告和抵押预告', who: '购房人、开发企业、贷款银行' },
      { slug: 'registry/spouse', name: '夫妻共有性质变更', summary: '夫妻加名、减名，改共有方式', who: '夫妻双方' },
      { slug: 'registry/mortgage-cancel', name: '抵押权注销登记', summary: '还清贷款后注销抵押', who: '房屋权利人或银行' },
      { slug: 'registry/reissue', name: '证书遗失补发', summary: '公告 15 个工作日后补发', who: '权利人本人' },
    ] },
    { name: '查询和证明', items: [{ slug: 'registry/house-search', name: '本市房屋查询结果证明', summary: '证明名下本市住房的情况，当场出具', who: '个人' }] },
    { name: '规划和土地', items: [{ slug: 'permit/opinion', name: '规划土地意见书', summary: '建设项目用地和规划条件', who: '建设单位' }] },
  ],
}

export const matter: t.Matter = {
  slug: 'registry/presale-notice', name: '预购商品房预告登记（含抵押）', who: '已网签的购房人。有共同购房人、开发企业、贷款银行的，各方都要确认。',
  needs: [{ name: '身份证', text: '人脸核验用，不用上传' }, { name: '户口簿', text: '仅未成年购房人需要' }],
  fetched: [{ name: '商品房买卖合同', from: '房管局' }, { name: '预售许可', from: '房管局' }, { name: '婚姻登记信息', from: '全国婚姻库' }, { name: '房屋权利状态', from: '登记簿' }],
  days: { legal: 30, text: '受理后 5 个工作日办结，最近多为 3 个工作日', basis: '法定 30 个工作日，本市承诺 5 个' }, fee: { text: '不收费', basis: '财税〔2019〕45 号' }, basis: ['《中华人民共和国民法典》第二百二十一条', '《不动产登记暂行条例》第三条'],
  results: ['不动产登记证明'], steps: ['在线填报，信息自动取来', '各方在手机上确认、签名', '登记机构受理、审核、登簿', '领电子登记证明'], with: [{ slug: 'registry/mortgage-notice', name: '抵押权预告登记', text: '贷款买房的一并办' }], eligible: { ok: true, reasons: [] },
}

const fact = (path: string, label: string, value: string, sourceText: string, more: Partial<t.Fact> = {}): t.Fact => ({ path, label, value, masked: false, source: sourceText.replace(/^来自|，.*$/g, ''), sourceText, at: now, locked: true, state: 'ok', ...more })

export const schema: t.JsonSchema = {
  type: 'object', required: ['shared', 'price', 'mobile', 'payDay'],
  properties: {
    buyer: { type: 'string', title: '购房人' }, idNo: { type: 'string', title: '身份证号' }, marriage: { type: 'string', title: '婚姻' },
    shared: { type: 'string', title: '两人怎么共有', oneOf: [{ const: 'joint', title: '共同共有', description: '不分份额' }, { const: 'parts', title: '按份共有', description: '各有明确份额' }] },
    share: { type: 'string', title: '李*的份额', 'x-format': 'share' },
    mobile: { type: 'string', title: '联系手机', 'x-format': 'mobile' }, address: { type: 'string', title: '送达地址', maxLength: 200 },
    price: { type: 'integer', title: '合同总价', 'x-format': 'money' }, payDay: { type: 'string', format: 'date', title: '签约日期' }, contract: { type: 'string', title: '合同编号' },
    loan: { type: 'boolean', title: '是否贷款' }, bank: { type: 'string', title: '贷款银行', enum: ['甲', '乙', '丙', '丁', '戊', '己', '庚', '辛'], 'x-labels': { 甲: '测试银行浦东支行' } },
    kin: { type: 'array', title: '未成年共有人', maxItems: 3, items: { type: 'object', required: ['name'], properties: { name: { type: 'string', title: '姓名' }, relation: { type: 'string', title: '关系', enum: ['子', '女'] } } } },
    uses: { type: 'array', title: '用途', items: { type: 'string', enum: ['自住', '出租', '其他'] } },
  },
}
export const ui: t.FormUi = {
  parts: [
    { id: 'people', title: '购房人和份额', fields: ['buyer', 'idNo', 'marriage', { path: 'shared', hint: '婚后购买一般为共同共有。选按份共有，份额会写进登记证明。' }, { path: 'share', hint: '写分数，如 1/2。您的份额：1/2', when: 'shared == "parts"' }, 'kin'] },
    { id: 'contact', title: '联系方式', hint: '短信和文书会送到这里。', fields: ['mobile', 'address'] },
    { id: 'house', title: '合同和房屋', fields: ['contract', 'price', 'payDay', 'uses'] },
    { id: 'loan', title: '贷款', fields: ['loan', { path: 'bank', when: 'loan == true' }] },
  ],
}

const file = (n: number, name: string): t.FileVersion => ({ n, name, size: 1_245_000, mime: 'application/pdf', sm3: 'ab', at: '2026-11-23T09:12:00+08:00', by: '' })
export const materials: t.Material[] = [
  { id: 'm1', node: 'contract', name: '商品房买卖合同', required: true, origin: 'partner', originText: '取自：房管局，今天 09:12', state: 'present', versions: [file(1, '商品房买卖合同.pdf')], canWrite: false, canRead: true },
  { id: 'm2', node: 'marriage', name: '婚姻登记信息', required: true, origin: 'partner', originText: '正在从全国婚姻库取', state: 'fetching', versions: [], canWrite: false, canRead: false },
  { id: 'm3', node: 'hukou', name: '户口簿', required: false, origin: 'upload', originText: '', state: 'missing', versions: [], canWrite: true, canRead: true },
  { id: 'm4', node: 'idcard', name: '身份证', required: true, origin: 'upload', originText: '', state: 'exempt', versions: [], canWrite: false, canRead: false, exemptReason: '已人脸核验，免交' },
  { id: 'm5', node: 'proof', name: '首付款凭证', required: true, origin: 'upload', originText: '退回原因：照片看不清', state: 'refused', versions: [file(1, '首付款.jpg')], canWrite: true, canRead: true },
]
export const parties: t.Party[] = [
  { id: 'a', role: 'buyer', roleText: '购房人', name: '张*明', kind: 'person', me: true, needs: [{ kind: 'face', done: true }, { kind: 'recording', done: false }, { kind: 'signature', done: false }], state: 'waiting', expiresAt: '2026-11-26' },
  { id: 'b', role: 'spouse', roleText: '共同购房人', name: '李*', kind: 'person', me: false, needs: [{ kind: 'face', done: true }, { kind: 'recording', done: true }, { kind: 'signature', done: true }], state: 'done', at: '2026-11-23T09:05:00+08:00' },
  { id: 'c', role: 'developer', roleText: '开发企业', name: '测试置业有限公司', kind: 'org', me: false, needs: [{ kind: 'seal', done: false }], state: 'waiting', expiresAt: '2026-11-26' },
]
export const timeline: t.TimelineItem[] = [
  { at: '2026-11-23T09:12:00+08:00', actor: '张*明', text: '填报购房人和份额', kind: 'form' },
  { at: '2026-11-22T16:40:00+08:00', actor: '赵敏', text: '要求补正', kind: 'supplement', reason: '首付款凭证照片看不清，请重拍' },
  { at: '2026-11-18T15:31:00+08:00', actor: '测试银行', text: '确认并签章', kind: 'consent' },
]
export const fee: t.Fee = { state: 'due', amount: 1000, text: '10.00 元', rule: '每增发一本证书 10 元', basis: '发改价格规〔2016〕2559 号' }
export const result: t.Result = { id: 'r1', kind: 'proof', kindText: '上海市房屋查询结果证明', no: '测 2026 000045', state: 'valid', stateText: '有效', issuedAt: '2026-11-20T15:00:00+08:00', fileUrl: '#', caseId: 'c5', purpose: '子女入学', qr: { on: true, expiresAt: '2026-11-30T23:59:00+08:00', url: 'https://example.invalid/verify/abc', image: qr, fields: ['name', 'use'], all: [{ id: 'name', label: '姓名', value: '张*明', on: true }, { id: 'use', label: '用途', value: '子女入学', on: true }, { id: 'id', label: '证件号', value: '3101991990********', on: false }] } }

export const caseView: t.CaseView = {
  ...row, phase: 'draft', phaseText: '填报', steps: steps(0), version: 3, partyList: parties,
  form: {
    schema, ui, data: { shared: 'parts', share: '2/5', price: 618000000, mobile: '' }, complete: { people: false, contact: false, house: false, loan: false },
    facts: [
      fact('buyer', '购房人', '张*明', '来自一网通办登录信息，今天 09:12'), fact('idNo', '身份证号', '3101991990********', '来自一网通办登录信息，今天 09:12', { masked: true }),
      fact('marriage', '婚姻', '与李*（2015年登记）', '来自全国婚姻库，今天 09:12'), fact('contract', '合同编号', '', '来自房管局', { state: 'down', source: '房管局' }), fact('price', '合同总价', '6,180,000.00 元', '来自房管局网签，今天 09:12', { locked: false }),
    ],
    errors: [{ path: 'share', rule: 'sum', msg: '两人份额合起来是 90%，应为 100%。李*的份额应填 1/2，或修改您的份额。' }, { path: 'mobile', rule: 'required', msg: '请填联系手机' }, { path: 'payDay', rule: 'required', msg: '请填签约日期' }],
  },
  materials, timeline, verbs: [{ id: 'withdraw', label: '撤件', effect: '撤回这件办件，已填的内容保留 30 天，不再办理。', danger: true, needs: ['reason'] }],
  checks: [{ rule: 'r1', verdict: 'WARN', text: '房管局暂时连不上，合同编号稍后自动核对。', basis: '', at: now }, { rule: 'r2', verdict: 'RISK_ACK', text: '预告登记后 90 天内须申请正式登记，逾期失效。', basis: '《民法典》第二百二十一条', at: now }],
  fee: null, results: [], consultations: [], bundle: [{ caseId: 'c1', matterName: '预购商品房预告登记', mine: true }, { caseId: 'c2', matterName: '抵押权预告登记', mine: true }],
}
export const handling: t.CaseView = {
  ...caseView, id: 'c4', no: '网 2026 000087', matter: { slug: 'x', name: '证书遗失补发' }, phase: 'supplement', phaseText: '待补正', submittedAt: '2026-11-18T15:31:00+08:00', clock, steps: steps(2, ['填报', '受理', '公告', '审核登簿', '领证']), nextText: '请在 11月26日前补齐首付款凭证，补正期间不停止计时。', fee, results: [result], bundle: [],
  verbs: [{ id: 'supplemented', label: '补正完成', effect: '交回受理人员核对，从今天接着计时。', danger: false, needs: [] }, { id: 'remind', label: '催办', effect: '提醒办理人员，每天一次。', danger: false, needs: [] }, { id: 'withdraw', label: '撤件', effect: '撤回这件办件，不再办理，材料退还。', danger: true, needs: ['reason'] }],
  consultations: [{ id: 'k1', deptName: '区文化和旅游局', level: '区', state: 'replied', askedAt: '2026-11-18T10:00:00+08:00', replyBy: '2026-11-25', opinion: '同意', text: '不涉及文物保护范围。', files: [{ id: 'f1', name: '复函.pdf' }] }, { id: 'k2', deptName: '市绿化和市容管理局', level: '市', state: 'asked', askedAt: '2026-11-20T10:00:00+08:00', replyBy: '2026-11-27', files: [] }],
}
export const consent: t.Consent = {
  id: 'n1', caseId: 'c1', title: '预购商品房预告登记（含抵押）', role: '购房人', state: 'waiting', expiresAt: '2026-11-26', digest: 'a1b2c3d4e5f60718293a4b5c6d7e8f90', papers: [{ materialId: 'm1', name: '预告登记申请书', fileUrl: '#' }, { materialId: 'm2', name: '预告登记约定书', fileUrl: '#' }],
  summary: [{ label: '房屋', value: '浦东新区测试路 1 弄 8 号 802 室' }, { label: '总价', value: '6,180,000.00 元' }, { label: '共有方式', value: '与李*按份共有，各 1/2' }],
  questions: [{ id: 'q1', text: '请说出您的姓名和身份证号后四位。' }, { id: 'q2', text: '您是否自愿购买浦东新区测试路 1 弄 8 号 802 室？' }, { id: 'q3', text: '您是否清楚总价为 618 万元？' }],
  needs: [{ kind: 'face', done: false }, { kind: 'recording', done: false }, { kind: 'signature', done: false }], privacyText: '为办理登记，我们使用您的人脸照片、录像、签名，只用于核验您的身份和意愿，随办件归档保存，不作他用。',
}
export const verification: t.Verification = {
  verdict: 'valid', text: '', at: now, facts: [{ label: '文书', value: '上海市房屋查询结果证明' }, { label: '编号', value: '测 2026 000045' }, { label: '出具', value: '2026年11月20日，浦东新区登记中心' }, { label: '姓名', value: '张*明' }, { label: '用途', value: '子女入学' }, { label: '结果', value: '名下本市住房 1 套' }],
  checks: [{ ok: true, text: '由登记中心的电子印章签发，证书在有效期内' }, { ok: true, text: '内容没有改动' }, { ok: true, text: '已存入可公开验证的登记账本，第 1,204,331 条' }, { ok: false, text: '时间戳服务暂时连不上，没有核对' }], fileUrl: '#',
}
export const me: t.Me = { facts: [fact('name', '姓名', '张*明', '来自一网通办，今天 09:12'), fact('id', '身份证号', '3101991990********', '来自一网通办，今天 09:12', { masked: true }), fact('addr', '户籍', '', '来自人口库', { state: 'down', source: '人口库' })], contact: { address: '徐汇区测试路 20 号 301 室', email: '' }, phone: { masked: '138****0000', confirmedAt: '2026-10-08T10:00:00+08:00' }, orgs: [] }
