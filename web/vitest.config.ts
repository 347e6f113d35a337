import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { alias } from './vite.base.ts'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias },
  test: { environment: 'happy-dom', include: ['packages/**/*.test.ts', 'apps/**/*.test.ts'] },
})
