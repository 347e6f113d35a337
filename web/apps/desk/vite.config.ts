import { defineConfig } from 'vite'
import { base } from '../../vite.base.ts'
import { mock } from './dev/mock.ts'

export default defineConfig(({ command }) => {
  const config = base('desk', '/desk/')
  if (command === 'serve' && process.env.HAOBAN_MOCK !== undefined) {
    config.plugins?.push(mock())
  }
  return config
})
