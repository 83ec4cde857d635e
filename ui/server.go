package ui

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/labstack/echo/v4"

	"github.com/madoguchi/madoguchi/helpdesk"
	"github.com/madoguchi/madoguchi/helpdesk/card"
	"github.com/madoguchi/madoguchi/helpdesk/fetch"
	"github.com/madoguchi/madoguchi/helpdesk/similar"
	"github.com/madoguchi/madoguchi/ui/locale"
)

// MailView shows mail. It is what the web needs of a mail library.
type MailView interface {
	// Sanitize returns what of a mail's HTML is safe to show. inlineURL gives the
	// address of the part with a Content-ID, "" for none; imageURL where a remote
	// image is served, "" to leave it out. Without imageURL all are left out.
	// Links that mislead carry their true host as data-target.
	Sanitize(html string, inlineURL, imageURL func(address string) string) SafeHTML
	// Fold cuts a mail's text into new words, quotes and signatures, in order;
	// together they are the text. The HTML, "" for none, helps where the text was
	// made from it and does not tell by itself what newWords, those found when the
	// mail came, are.
	Fold(text, html, newWords string) []Segment
	// Read understands a mail that is attached to another; any bytes give one.
	Read(raw []byte) Letter
}

// Letter is an attached mail as it is read.
type Letter struct {
	From              helpdesk.Address
	To, Cc            []helpdesk.Address
	Subject           string
	Date              time.Time // zero where there is none
	Text, HTML        string    // HTML as it came: hostile
	ReplyText         string    // the new words of Text
	Files             []LetterFile
	Signed, Encrypted string // as of helpdesk.Message
	Defects           []string
}

// LetterFile is a file of an attached mail.
type LetterFile struct {
	helpdesk.Attachment
	Data []byte
}

// SafeHTML is a mail's HTML that can do no harm in a frame.
type SafeHTML struct {
	HTML string
	// RemoteImages is how many remote images it refers to, shown or not.
	RemoteImages int
	// Trackers is how many images, besides those, were left out for good since
	// they are there to be fetched and not to be seen.
	Trackers   int
	Misleading []MisleadingLink
}

// MisleadingLink is a link whose words name another site than the one it opens,
// both as host names.
type MisleadingLink struct{ Shown, Host string }

// Segment is a run of a mail's text.
type Segment struct {
	Kind SegmentKind
	Text string
}

// SegmentKind says what a run of text is.
type SegmentKind string

// The segment kinds. All but new words are folded away until asked for.
const (
	SegmentNew       SegmentKind = "new"
	SegmentQuote     SegmentKind = "quote"
	SegmentSignature SegmentKind = "signature"
)

// AnalysisStatus is the state of the model that reads along.
type AnalysisStatus struct {
	Enabled      bool
	Reachable    bool
	ModelPresent bool
	Address      string
	Model        string
	// Problem names what is wrong ("unreachable", "model_missing", …) by the
	// last part of its key under settings.analysis.problem, or is empty.
	Problem string
	Detail  string // what the other side said
	Waiting int
	Failed  int
}

// problem names what keeps the model from reading, "" for nothing.
func (a AnalysisStatus) problem() string {
	switch {
	case !a.Enabled:
		return "disabled"
	case a.Problem != "":
		return a.Problem
	case !a.Reachable:
		return "unreachable"
	case !a.ModelPresent:
		return "model_missing"
	}
	return ""
}

// Options are what the web needs besides the desk.
type Options struct {
	Log  *slog.Logger
	Mail MailView
	// Secure says that browsers reach us over TLS: cookies are then bound to it.
	Secure  bool
	Version string
	// Program is how the program was called, such as "bin/madoguchi", for commands to type.
	Program string
	// PublicURL is the address browsers use, where a proxy in front changes it;
	// its origin is trusted besides the request's own host.
	PublicURL string
	// Hostname is the mail server's name, for the MX record.
	Hostname string
	// SMTPAddress is where the listener listens, for the first test mail.
	SMTPAddress string
	// Outbound says in a few words how mail leaves ("smarthost mail.example:587").
	Outbound string
	// UndoWindow is how long a reply can be taken back, for the words beside
	// the send button.
	UndoWindow time.Duration
	// Images is how the remote images of mails are reached when an agent asks to
	// see them.
	Images fetch.Network
	// CheckDomain asks the DNS whether mail from a domain arrives and is believed,
	// within its context's time; where nil, nothing is said of domains.
	CheckDomain func(ctx context.Context, domain string) []DomainPart
	// ReverseName asks the DNS for the name of an address, "" where it has none; where
	// nil, nothing is asked.
	ReverseName func(ctx context.Context, address string) string
	// TurnedAway lists whom the listener refused something lately; nil where there is
	// none.
	TurnedAway func() []TurnedAway
	// Inbound takes a mail that a relay brings over the API; where nil, none is taken.
	// It reads the mail to its end. Its error is the mail's own, or temporary trouble.
	Inbound func(ctx context.Context, m InboundMail) (InboundResult, error)
	// RotateKeys makes new DKIM keys for a domain; where nil, keys cannot be changed.
	RotateKeys func(ctx context.Context, a helpdesk.Actor, domain string) error
	// Check looks at everything around the server; where nil, nothing is checked.
	Check func(ctx context.Context) ([]Finding, error)
	// Backups keeps backups; nil where none are made.
	Backups BackupKeeper
	// Cards asks the house's own shops what they know of a customer; nil for none.
	Cards *card.Desk
	// Search finds tickets by all their words; where nil, a text is looked for in
	// what lists show.
	Search Searcher
	// MaxUpload limits a reply with its attachments, in bytes; 25 MB when zero.
	MaxUpload int64
	// Analysis reports what is known about the model. It asks nobody: it is
	// called for every page.
	Analysis func(context.Context) AnalysisStatus
	// Writer writes texts for agents; nil where there is no model.
	Writer TextWriter
	// Similar finds tickets that are alike; nil for none. Vectors says how far the
	// model is by which it does.
	Similar SimilarFinder
	Vectors func(context.Context) (similar.Status, error)
	// Matcher tries smart services out; nil where there is no model.
	Matcher TemplateMatcher
	// Policy is what may change later: SetPolicy.
	Policy
	Now func() time.Time
}

// Policy is what the pages go by that may change while they are served.
type Policy struct {
	// SignOn is the house's sign-on provider, nil for none; SignOnName what it is
	// called, SignOnOnly whether it is the only way in.
	SignOn     SignOn
	SignOnName string
	SignOnOnly bool
	// Greylisting says that strangers are put off.
	Greylisting bool
	// ReportAddresses take DMARC aggregate reports and those on encryption.
	ReportAddresses []string
}

// SetPolicy has the pages go by p from the next request on.
func (s *Server) SetPolicy(p Policy) { s.policy.Store(&p) }

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxUpload == 0 {
		o.MaxUpload = 25_000_000
	}
	if o.Hostname == "" {
		o.Hostname = "localhost"
	}
	if o.Analysis == nil {
		o.Analysis = func(context.Context) AnalysisStatus { return AnalysisStatus{} }
	}
	if o.Mail == nil {
		o.Mail = plainMail{}
	}
	return o
}

// plainMail shows text alone.
type plainMail struct{}

func (plainMail) Sanitize(string, func(string) string, func(string) string) SafeHTML {
	return SafeHTML{}
}
func (plainMail) Read(raw []byte) Letter           { return Letter{Text: string(raw)} }
func (plainMail) Fold(text, _, _ string) []Segment { return []Segment{{SegmentNew, text}} }

// Server answers browsers and API clients.
type Server struct {
	desk          *helpdesk.Desk
	options       Options // but for its Policy
	policy        atomic.Pointer[Policy]
	log           *slog.Logger
	catalogues    *locale.Catalogues
	templates     templates
	assets        *assets
	origins       *http.CrossOriginProtection
	compress      func(http.Handler) http.HandlerFunc
	imageSeals    imageSeals
	images        *imageFetcher
	cardImages    []*imageFetcher // one a source of customer cards
	bodies        *bodies
	thumbnails    chan struct{} // holds one for each that is being drawn
	presence      *presence
	signOnTokens  *lru.Cache[string, string] // ID tokens by sessions
	domainReports *domainReports
	checkups      checkups
	echo          *echo.Echo
	closed        context.Context // ends when the server closes
	close         context.CancelFunc
}

// New returns the web of a desk. It reads every template and file it will
// serve, so that what is wrong with them shows at start.
func New(d *helpdesk.Desk, o Options) (*Server, error) {
	s := &Server{desk: d, options: o.withDefaults(), origins: http.NewCrossOriginProtection()}
	s.SetPolicy(s.options.Policy)
	s.log = s.options.Log
	s.closed, s.close = context.WithCancel(context.Background())
	var err error
	if s.catalogues, err = locale.Load(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.templates, err = parseTemplates(s.catalogues, s.assets); err != nil {
		return nil, err
	}
	if s.compress, err = newCompression(); err != nil {
		return nil, err
	}
	if s.imageSeals, err = newImageSeals(); err != nil {
		return nil, err
	}
	if s.signOnTokens, err = lru.New[string, string](signOnTokens); err != nil {
		return nil, err
	}
	s.presence = newPresence(s.closed, s.options.Now)
	s.domainReports = newDomainReports(s.options.CheckDomain, s.options.Now, s.log)
	s.checkups.check = s.options.Check
	s.images = newImageFetcher(s.closed, o.Images, s.options.Now)
	if o.Cards != nil {
		for i := range o.Cards.Len() {
			s.cardImages = append(s.cardImages, newImageFetcher(s.closed, o.Cards.Network(i), s.options.Now))
		}
	}
	s.bodies = newBodies(s.options.MaxUpload)
	s.thumbnails = make(chan struct{}, 2) // pictures are large while they are drawn
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("public web address %q: want an address such as https://desk.example.com", o.PublicURL)
		}
		if err := s.origins.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return nil, fmt.Errorf("public web address %q: %w", o.PublicURL, err)
		}
	}
	s.echo = s.routes()
	return s, nil
}

// Handler serves the web.
func (s *Server) Handler() http.Handler { return s.echo }

// Close ends the live streams, so that an http.Server can shut down. Requests
// in flight go on.
func (s *Server) Close() error {
	s.close()
	return nil
}

func (s *Server) now() time.Time { return s.options.Now() }

func (s *Server) routes() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.fail
	e.Pre(routeHead)
	e.Use(keepHead, s.harden, s.recoverPanics)
	e.GET("/static/*", s.assets.serve)
	e.GET("/favicon.ico", s.assets.favicon)
	s.registerAPI(e)
	s.installedRoutes(e)

	pages := e.Group("", s.refuseCrossOrigin, s.identify, s.compressed(func(c echo.Context) bool {
		return c.Path() == "/live" || c.Path() == writingPath || c.Path() == "/messages/:id/attachments/:index" || c.Path() == imagesPath || c.Path() == draftFilePath || c.Path() == personFilePath
	}))
	s.accessRoutes(pages.Group("", boundVisitors))
	s.unsubscribeRoutes(e.Group("", s.identify))
	s.imageRoutes(pages)

	desk := pages.Group("", s.requireUser, s.bodies.large)
	s.inboxRoutes(desk)
	s.viewRoutes(desk)
	s.bulkRoutes(desk)
	s.bulkReplyRoutes(desk)
	s.spamRoutes(desk)
	s.quarantineRoutes(desk)
	s.ticketRoutes(desk)
	s.draftRoutes(desk)
	s.openingRoutes(desk)
	s.presenceRoutes(desk)
	s.messageRoutes(desk)
	s.explainRoutes(desk)
	s.analysisRoutes(desk)
	s.settingsRoutes(desk)
	s.situationRoutes(desk)
	s.insightRoutes(desk)
	s.awayRoutes(desk)
	s.hoursRoutes(desk)
	s.ruleRoutes(desk)
	s.serviceRoutes(desk)
	s.templateRoutes(desk)
	s.writingRoutes(desk)
	s.similarRoutes(desk)
	s.topicRoutes(desk)
	s.paletteRoutes(desk)
	s.noticeRoutes(desk)
	s.profileRoutes(desk)
	desk.GET("/live", s.live)
	return e
}
