package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	bigendian "encoding/binary"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// softKey is a device that holds one passkey, without a browser around it (Web
// Authentication, level 3, sections 6.1 and 6.5).
type softKey struct {
	t      *testing.T
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte // the user's, as the server named it
	uses   uint32
}

// passkeyQuestion is what a browser is asked, as far as the device reads it.
type passkeyQuestion struct {
	Options struct {
		Challenge string `json:"challenge"`
		User      struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"options"`
	Sealed string `json:"sealed"`
}

func newSoftKey(t *testing.T) *softKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &softKey{t: t, key: key, id: []byte(rand.Text())}
}

func (k *softKey) text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k *softKey) clientData(kind, challenge, origin string) []byte {
	data, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false})
	if err != nil {
		k.t.Fatal(err)
	}
	return data
}

// authenticatorData has the flags user present, user verified and, with a new
// credential, attested data.
func (k *softKey) authenticatorData(site string, credential []byte) []byte {
	k.uses++
	host := sha256.Sum256([]byte(site))
	flags := byte(0x05)
	if credential != nil {
		flags |= 0x40
	}
	data := bigendian.BigEndian.AppendUint32(append(host[:], flags), k.uses)
	return append(data, credential...)
}

func (k *softKey) answer(response map[string]string) string {
	fields := map[string]any{"id": k.text(k.id), "rawId": k.text(k.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}}
	data, err := json.Marshal(fields)
	if err != nil {
		k.t.Fatal(err)
	}
	return string(data)
}

// made answers a question with the new passkey.
func (k *softKey) made(q passkeyQuestion, site, origin string) string {
	k.t.Helper()
	k.handle, _ = base64.RawURLEncoding.DecodeString(q.Options.User.ID)
	point, err := k.key.PublicKey.Bytes()
	if err != nil {
		k.t.Fatal(err)
	}
	public, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}) // COSE, RFC 9053
	if err != nil {
		k.t.Fatal(err)
	}
	credential := bigendian.BigEndian.AppendUint16(make([]byte, 16), uint16(len(k.id)))
	credential = append(append(credential, k.id...), public...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": k.authenticatorData(site, credential)})
	if err != nil {
		k.t.Fatal(err)
	}
	return k.answer(map[string]string{"clientDataJSON": k.text(k.clientData("webauthn.create", q.Options.Challenge, origin)), "attestationObject": k.text(object)})
}

// used answers a question by the passkey's signature.
func (k *softKey) used(q passkeyQuestion, site, origin string) string {
	k.t.Helper()
	client := k.clientData("webauthn.get", q.Options.Challenge, origin)
	data, hash := k.authenticatorData(site, nil), sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, digest[:])
	if err != nil {
		k.t.Fatal(err)
	}
	return k.answer(map[string]string{"clientDataJSON": k.text(client), "authenticatorData": k.text(data), "signature": k.text(signature), "userHandle": k.text(k.handle)})
}
