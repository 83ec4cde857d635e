package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/madoguchi/madoguchi/helpdesk/fetch"
)

// Bounds of fetching one image, redirects and all.
const (
	maxImageSize   = 5 << 20 // bytes
	maxRedirects   = 3
	maxImageURL    = 8 << 10 // bytes of an address
	parallelImages = 16      // fetched at one time for all readers
)

// remoteImage is an image that was fetched, and what its bytes are.
type remoteImage struct {
	contentType string
	data        []byte
	fetched     time.Time
}

// imageFetcher gets the images that mails refer to. Nothing of the reader goes
// along: no cookie, no referrer, no name of ours.
type imageFetcher struct {
	client *http.Client
	limit  time.Duration
	now    func() time.Time
	until  context.Context // ends every fetch
	slots  chan struct{}
	flight singleflight.Group
	cache  imageCache
}

func newImageFetcher(until context.Context, n fetch.Network, now func() time.Time) *imageFetcher {
	// Redirects are followed by hand, so that each is checked and none sends a referrer.
	return &imageFetcher{limit: n.Limit(), now: now, until: until, slots: make(chan struct{}, parallelImages),
		cache: imageCache{images: map[string]remoteImage{}}, client: n.Client(parallelImages)}
}

// image returns the image at an address. A mail is loaded twice to be shown (see
// frames.js): its sender hears of it once.
func (f *imageFetcher) image(ctx context.Context, address string) (remoteImage, error) {
	if found, ok := f.cache.get(address, f.now()); ok {
		return found, nil
	}
	result := f.flight.DoChan(address, func() (any, error) {
		ctx, cancel := context.WithTimeout(f.until, f.limit)
		defer cancel()
		select {
		case f.slots <- struct{}{}:
			defer func() { <-f.slots }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		fetched, err := f.fetch(ctx, address)
		if err != nil {
			return nil, err
		}
		fetched.fetched = f.now()
		f.cache.put(address, fetched)
		return fetched, nil
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return remoteImage{}, r.Err
		}
		return r.Val.(remoteImage), nil
	case <-ctx.Done():
		return remoteImage{}, ctx.Err()
	}
}

func (f *imageFetcher) fetch(ctx context.Context, address string) (remoteImage, error) {
	visited := map[string]bool{}
	for range 1 + maxRedirects {
		target, err := imageTarget(address)
		if err != nil {
			return remoteImage{}, err
		}
		response, err := f.get(ctx, target, visited)
		if err != nil {
			return remoteImage{}, err
		}
		next := response.Header.Get("Location")
		if !slices.Contains([]int{301, 302, 303, 307, 308}, response.StatusCode) || next == "" {
			defer response.Body.Close()
			return readImage(response)
		}
		response.Body.Close()
		reference, err := response.Request.URL.Parse(next)
		if err != nil {
			return remoteImage{}, fmt.Errorf("read where it was redirected to: %w", err)
		}
		address = reference.String()
	}
	return remoteImage{}, fmt.Errorf("more than %d redirects", maxRedirects)
}

// imageTarget checks an address before anything is sent there. Where its name
// leads to is judged when it is dialled.
func imageTarget(address string) (*url.URL, error) {
	target, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the address: %w", withoutURL(err))
	case target.Scheme != "http" && target.Scheme != "https":
		return nil, fmt.Errorf("the scheme %q is neither http nor https", target.Scheme)
	case target.Hostname() == "" || target.User != nil:
		return nil, errors.New("the address has no host, or names a user")
	case !slices.Contains([]string{"", "80", "443"}, target.Port()):
		return nil, fmt.Errorf("port %s is neither 80 nor 443", target.Port())
	}
	target.Fragment, target.RawFragment = "", ""
	return target, nil
}

// get asks for an http address as https first, and as http where nobody speaks
// that, or where https itself leads back to http.
func (f *imageFetcher) get(ctx context.Context, target *url.URL, visited map[string]bool) (*http.Response, error) {
	if target.Scheme == "http" && target.Port() != "443" {
		secure := *target
		secure.Scheme, secure.Host = "https", target.Host
		if target.Port() == "80" {
			secure.Host = target.Host[:len(target.Host)-len(":80")]
		}
		if !visited[secure.String()] {
			response, err := f.request(ctx, &secure, visited)
			if err == nil || ctx.Err() != nil {
				return response, err
			}
			if refused := (*fetch.RefusedAddressError)(nil); errors.As(err, &refused) {
				return nil, err
			}
		}
	}
	return f.request(ctx, target, visited)
}

func (f *imageFetcher) request(ctx context.Context, target *url.URL, visited map[string]bool) (*http.Response, error) {
	visited[target.String()] = true
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask for it: %w", withoutURL(err))
	}
	request.Header.Set("User-Agent", "Mozilla/5.0 (compatible; image proxy)")
	request.Header.Set("Accept", "image/avif,image/webp,image/png,image/jpeg,image/gif")
	response, err := f.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for it: %w", withoutURL(err))
	}
	return response, nil
}

// withoutURL leaves the address out of an error: it may hold what only the
// customer should know, and errors are logged.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

func readImage(response *http.Response) (remoteImage, error) {
	if response.StatusCode != http.StatusOK {
		return remoteImage{}, fmt.Errorf("it answered %s", response.Status)
	}
	if response.ContentLength > maxImageSize {
		return remoteImage{}, fmt.Errorf("%d bytes are more than %d", response.ContentLength, maxImageSize)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxImageSize+1))
	if err == nil {
		// A server that notices that we leave can still end its answer in good
		// order, and half an image would pass for a whole one.
		err = response.Request.Context().Err()
	}
	if err != nil {
		return remoteImage{}, fmt.Errorf("read it: %w", err)
	}
	if len(data) > maxImageSize {
		return remoteImage{}, fmt.Errorf("more than %d bytes", maxImageSize)
	}
	contentType := imageType(data)
	if contentType == "" {
		return remoteImage{}, fmt.Errorf("its bytes are no PNG, JPEG, GIF, WebP or AVIF (sent as %.80q)", response.Header.Get("Content-Type"))
	}
	return remoteImage{contentType: contentType, data: data}, nil
}

// imageType is what the bytes are, whatever they were said to be: one of the
// types that can only be drawn, or "".
func imageType(data []byte) string {
	switch sniffed := http.DetectContentType(data); sniffed {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return sniffed
	}
	// AVIF, section 6: a file type box whose major brand is avif or avis.
	if len(data) >= 12 && bytes.Equal(data[4:8], []byte("ftyp")) && (bytes.Equal(data[8:12], []byte("avif")) || bytes.Equal(data[8:12], []byte("avis"))) {
		return "image/avif"
	}
	return ""
}
