package ui

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// apiQuarantined is a mail that was set aside.
type apiQuarantined struct {
	ID             string             `json:"id"`
	State          string             `json:"state"`
	Why            string             `json:"why"`
	Detail         string             `json:"detail"`
	From           string             `json:"from"`
	FromName       string             `json:"from_name"`
	MailFrom       string             `json:"mail_from"`
	To             []string           `json:"to"`
	Subject        string             `json:"subject"`
	MessageID      string             `json:"message_id"`
	Snippet        string             `json:"snippet"`
	Size           int                `json:"size"`
	RemoteIP       string             `json:"remote_ip"`
	HELO           string             `json:"helo"`
	Authentication *apiAuthentication `json:"authentication"`
	At             *time.Time         `json:"at"`
	PurgeAt        *time.Time         `json:"purge_at"`
}

func quarantinedJSON(q helpdesk.Quarantined) apiQuarantined {
	m := q.Mail
	return apiQuarantined{ID: m.ID, State: string(q.State), Why: string(q.Why.Kind), Detail: q.Why.Detail, From: m.From.Email, FromName: m.From.Name,
		MailFrom: m.Envelope.MailFrom, To: append([]string{}, m.Envelope.Recipients...), Subject: m.Subject, MessageID: m.MessageID, Snippet: m.Snippet, Size: q.Size,
		RemoteIP: m.Envelope.RemoteIP, HELO: m.Envelope.HELO, Authentication: authenticationJSON(m.Authentication), At: timeOrNull(m.At), PurgeAt: timeOrNull(q.PurgeAt)}
}

// apiQuarantine lists the mails that were set aside, the newest first.
func (s *Server) apiQuarantine(c echo.Context, a helpdesk.Actor) error {
	limit, err := wholeNumber(c, "limit", 50, 1, 200)
	if err != nil {
		return err
	}
	page, err := s.desk.QuarantineList(c.Request().Context(), a, helpdesk.QuarantineQuery{State: helpdesk.QuarantineState(c.QueryParam("state")),
		Limit: int(limit), After: c.QueryParam("after")})
	if err != nil {
		return err
	}
	answer := struct {
		Mails []apiQuarantined `json:"mails"`
		Next  *string          `json:"next"`
	}{[]apiQuarantined{}, orNull(page.Next)}
	for _, q := range page.Mails {
		answer.Mails = append(answer.Mails, quarantinedJSON(q))
	}
	return c.JSON(http.StatusOK, answer)
}

// apiQuarantinedMail answers with one of them, its text, and the proofs with which
// its sender can be trusted.
func (s *Server) apiQuarantinedMail(c echo.Context, a helpdesk.Actor) error {
	q, err := s.desk.QuarantinedMail(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	answer := struct {
		Mail   apiQuarantined `json:"mail"`
		Text   string         `json:"text"`
		Proofs []string       `json:"proofs"`
		// Risks are those of proofs that have one.
		Risks map[string]helpdesk.TrustRisk `json:"proof_risks"`
	}{quarantinedJSON(q.Quarantined), q.Text, []string{}, map[string]helpdesk.TrustRisk{}}
	for _, proof := range q.Proofs {
		answer.Proofs = append(answer.Proofs, proof.String())
		if risk := proof.Risk(q.Mail.From.Email); risk != "" {
			answer.Risks[proof.String()] = risk
		}
	}
	return c.JSON(http.StatusOK, answer)
}

func (s *Server) apiQuarantinedSource(c echo.Context, a helpdesk.Actor) error {
	raw, err := s.desk.QuarantinedSource(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return download(c, c.Param("id")+".eml", "message/rfc822", raw)
}

type apiReleased struct {
	ID     string `json:"id"`
	Ticket uint64 `json:"ticket"`
	State  string `json:"state"`
}

// apiRelease receives a mail that was set aside, and perhaps trusts its sender.
func (s *Server) apiRelease(c echo.Context, a helpdesk.Actor) error {
	var input struct {
		Trust *struct {
			Sender string `json:"sender"`
			Proof  string `json:"proof"`
		} `json:"trust"`
	}
	if c.Request().ContentLength != 0 {
		if err := readBody(c, maxAPIBody, &input); err != nil {
			return err
		}
	}
	var trust *helpdesk.Trusting
	if input.Trust != nil {
		trust = &helpdesk.Trusting{Sender: helpdesk.TrustedPart(input.Trust.Sender)}
		if input.Trust.Proof != "" {
			proof, err := helpdesk.ParseProof(input.Trust.Proof)
			if err != nil {
				return err
			}
			trust.Proof = proof
		}
	}
	receipt, err := s.desk.Release(c.Request().Context(), a, c.Param("id"), trust)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, apiReleased{receipt.MessageID, receipt.Ticket, string(receipt.State)})
}

// apiRejectQuarantined rejects one mail.
func (s *Server) apiRejectQuarantined(c echo.Context, a helpdesk.Actor) error {
	if _, err := s.desk.RejectQuarantined(c.Request().Context(), a, []string{c.Param("id")}); err != nil {
		return err
	}
	q, err := s.desk.QuarantinedMail(c.Request().Context(), a, c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"mail": quarantinedJSON(q.Quarantined)})
}

// apiDecideMany releases or rejects several mails, and says of each what became of it. One that
// is in quarantine no more keeps nobody from deciding on the rest.
func (s *Server) apiDecideMany(c echo.Context, a helpdesk.Actor) error {
	var input struct {
		Action string   `json:"action"`
		IDs    []string `json:"ids"`
	}
	if err := readBody(c, maxAPIBody, &input); err != nil {
		return err
	}
	type result struct {
		ID     string  `json:"id"`
		Ticket *uint64 `json:"ticket"`
		Error  *string `json:"error"`
	}
	results := []result{}
	switch input.Action {
	case "reject":
		gone, err := s.desk.RejectQuarantined(c.Request().Context(), a, input.IDs)
		if err != nil {
			return err
		}
		for _, id := range input.IDs {
			r := result{ID: id}
			if slices.Contains(gone, id) {
				r.Error = orNull("there is no quarantined mail " + id)
			}
			results = append(results, r)
		}
	case "release":
		for _, id := range input.IDs {
			receipt, err := s.desk.Release(c.Request().Context(), a, id, nil)
			r := result{ID: id}
			switch helpdesk.CodeOf(err) {
			case "":
				r.Ticket = &receipt.Ticket
			case helpdesk.CodeNotFound, helpdesk.CodeConflict:
				r.Error = orNull(err.Error())
			default:
				return err
			}
			results = append(results, r)
		}
	default:
		return invalid("action", "", fmt.Sprintf("action %q is not one of release, reject", cmp.Or(input.Action, "-")))
	}
	return c.JSON(http.StatusOK, map[string]any{"results": results})
}

type apiTrusted struct {
	Sender string     `json:"sender"`
	Proof  string     `json:"proof"`
	At     *time.Time `json:"at"`
}

// apiTrustedSenders lists the senders whose mail is received with a proof.
func (s *Server) apiTrustedSenders(c echo.Context, a helpdesk.Actor) error {
	list, err := s.desk.TrustedSenders(c.Request().Context(), a)
	if err != nil {
		return err
	}
	answer := struct {
		Senders []apiTrusted `json:"trusted_senders"`
	}{[]apiTrusted{}}
	for _, t := range list {
		answer.Senders = append(answer.Senders, apiTrusted{t.Pattern, t.Proof.String(), timeOrNull(t.At)})
	}
	return c.JSON(http.StatusOK, answer)
}

// apiDistrust takes one of them off the list.
func (s *Server) apiDistrust(c echo.Context, a helpdesk.Actor) error {
	proof, err := helpdesk.ParseProof(c.QueryParam("proof"))
	if err != nil {
		return err
	}
	if err := s.desk.Distrust(c.Request().Context(), a, c.QueryParam("sender"), proof); err != nil {
		return err
	}
	return s.apiTrustedSenders(c, a)
}
