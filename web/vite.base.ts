import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { UserConfig } from 'vite'

const at = (p: string) => fileURLToPath(new URL(p, import.meta.url))

/** What is the same in portal and desk: output folder, proxy to a running house. */
export function base(app: 'portal' | 'desk', path: string): UserConfig {
  const target = process.env.HAOBAN_URL ?? 'http://127.0.0.1:8080'
  return {
    root: at(`./apps/${app}`),
    base: path,
    plugins: [vue()],
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
      rolldownOptions: {
        output: {
          // Few requests on a phone: the framework in one file, the common parts in another, then a file a page.
          codeSplitting: {
            groups: [
              { name: 'vue', test: /node_modules\/(vue|vue-router|@vue)\//, priority: 3 },
              { name: 'base', test: /packages\/(api|terms|ui)\/src\/(?!U(Face|Recorder|Signature|Upload)\.vue|use(Recorder|Upload)|strokes|sm3)/, priority: 2 },
            ],
          },
        },
      },
    },
  }
}
