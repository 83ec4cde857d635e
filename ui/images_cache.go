package ui

import (
	"sync"
	"time"
)

// Bounds of what is kept of fetched images: long enough for the frames of one
// reading.
const (
	imageCacheLife = 10 * time.Minute
	imageCacheSize = 32 << 20 // bytes
)

// imageCache keeps what was fetched last, in memory. It may be used by several
// goroutines.
type imageCache struct {
	mu     sync.Mutex
	images map[string]remoteImage
	order  []string // oldest first; every key of images once
	size   int
}

func (c *imageCache) get(address string, now time.Time) (remoteImage, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now, 0)
	found, ok := c.images[address]
	return found, ok
}

func (c *imageCache) put(address string, image remoteImage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.images[address]; ok {
		return
	}
	c.forget(image.fetched, len(image.data))
	c.images[address] = image
	c.order = append(c.order, address)
	c.size += len(image.data)
}

// forget drops what is too old, and the oldest until there is room for more bytes.
func (c *imageCache) forget(now time.Time, room int) {
	for len(c.order) > 0 {
		oldest := c.images[c.order[0]]
		if now.Sub(oldest.fetched) < imageCacheLife && c.size+room <= imageCacheSize {
			return
		}
		delete(c.images, c.order[0])
		c.order = c.order[1:]
		c.size -= len(oldest.data)
	}
}
