/* One wording for each thing, everywhere. What the server words itself (phaseText, stateText, clock.text) goes before these. */

export const phases: Record<string, string> = {
  draft: '填报',
  consent: '各方确认',
  submitted: '待受理',
  handling: '办理中',
  supplement: '待补正',
  paying: '待缴费',
  closed: '办结',
  stopped: '终止',
}

export const phaseTone: Record<string, '' | 'act' | 'soon' | 'stop' | 'good'> = {
  draft: '',
  consent: 'act',
  submitted: 'act',
  handling: 'act',
  supplement: 'soon',
  paying: 'soon',
  closed: 'good',
  stopped: '',
}

export const lights: Record<string, string> = { green: '期限充裕', yellow: '快到期', red: '已超期', none: '不计期限' }

export const needs: Record<string, { name: string; done: string }> = {
  face: { name: '人脸核验', done: '已核验' },
  recording: { name: '录制意愿视频', done: '已录制' },
  signature: { name: '手写签名', done: '已签名' },
  seal: { name: '法人签章', done: '已签章' },
  agree: { name: '阅读并确认', done: '已确认' },
}

export const partyStates: Record<string, { text: string; tone: '' | 'act' | 'soon' | 'stop' | 'good' }> = {
  waiting: { text: '等待确认', tone: 'act' },
  done: { text: '已确认', tone: 'good' },
  refused: { text: '不同意', tone: 'stop' },
  expired: { text: '已过期', tone: 'soon' },
  withdrawn: { text: '已撤回', tone: '' },
}

export const materialStates: Record<string, { text: string; tone: '' | 'act' | 'soon' | 'stop' | 'good' }> = {
  missing: { text: '待提供', tone: 'soon' },
  fetching: { text: '正在取', tone: 'act' },
  present: { text: '已有', tone: 'good' },
  refused: { text: '需重交', tone: 'stop' },
  exempt: { text: '免交', tone: '' },
}

export const resultTone: Record<string, '' | 'act' | 'soon' | 'stop' | 'good'> = {
  valid: 'good', superseded: '', lost: 'stop', voided: 'stop', frozen: 'soon',
}

export const consultStates: Record<string, { text: string; tone: '' | 'act' | 'soon' | 'stop' | 'good' }> = {
  draft: { text: '未发出', tone: '' },
  asked: { text: '等待回复', tone: 'act' },
  supplement: { text: '请申请人补材料', tone: 'soon' },
  replied: { text: '已回复', tone: 'good' },
  closed: { text: '已结束', tone: '' },
}

export const verdicts: Record<string, { text: string; tone: '' | 'act' | 'soon' | 'stop' | 'good' }> = {
  PASS: { text: '通过', tone: 'good' },
  BLOCK: { text: '不能办', tone: 'stop' },
  CONSENT: { text: '需他人同意', tone: 'soon' },
  RISK_ACK: { text: '需您知悉风险', tone: 'soon' },
  MANUAL: { text: '由工作人员核对', tone: 'act' },
  WARN: { text: '请留意', tone: 'soon' },
}

export const verifyVerdicts: Record<string, { title: string; tone: 'good' | 'soon' | 'stop' | '' }> = {
  valid: { title: '真实，现在有效', tone: 'good' },
  superseded: { title: '真实，已被新的取代', tone: 'soon' },
  lost: { title: '已声明遗失，不再有效', tone: 'stop' },
  voided: { title: '真实，已经作废', tone: 'stop' },
  frozen: { title: '真实，现在冻结', tone: 'stop' },
  off: { title: '持有人已停止出示', tone: '' },
  expired: { title: '二维码已过期', tone: 'soon' },
  unknown: { title: '查不到这份文书', tone: 'stop' },
}

/** The 16 districts, by code. */
export const districts: [string, string][] = [
  ['310101', '黄浦区'], ['310104', '徐汇区'], ['310105', '长宁区'], ['310106', '静安区'], ['310107', '普陀区'], ['310109', '虹口区'], ['310110', '杨浦区'], ['310112', '闵行区'],
  ['310113', '宝山区'], ['310114', '嘉定区'], ['310115', '浦东新区'], ['310116', '金山区'], ['310117', '松江区'], ['310118', '青浦区'], ['310120', '奉贤区'], ['310151', '崇明区'],
]

/** Why part of a value is hidden. */
export const maskWhy = '姓名、证件号、电话、住址属于个人信息，页面只显示核对所需的部分。本人办理时，系统按完整信息核对，不影响办理。'

/** How to mend a fact that is wrong: at its source, not by typing over it. */
export const factWrong = '这一项由来源部门登记，不能在这里改。请先到来源部门更正，更正后回到本页点“重新取”。'

export const factStates: Record<string, string> = {
  down: '暂时连不上，可先填其他部分，连上后自动取回',
  pending: '正在取，稍后自动显示',
  empty: '来源处没有查到',
}

export const contact = '12345 市民服务热线，或任一不动产登记事务中心窗口'
