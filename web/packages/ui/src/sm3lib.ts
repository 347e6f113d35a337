export { sm3 } from 'sm-crypto-v2'
