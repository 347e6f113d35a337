import { ElMessage } from '../adapter'

/** Says shortly what happened; read out by screen readers. */
export function say(message: string) {
  ElMessage({ message, type: 'success', plain: true, grouping: true, duration: 4000 })
}
