// Package process walks a case through a BPMN 2.0 diagram（办件流程）.
//
// [Parse] reads a diagram and refuses, with file, line, element and reason,
// everything it would not carry out; [Definition.Check] adds the rules of the
// office (a role and a limit on every user task, a way out of every gateway,
// no dead end in any combination of branches). [Definition.Step] is pure: from
// a state and one input it computes the next state and what is to be done about
// it. It reads no clock, no database and no randomness, so the same inputs give
// the same walk on every machine, also after the state went through JSON.
//
// Tokens are the whole memory of a walk. A token that stands at an activity
// with an inside (a subprocess, a multi-instance task) opens a scope named by
// its own key; tokens inside carry that key in In. A boundary event that waits
// is a token with On set to the key of the activity it sits on.
package process
