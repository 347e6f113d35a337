import js from '@eslint/js'
import vue from 'eslint-plugin-vue'
import ts from 'typescript-eslint'

const browser = Object.fromEntries(
  ['window', 'document', 'navigator', 'location', 'fetch', 'localStorage', 'sessionStorage', 'crypto', 'console', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'URL', 'URLSearchParams', 'Blob', 'File', 'FormData', 'EventSource', 'MediaRecorder', 'performance', 'process', 'Buffer'].map(n => [n, 'readonly']),
)

export default ts.config(
  { ignores: ['dist/**', 'node_modules/**', '**/shots/**'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.vue'], sourceType: 'module' } },
  },
  {
    languageOptions: { globals: browser },
    rules: {
      'no-undef': 'off',
      'no-console': 'error',
      'eqeqeq': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
      'vue/block-order': ['error', { order: ['template', 'script', 'style'] }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/no-v-html': 'error',
      'vue/multi-word-component-names': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/html-indent': 'off',
      'vue/html-self-closing': 'off',
      'vue/first-attribute-linebreak': 'off',
      'vue/attributes-order': 'off',
      'vue/require-default-prop': 'off',
      'vue/one-component-per-file': 'off',
    },
  },
  {
    // Packages stand alone; apps do not import one another; the UI library of the desk is known to its adapter only.
    files: ['packages/**', 'apps/portal/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['element-plus*', '**/apps/**'] }] },
  },
  {
    files: ['apps/desk/src/**'],
    ignores: ['apps/desk/src/adapter/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['element-plus*', '**/apps/portal/**'] }] },
  },
  { files: ['scripts/**', 'e2e/**', '**/dev/**'], rules: { 'no-console': 'off' } },
)
