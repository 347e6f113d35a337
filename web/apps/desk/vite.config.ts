import { defineConfig } from 'vite'
import { base } from '../../vite.base'

export default defineConfig(base('desk', '/desk/'))
