import type { Material } from '@haoban/api'
import { materialStates } from '@haoban/terms'

/** How the state of a paper reads to whoever files. */
export function paperState(m: Material): { text: string; tone: '' | 'act' | 'soon' | 'stop' | 'good' } {
  if (m.state === 'missing' && m.origin === 'made') {
    return { text: '提交时生成', tone: '' }
  }
  if (m.state === 'missing' && !m.required) {
    return { text: '没有交（选交）', tone: '' }
  }
  return materialStates[m.state] ?? { text: '', tone: '' }
}
