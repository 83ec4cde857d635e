package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/madoguchi/madoguchi/helpdesk/analysis/ollamatest"
)

// labelled is a small set: what a clerk would say of each mail.
const labelled = `{"id":"ja-sale","kinds":["sales"],"subject":"見積","text":"増席したいのでお見積をお願いします。","expect":{"reply_type":["high_value"],"sentiment":["positive"],"language":["ja"]}}
{"id":"ja-trouble","kinds":["angry"],"subject":"故障","text":"先週届いた品が故障していました。返金してください。","expect":{"reply_type":["needs_attention"],"sentiment":["negative"],"language":["ja"]}}
{"id":"en-sale","kinds":["sales"],"subject":"","text":"Could you send a quotation for the upgrade?","expect":{"reply_type":["high_value"],"sentiment":["positive"],"language":["en"]}}
{"id":"en-trouble","kinds":["angry"],"subject":"","text":"It came broken and I want a refund.","expect":{"reply_type":["needs_attention"],"sentiment":["negative"],"language":["en"]}}
{"id":"en-other","kinds":["howto"],"subject":"","text":"Where can I change my address?","expect":{"reply_type":["standard"],"sentiment":["neutral"],"language":["en"]}}
`

// offered are templates, and mails of which one is answered by the second.
const offered = `{"templates":"faq","language":"en","choices":[{"id":"address","name":"Change the address","text":"Under Settings."},{"id":"quote","name":"Quotes","text":"We send one within a day."}]}
{"id":"faq-sale","subject":"","text":"Could you send a quotation for the upgrade?","expect":{},"templates":"faq","template":"quote"}
{"id":"faq-trouble","subject":"","text":"It came broken and I want a refund.","expect":{},"templates":"faq","template":"none"}
`

// evaluation is what the tests read of the command's JSON.
type evaluation struct {
	Set      string
	Model    string
	Mails    int
	Findings []struct {
		Finding       string
		Right, Judged int
		Confusion     map[string]map[string]int
	}
	Speed struct {
		Answers      int
		P50          float64 `json:"p50_seconds"`
		P90          float64 `json:"p90_seconds"`
		PromptTokens int     `json:"prompt_tokens"`
		AnswerRate   float64 `json:"answer_tokens_per_second"`
	} `json:"reading_speed"`
	Matching struct {
		Right, Judged int
		Speed         struct{ Answers int }
	}
	Failed   []any
	Mistakes []struct{ Mail, Finding, Expected, Got string }
}

func (e *evaluation) of(finding string) (right, judged int) {
	for _, f := range e.Findings {
		if f.Finding == finding {
			return f.Right, f.Judged
		}
	}
	return 0, 0
}

func writeSet(t testing.TB, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "set.jsonl")
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEvalMeasures has a model that says the same of every mail.
func TestEvalMeasures(t *testing.T) {
	model := reserveOllama(t)
	set := writeSet(t, labelled)
	refuse(t, []string{"eval", "--address", model.address}, "no Ollama answers at "+model.address, "ollama serve", "--address")
	model.start(t)
	refuse(t, []string{"eval", "--address", model.address, "--model", testModel}, "does not have the model", "ollama pull "+testModel)
	model.pull()
	arguments := []string{"eval", "--address", model.address, "--model", testModel, "--set", set}
	stdout, stderr, code := run(t, "", append(arguments, "--json")...)
	var got evaluation
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 {
		t.Fatalf("exit %d, %v:\n%s%s", code, err, stdout, stderr)
	}
	if right, judged := got.of("reply_type"); right != 2 || judged != 5 || got.Mails != 5 || got.Model != testModel || got.Set != set || len(got.Failed) != 0 {
		t.Errorf("%d of %d, %+v", right, judged, got)
	}
	if right, judged := got.of("language"); right != 2 || judged != 5 {
		t.Errorf("language: %d of %d", right, judged)
	}
	if got.Speed.Answers != 5 || got.Speed.P90 < got.Speed.P50 || got.Speed.P50 <= 0 {
		t.Errorf("speed %+v", got.Speed)
	}
	if !strings.Contains(stderr, "of 5 mails") {
		t.Errorf("the progress is %q", stderr)
	}
	text := succeed(t, "", append(arguments, "--mistakes")...)
	for _, part := range []string{"reply_type", "40%", "en-trouble", "expected needs_attention", "got high_value", "half within"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page lacks %q:\n%s", part, text)
		}
	}
	if part := succeed(t, labelled, "eval", "--address", model.address, "--model", testModel, "--set", "-", "--limit", "2"); !strings.Contains(part, "2 of standard input") {
		t.Errorf("a part of the set:\n%s", part)
	}
	refuse(t, append(arguments, "--limit", "-1"), "--limit -1")
	refuse(t, []string{"eval", "--set", filepath.Join(t.TempDir(), "none.jsonl")}, "read the labelled mails", "none.jsonl")
	refuse(t, []string{"eval", "--export", "x.jsonl", "--set", set}, "export", "set")
}

// TestCorrectionsAreExported takes an agent's correction out, beside the
// running server and without one, and measures a model with it.
func TestCorrectionsAreExported(t *testing.T) {
	t.Parallel()
	model := reserveOllama(t)
	model.start(t)
	model.pull()
	config := writeConfig(t, fmt.Sprintf("[ai]\naddress = %q\nmodel = %q\n", model.address, testModel))
	program := start(t, newDesk(t), "--config", config)
	desk := program.apiOf(t)
	file := filepath.Join(t.TempDir(), "corrections.jsonl")
	export := []string{"eval", "--data", program.data, "--export"}
	refuse(t, append(export, file), "nobody has corrected an analysis yet")
	send(t, program.smtp, "tanaka@customer.test", deskAddress, post(1, "tanaka@customer.test", deskAddress, "<1@customer.test>"))
	var id string
	eventually(t, time.Minute, "the mail was analysed", func() bool {
		for _, number := range desk.tickets(t) {
			if m := desk.ticket(t, number).Messages[0]; m.Analysis != nil {
				id = m.ID
			}
		}
		return id != ""
	})
	if code := desk.do(t, http.MethodPatch, "/messages/"+id+"/analysis", nil, map[string]any{"reply_type": "needs_attention", "challenges": []string{}}, nil); code != http.StatusOK {
		t.Fatalf("correct the analysis: %d", code)
	}
	if said := succeed(t, "", append(export, file)...); !strings.Contains(said, "wrote 1 mail to "+file) {
		t.Errorf("the export says %q", said)
	}
	beside, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(beside), `"reply_type":["needs_attention"]`) || !strings.Contains(string(beside), `"challenges":[]`) || strings.Contains(string(beside), "sentiment") {
		t.Errorf("the set is %s, %v", beside, err)
	}
	program.stop()
	if alone := succeed(t, "", append(export, "-")...); alone != string(beside) {
		t.Errorf("without the server the set is %s", alone)
	}
	if measured := succeed(t, "", "eval", "--config", config, "--set", file, "--mistakes"); !strings.Contains(measured, "expected needs_attention\tgot high_value") {
		t.Errorf("measured:\n%s", measured)
	}
}

// TestRealOllamaBesideTheProgram lets the program work with a real server: it
// reads a mail, writes a draft, and is measured.
func TestRealOllamaBesideTheProgram(t *testing.T) {
	address := ollamatest.Start(t)
	config := writeConfig(t, fmt.Sprintf("[ai]\naddress = %q\nmodel = %q\ncontext = 32768\n", address, ollamatest.ClerkModel))
	stdout := succeed(t, "", "eval", "--config", config, "--set", writeSet(t, labelled+offered), "--json")
	var got evaluation
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	for _, finding := range []string{"reply_type", "sentiment"} {
		if right, judged := got.of(finding); right != 5 || judged != 5 {
			t.Errorf("%s: %d of %d, %+v", finding, right, judged, got.Mistakes)
		}
	}
	if m := got.Matching; m.Right != 2 || m.Judged != 2 || m.Speed.Answers != 2 || len(got.Failed) != 0 {
		t.Errorf("templates: %+v, failed %v, %+v", m, got.Failed, got.Mistakes)
	}
	if got.Speed.PromptTokens < 1000 || got.Speed.AnswerRate <= 0 {
		t.Errorf("speed %+v", got.Speed)
	}

	program := start(t, newDesk(t), "--config", config)
	desk := program.apiOf(t)
	send(t, program.smtp, "tanaka@customer.test", deskAddress, []byte(strings.ReplaceAll(
		"From: tanaka@customer.test\nTo: "+deskAddress+"\nSubject: refund\nMessage-ID: <r@customer.test>\nDate: Fri, 20 Nov 2026 10:00:00 +0900\n\nIt came broken. I want a refund.\n", "\n", "\r\n")))
	var number int
	eventually(t, time.Minute, "the real model has read the mail", func() bool {
		for _, number = range desk.tickets(t) {
			if a := desk.ticket(t, number).Messages[0].Analysis; a != nil && a.ReplyType == "needs_attention" {
				return true
			}
		}
		return false
	})
	if text := draftOf(t, program, program.login(t), number); text != "お問い合わせいただきありがとうございます。" {
		t.Errorf("the draft is %q", text)
	}
}

// draftOf has a draft written, and returns it once it is whole.
func draftOf(t testing.TB, program *running, client *http.Client, number int) (text string) {
	t.Helper()
	response, err := client.PostForm(fmt.Sprintf("%s/tickets/%d/write", program.web, number), url.Values{"task": {"draft"}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("ticket %d: %s, %s", number, response.Status, kind)
	}
	kinds, kind := map[string]int{}, ""
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, is := strings.CutPrefix(lines.Text(), "event: "); is {
			kind = name
			kinds[kind]++
		}
		if data, is := strings.CutPrefix(lines.Text(), "data: "); is && kind == "text" {
			var piece struct{ Text string }
			if err := json.Unmarshal([]byte(data), &piece); err != nil {
				t.Fatalf("ticket %d: %v in %q", number, err, data)
			}
			text += piece.Text
		}
	}
	if kinds["plan"] != 1 || kinds["done"] != 1 || kinds["failed"] != 0 {
		t.Errorf("ticket %d: events %v, text %.300q", number, kinds, text)
	}
	return text
}
