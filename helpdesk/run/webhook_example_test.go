package run_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/run"
)

// verifyWebhook reports whether body was signed by Madoguchi with secret within the last five minutes.
func verifyWebhook(secret string, header http.Header, body []byte, now time.Time) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	id, stamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	for signature := range strings.SplitSeq(header.Get("Webhook-Signature"), " ") {
		given, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signature, "v1,"))
		if err == nil && strings.HasPrefix(signature, "v1,") && hmac.Equal(given, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

// The example of docs/webhooks.md is the function above, and it tells what is ours
// from what is not.
func TestTheDocumentedCheckOfASignatureWorks(t *testing.T) {
	document, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("webhook_example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(document), "<!-- verify.go -->\n```go\n")
	example, _, _ = strings.Cut(example, "```")
	if example == "" || !strings.Contains(string(source), example) {
		t.Error("docs/webhooks.md shows another function than the one that is tested")
	}

	d := newTold(t)
	second, err := d.RotateWebhookSecret(t.Context(), d.admin, d.hook.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.TestWebhook(t.Context(), d.admin, d.hook.ID); err != nil {
		t.Fatal(err)
	}
	d.work(helpdesk.TimerWebhookOnce, d.teller.TellOnce)
	h := d.to.heard[0]
	for _, secret := range []string{d.secret, second} {
		if !verifyWebhook(secret, h.header, h.body, d.now) {
			t.Errorf("%v is not verified", h.header)
		}
	}
	other := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	if verifyWebhook(other, h.header, h.body, d.now) || verifyWebhook(second, h.header, append(h.body, ' '), d.now) || verifyWebhook(second, h.header, h.body, d.now.Add(6*time.Minute)) {
		t.Error("what is not ours, or old, is verified")
	}
	h.header.Set("Webhook-Id", "msg_other")
	if verifyWebhook(second, h.header, h.body, d.now) {
		t.Error("another id is verified")
	}
	// The vector of the Standard Webhooks specification's reference libraries.
	signature, err := run.WebhookSignature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if err != nil || signature != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%s, %v", signature, err)
	}
}
