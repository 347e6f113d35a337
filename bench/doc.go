// Package bench measures the whole house: the app with its simulated outside
// over real HTTP on both engines, lists over a million cases, and how much of the
// pages a first visit fetches.
//
// As ordinary tests every figure is taken once and tiny, so that none breaks
// unseen. With SIZE=full they are taken in earnest (`make bench`), those whose
// name begins with ONLY, and appended to the file that OUT names, a line of JSON
// each.
package bench
