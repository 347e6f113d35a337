package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
)

// errKeysDown marks that the provider did not give its keys, which says nothing
// about a signature.
var errKeysDown = errors.New("the provider's keys cannot be had")

func newKeySet(h http.Client, address string) zoidc.KeySet {
	next := h.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	h.Transport = keyTransport{next}
	return rp.NewRemoteKeySet(&h, address)
}

// keyTransport turns no answer and 5xx into errKeysDown.
type keyTransport struct{ next http.RoundTripper }

// RoundTrip sends the request.
func (t keyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKeysDown, err)
	}
	if res.StatusCode >= http.StatusInternalServerError {
		return nil, errors.Join(fmt.Errorf("%w: status %d", errKeysDown, res.StatusCode), res.Body.Close())
	}
	return res, nil
}

// watched is a key set that notes errKeysDown, which the verifier does not hand
// on. It serves one verification.
type watched struct {
	zoidc.KeySet
	down bool
}

// VerifySignature returns the payload of a token signed by one of the keys.
func (w *watched) VerifySignature(ctx context.Context, s *jose.JSONWebSignature) ([]byte, error) {
	b, err := w.KeySet.VerifySignature(ctx, s)
	w.down = errors.Is(err, errKeysDown)
	return b, err
}
