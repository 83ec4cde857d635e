package acme

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Phase is how far the certificate of a name is.
type Phase string

// The phases.
const (
	Valid   Phase = "valid"   // it is served, and no attempt failed since
	Asking  Phase = "asking"  // there is none, and it was asked for
	Absent  Phase = "absent"  // there is none, and the DNS has no address for the name
	Failing Phase = "failing" // the newest attempt failed
)

// State says how the certificate of a name is.
type State struct {
	Name  string
	Phase Phase
	// Issuer, NotBefore and NotAfter are those of the certificate that is served;
	// zero where there is none of the name's own.
	Issuer              string
	NotBefore, NotAfter time.Time
	// Failure is what the newest attempt failed with, At when that was.
	Failure string
	At      time.Time
}

// Pressing says that somebody has to do something: attempts fail and nothing
// valid is served, or only for a quarter of its time, in which renewing should
// have worked for long; or a certificate ends and was not even tried to be renewed.
func (s State) Pressing(now time.Time) bool {
	left, whole := s.NotAfter.Sub(now), s.NotAfter.Sub(s.NotBefore)
	return s.Failure != "" && left < whole/4 || !s.NotAfter.IsZero() && left < whole/10
}

// States says how the certificate of each name is, ordered by name.
func (k *Keeper) States() []State {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]State, 0, len(k.names))
	for name, m := range k.names {
		s := State{Name: name, Phase: Asking}
		if c := k.best(name); c != nil {
			s.describe(c.Leaf)
			s.Phase = Valid
		}
		switch {
		case m.failed != nil:
			s.Phase, s.Failure, s.At = Failing, m.failed.Error(), m.at
		case m.absent && s.Phase != Valid:
			s.Phase = Absent
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b State) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func (s *State) describe(leaf *x509.Certificate) {
	s.Issuer, s.NotBefore, s.NotAfter = cmp.Or(leaf.Issuer.CommonName, leaf.Issuer.String()), leaf.NotBefore, leaf.NotAfter
}

// Stored says which certificates a storage holds, for when nobody keeps it.
func Stored(directory string) []State {
	var list []State
	for name, c := range readKept(directory) {
		s := State{Name: name, Phase: Valid}
		s.describe(c.Leaf)
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b State) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// readKept reads the certificates of a storage, by name: of several, from
// whatever authority, the one that is good for longest. So another directory in
// the configuration does not take away what the one before gave. What cannot be
// read is obtained anew.
func readKept(directory string) map[string]*tls.Certificate {
	kept := map[string]*tls.Certificate{}
	files, _ := filepath.Glob(filepath.Join(directory, "certificates", "*", "*", "*.crt"))
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			continue
		}
		pair, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".crt")+".key")
		if err != nil {
			continue
		}
		for _, name := range pair.Leaf.DNSNames {
			if before := kept[name]; before == nil || before.Leaf.NotAfter.Before(pair.Leaf.NotAfter) {
				kept[name] = &pair
			}
		}
	}
	return kept
}
