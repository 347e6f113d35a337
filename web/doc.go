// Package web carries the built pages of the house: the portal for the public
// and the desk for officials. A plain build carries none; one with the tag
// webdist embeds what `npm run build` left in dist.
package web
