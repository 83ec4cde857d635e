package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
)

// errNobodyListens says that no server answers on the control socket.
var errNobodyListens = errors.New("no server answers on the control socket")

// remote does the operations through a running server.
type remote struct{ client *http.Client }

var _ operations = (*remote)(nil)

// dialControl reaches the server that runs on directory, or fails with
// errNobodyListens.
func dialControl(ctx context.Context, directory string) (*remote, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		address, release, err := socketAddress(controlPath(directory))
		if err != nil {
			return nil, err
		}
		defer release()
		return new(net.Dialer).DialContext(ctx, "unix", address)
	}
	connection, err := dial(ctx, "", "")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, errNobodyListens
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%s belongs to another user: run this command as the user that the server runs as (with sudo -u)", controlPath(directory))
	}
	if err != nil {
		return nil, fmt.Errorf("reach the server: %w", err)
	}
	connection.Close()
	return &remote{&http.Client{Transport: &http.Transport{DialContext: dial}}}, nil
}

func (r *remote) Close() error {
	r.client.CloseIdleConnections()
	return nil
}

// call sends one request and decodes its answer into out.
func (r *remote) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("write request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	response, err := r.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	return decodeAnswer(response, out)
}

// decodeAnswer reads the JSON of an answer into out, and closes it.
func decodeAnswer(response *http.Response, out any) error {
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

// send returns the response of a request that succeeded; its body is to be
// closed.
func (r *remote) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://madoguchi"+path, body)
	if err != nil {
		return nil, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	var refused controlError
	if err := json.NewDecoder(response.Body).Decode(&refused); err != nil {
		return nil, fmt.Errorf("the server answered %s; is it of this version (%s)?", response.Status, programVersion())
	}
	return nil, &helpdesk.Error{Code: refused.Code, Message: refused.Message}
}

func (r *remote) Status(ctx context.Context) (out status, err error) {
	err = r.call(ctx, http.MethodGet, "/status", nil, &out)
	return out, err
}

func (r *remote) Users(ctx context.Context) (out []userInfo, err error) {
	err = r.call(ctx, http.MethodGet, "/users", nil, &out)
	return out, err
}

func (r *remote) AddUser(ctx context.Context, u newUser) (out userInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/user", u, &out)
	return out, err
}

func (r *remote) SetPassword(ctx context.Context, p newPassword) (out userInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/password", p, &out)
	return out, err
}

func (r *remote) ResetSecondFactor(ctx context.Context, email string) (out userInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/reset-second-factor", email, &out)
	return out, err
}

func (r *remote) Aliases(ctx context.Context) (out []aliasInfo, err error) {
	err = r.call(ctx, http.MethodGet, "/aliases", nil, &out)
	return out, err
}

func (r *remote) AddAlias(ctx context.Context, a newAlias) (out aliasInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/alias", a, &out)
	return out, err
}

func (r *remote) CreateToken(ctx context.Context, t newToken) (out createdToken, err error) {
	err = r.call(ctx, http.MethodPost, "/token", t, &out)
	return out, err
}

func (r *remote) Pipelines(ctx context.Context) (out []pipelineInfo, err error) {
	err = r.call(ctx, http.MethodGet, "/pipelines", nil, &out)
	return out, err
}

func (r *remote) AddPipeline(ctx context.Context, p newPipeline) (out pipelineInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/pipeline", p, &out)
	return out, err
}

func (r *remote) Tokens(ctx context.Context) (out []tokenInfo, err error) {
	err = r.call(ctx, http.MethodGet, "/tokens", nil, &out)
	return out, err
}

func (r *remote) RevokeToken(ctx context.Context, t namedToken) (out tokenInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/revoke-token", t, &out)
	return out, err
}

func (r *remote) Domains(ctx context.Context, domain string) (out []domainInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/domains", domain, &out)
	return out, err
}

func (r *remote) RenewCertificates(ctx context.Context, name string) (out []certificateInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/renew-certificates", name, &out)
	return out, err
}

func (r *remote) Certificates(ctx context.Context) (out []certificateInfo, err error) {
	err = r.call(ctx, http.MethodGet, "/certificates", nil, &out)
	return out, err
}

func (r *remote) RotateKeys(ctx context.Context, domain string) (out []domainInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/rotate-keys", domain, &out)
	return out, err
}

func (r *remote) Check(ctx context.Context) (out []finding, err error) {
	err = r.call(ctx, http.MethodPost, "/check", nil, &out)
	return out, err
}

func (r *remote) Queue(ctx context.Context, question queueQuestion) (out queueInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/queue", question, &out)
	return out, err
}

func (r *remote) ChangeQueue(ctx context.Context, change queueChange) (out string, err error) {
	err = r.call(ctx, http.MethodPost, "/change-queue", change, &out)
	return out, err
}

func (r *remote) Parked(ctx context.Context, question parkedQuestion) (out parkedInfo, err error) {
	err = r.call(ctx, http.MethodPost, "/parked", question, &out)
	return out, err
}

func (r *remote) ResumeParked(ctx context.Context) (out int, err error) {
	err = r.call(ctx, http.MethodPost, "/resume-parked", nil, &out)
	return out, err
}

func (r *remote) SetupLink(ctx context.Context) (out setupLink, err error) {
	err = r.call(ctx, http.MethodPost, "/setup-link", nil, &out)
	return out, err
}

func (r *remote) Verify(ctx context.Context) (out verification, err error) {
	err = r.call(ctx, http.MethodPost, "/verify", nil, &out)
	return out, err
}

func (r *remote) Explain(ctx context.Context, what string) (out []explanation, err error) {
	err = r.call(ctx, http.MethodPost, "/explain", what, &out)
	return out, err
}

// Rehearse sends the mail as it is, since it may be large.
func (r *remote) Rehearse(ctx context.Context, mail rehearsal) (out explanation, err error) {
	session, err := json.Marshal(mail.Session)
	if err != nil {
		return out, err
	}
	path := "/rehearse?" + url.Values{"to": mail.To, "session": {string(session)}}.Encode()
	response, err := r.send(ctx, http.MethodPost, path, bytes.NewReader(mail.Raw))
	if err != nil {
		return out, err
	}
	return out, decodeAnswer(response, &out)
}

// Reindex passes the server's progress on. A stream that the server broke off
// is an error.
func (r *remote) Reindex(ctx context.Context, progress func(done, total uint64)) error {
	response, err := r.send(ctx, http.MethodPost, "/reindex", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	for lines := json.NewDecoder(response.Body); ; {
		var step reindexStep
		if err := lines.Decode(&step); err != nil {
			return fmt.Errorf("follow the server's reindexing: %w", err)
		}
		progress(step.Done, step.Total)
		switch {
		case step.Error != nil:
			return &helpdesk.Error{Code: step.Error.Code, Message: step.Error.Message}
		case step.Ended:
			return nil
		}
	}
}

// Vectors implements operations.
func (r *remote) Vectors(ctx context.Context) (s similar.Status, err error) {
	return s, r.call(ctx, http.MethodGet, "/vectors", nil, &s)
}

// Backup copies the server's snapshot to w. A stream that the server broke
// off is an error.
func (r *remote) Backup(ctx context.Context, w io.Writer) error {
	response, err := r.send(ctx, http.MethodGet, "/backup", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("receive the copy from the server: %w", err)
	}
	return nil
}
