package ui

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// compressionLevel makes a page a tenth larger than gzip's usual level does, in a third of
// the time.
const compressionLevel = 4

// newCompression makes answers of 1 KiB and more smaller for browsers that understand gzip.
func newCompression() (func(http.Handler) http.HandlerFunc, error) {
	return gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.CompressionLevel(compressionLevel))
}

// compressed compresses the answers of routes, but where skip says that they are sent as they
// are: attachments are mostly compressed already, and the length of a stream is not known.
func (s *Server) compressed(skip middleware.Skipper) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			if skip(c) {
				return next(c)
			}
			// What is answered once the route has failed is sent as it is.
			plain := c.Response()
			defer c.SetResponse(plain)
			s.compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				c.SetResponse(echo.NewResponse(w, c.Echo()))
				err = next(c)
			})).ServeHTTP(plain, c.Request())
			return err
		}
	}
}
