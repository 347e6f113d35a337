import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { UserConfig } from 'vite'

const at = (p: string) => fileURLToPath(new URL(p, import.meta.url))

/** The packages both apps share, by the names they import. */
export const alias = {
  '@haoban/api': at('./packages/api/src/index.ts'),
  '@haoban/ui/tokens.css': at('./packages/ui/src/tokens.css'),
  '@haoban/ui/base.css': at('./packages/ui/src/base.css'),
  '@haoban/ui': at('./packages/ui/src/index.ts'),
  '@haoban/form': at('./packages/form/src/index.ts'),
  '@haoban/map': at('./packages/map/src/index.ts'),
  '@haoban/terms': at('./packages/terms/src/index.ts'),
}

/** What is the same in portal and desk: aliases, output folder, proxy to a running house. */
export function base(app: 'portal' | 'desk', path: string): UserConfig {
  const target = process.env.HAOBAN_URL ?? 'http://127.0.0.1:8080'
  return {
    root: at(`./apps/${app}`),
    base: path,
    plugins: [vue()],
    resolve: { alias },
    define: { __VUE_OPTIONS_API__: 'false' },
    server: { proxy: process.env.HAOBAN_MOCK === undefined ? { '/api': { target, changeOrigin: false } } : {} },
    build: {
      outDir: at(`./dist/${app}`),
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      // Nothing inline: the server's content policy allows scripts from its own address only.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 700,
    },
  }
}
