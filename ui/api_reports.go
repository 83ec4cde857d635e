package ui

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
)

// reportsSince reads the parameter days.
func (s *Server) reportsSince(c echo.Context) (time.Time, error) {
	days, err := wholeNumber(c, "days", reportDays, 1, 400)
	return s.now().AddDate(0, 0, -int(days)), err
}

type apiDomainReports struct {
	Domain        string            `json:"domain"`
	Begin         *time.Time        `json:"begin"`
	End           *time.Time        `json:"end"`
	Organisations []string          `json:"organisations"`
	Mails         int               `json:"mails"`
	Proven        int               `json:"proven"`
	Others        int               `json:"others"`
	Sources       []apiReportSource `json:"sources"`
}

type apiReportSource struct {
	Address     string          `json:"address"`
	Mails       int             `json:"mails"`
	DKIM        int             `json:"dkim"`
	SPF         int             `json:"spf"`
	Proven      int             `json:"proven"`
	Quarantined int             `json:"quarantined"`
	Rejected    int             `json:"rejected"`
	SignedBy    *string         `json:"signed_by"`
	Envelope    *string         `json:"envelope"`
	Advice      helpdesk.Advice `json:"advice"`
}

// apiDMARCReports says who sends mail in our domains' names.
func (s *Server) apiDMARCReports(c echo.Context, a helpdesk.Actor) error {
	since, err := s.reportsSince(c)
	if err != nil {
		return err
	}
	list, err := s.desk.DMARCReports(c.Request().Context(), a, since)
	if err != nil {
		return err
	}
	domains := []apiDomainReports{}
	for _, d := range list {
		one := apiDomainReports{d.Domain, timeOrNull(d.Begin), timeOrNull(d.End), append([]string{}, d.Organisations...), d.Mails, d.Proven, d.Others, []apiReportSource{}}
		for _, r := range d.Sources {
			one.Sources = append(one.Sources, apiReportSource{r.Address, r.Mails, r.DKIM, r.SPF, r.Proven, r.Quarantined, r.Rejected, orNull(r.SignedBy), orNull(r.Envelope), r.Advice()})
		}
		domains = append(domains, one)
	}
	return c.JSON(http.StatusOK, map[string]any{"domains": domains})
}

type apiDomainTLSReports struct {
	Domain        string          `json:"domain"`
	Begin         *time.Time      `json:"begin"`
	End           *time.Time      `json:"end"`
	Organisations []string        `json:"organisations"`
	Successful    int             `json:"successful"`
	Failed        int             `json:"failed"`
	Policies      []apiTLSPolicy  `json:"policies"`
	Failures      []apiTLSFailure `json:"failures"`
}

type apiTLSPolicy struct {
	Policy     string  `json:"policy"`
	Mode       *string `json:"mode"`
	Successful int     `json:"successful"`
	Failed     int     `json:"failed"`
}

type apiTLSFailure struct {
	Result        *string    `json:"result"`
	Count         int        `json:"count"`
	Hosts         []string   `json:"hosts"`
	Organisations []string   `json:"organisations"`
	Reasons       []string   `json:"reasons"`
	Last          *time.Time `json:"last"`
}

// apiTLSReports says how the encryption of mail to our domains came out.
func (s *Server) apiTLSReports(c echo.Context, a helpdesk.Actor) error {
	since, err := s.reportsSince(c)
	if err != nil {
		return err
	}
	list, err := s.desk.ReceivedTLSReports(c.Request().Context(), a, since)
	if err != nil {
		return err
	}
	domains := []apiDomainTLSReports{}
	for _, d := range list {
		one := apiDomainTLSReports{d.Domain, timeOrNull(d.Begin), timeOrNull(d.End), append([]string{}, d.Organisations...), d.Successful, d.Failed, []apiTLSPolicy{}, []apiTLSFailure{}}
		for _, p := range d.Policies {
			one.Policies = append(one.Policies, apiTLSPolicy{p.Policy, orNull(p.Mode), p.Successful, p.Failed})
		}
		for _, f := range d.Failures {
			one.Failures = append(one.Failures, apiTLSFailure{orNull(f.Result), f.Count, append([]string{}, f.Hosts...), append([]string{}, f.Organisations...),
				append([]string{}, f.Reasons...), timeOrNull(f.Last)})
		}
		domains = append(domains, one)
	}
	return c.JSON(http.StatusOK, map[string]any{"domains": domains})
}
