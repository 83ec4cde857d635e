package mail

import (
	"fmt"
	"strings"
)

// fileTypes are the extensions that programs know files of a media type by. The tables of a system differ from one to the
// next, and the same draft gives the same bytes.
var fileTypes = map[string]string{
	"image/png": "png", "image/jpeg": "jpg", "image/pjpeg": "jpg", "image/jpg": "jpg", "image/gif": "gif", "image/webp": "webp", "image/bmp": "bmp",
	"image/tiff": "tif", "image/svg+xml": "svg", "image/heic": "heic", "image/heif": "heif", "image/avif": "avif",
	"application/pdf": "pdf", "application/zip": "zip", "application/x-zip-compressed": "zip", "application/gzip": "gz", "application/json": "json",
	"application/xml": "xml", "text/xml": "xml", "application/rtf": "rtf", "text/rtf": "rtf",
	"application/msword": "doc", "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   "docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         "xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
	"text/plain": "txt", "text/html": "html", "text/csv": "csv", "text/calendar": "ics", "text/vcard": "vcf", "text/x-vcard": "vcf",
	"message/rfc822": "eml", "message/global": "eml", "message/delivery-status": "txt", "message/disposition-notification": "txt", "text/rfc822-headers": "txt",
	"audio/mpeg": "mp3", "audio/mp4": "m4a", "audio/wav": "wav", "audio/x-wav": "wav", "video/mp4": "mp4", "video/quicktime": "mov",
}

// FileExtension is the extension, with its dot, by which programs know files of a media type; "" for a type that is not
// known.
func FileExtension(mediaType string) string {
	if extension := fileTypes[mediaType]; extension != "" {
		return "." + extension
	}
	return ""
}

// madeUpName names a file that has no name: what it is, its number in the mail, and the extension by which programs open
// it. A type that is not known has none.
func madeUpName(mediaType string, number int) string {
	kind, _, _ := strings.Cut(mediaType, "/")
	if kind != "image" && kind != "audio" && kind != "video" {
		kind = "attachment"
	}
	return fmt.Sprintf("%s%d%s", kind, number, FileExtension(mediaType))
}
