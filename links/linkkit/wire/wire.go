// Package wire is what a partner and this house say to each other: the answer
// envelope, the event of a callback, and the signature over both (HMAC-SM3 or
// SM2). It holds no connection and no state, so that a connector and the
// simulator of its partner may share it without sharing anything else; it is
// tested against fixed samples.
//
// A request is signed over
//
//	METHOD \n PATH \n QUERY \n X-Timestamp \n X-Nonce \n hex(SM3(body))
//
// with the query's keys in ascending order, and an answer over
//
//	ANSWER \n PATH \n STATUS \n X-Timestamp \n X-Nonce \n hex(SM3(body))
//
// where X-Nonce repeats the request's nonce, so that an old answer cannot be
// played again. PATH is the escaped path as it stands in the request line.
package wire

import (
	"encoding/json"
	"time"
)

// The headers of a signed message.
const (
	HeaderApp       = "X-App-Id"        // who speaks
	HeaderTimestamp = "X-Timestamp"     // unix milliseconds
	HeaderNonce     = "X-Nonce"         // a UUID, once in ten minutes
	HeaderAlg       = "X-Sign-Alg"      // SM2 or HMAC-SM3
	HeaderSign      = "X-Sign"          // base64 of the signature
	HeaderTrace     = "X-Trace-Id"      // one number through both systems' logs
	HeaderKey       = "Idempotency-Key" // the same key has one effect
)

// Window is how far a timestamp may stand from the receiver's clock, either
// way; NonceKept is how long a receiver remembers nonces.
const (
	Window    = 300 * time.Second
	NonceKept = 10 * time.Minute
)

// The codes this house itself answers with. Partners have more; only the first
// digit is common to all (see ClassOf).
const (
	CodeOK        = "0"
	CodeInvalid   = "1001" // the message cannot be right
	CodeNotFound  = "1404" // no such interface
	CodeSignature = "2001" // signature missing or wrong
	CodeClock     = "2002" // timestamp outside the window
	CodeReplay    = "2003" // nonce used before
	CodeApp       = "2004" // unknown X-App-Id
	CodeRefused   = "3001" // a business refusal
	CodeDiffers   = "3009" // the same key or version with another content
	CodeNotReady  = "4001" // ask again later
	CodeFault     = "5001" // our own fault
)

// Class is the sort of an answer code.
type Class uint8

// The classes of codes, by first digit.
const (
	ClassUnknown  Class = iota // not a code at all
	ClassOK                    // 0
	ClassInvalid               // 1xxx
	ClassAuth                  // 2xxx
	ClassRefused               // 3xxx
	ClassNotReady              // 4xxx
	ClassFault                 // 5xxx
)

// ClassOf returns the class of a code: "0" is OK, four digits go by the first.
func ClassOf(code string) Class {
	if code == CodeOK {
		return ClassOK
	}
	if len(code) != 4 || code[0] < '1' || code[0] > '5' {
		return ClassUnknown
	}
	for i := 1; i < len(code); i++ {
		if code[i] < '0' || code[i] > '9' {
			return ClassUnknown
		}
	}
	return ClassInvalid + Class(code[0]-'1')
}

// Envelope is the body of every answer.
type Envelope struct {
	Code    string          `json:"code"`
	Message string          `json:"message"`
	TraceID string          `json:"trace_id"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Event is the body of every callback and of every published event. A receiver
// treats (source, BizNo, Type, Version) as the key under which an event has
// its effect once.
type Event struct {
	ID         string          `json:"event_id"`
	Type       string          `json:"event_type"` // "pay.paid"
	OccurredAt int64           `json:"occurred_at"`
	BizNo      string          `json:"biz_no"`
	Version    int64           `json:"version"`
	Producer   string          `json:"producer"` // the system that speaks
	Payload    json.RawMessage `json:"payload"`
}

// File is what JSON says of a file; its bytes travel beside.
type File struct {
	ID   string `json:"file_id"`
	Name string `json:"name"`
	Mime string `json:"mime,omitempty"`
	Size int64  `json:"size,omitempty"`
	SM3  string `json:"sm3"`
	URL  string `json:"url,omitempty"` // signed and short-lived
}
